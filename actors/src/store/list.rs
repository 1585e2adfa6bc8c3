//! Filtered and paged lists of threads.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;

use super::Question;
use super::cursor::{List, PageRequest};
use super::messages::{ListThreads, ThreadFilter};
use super::record::ThreadRecord;
use super::row::{ThreadRow, written};
use super::schema::threads;
use crate::protocol::thread::{Page, SessionSource, ThreadSortKey, ThreadSourceKind};

#[diesel::declare_sql_function]
extern "SQL" {
    /// Position of the first occurrence of `needle`, counted from 1; 0 if there is none.
    fn instr(haystack: Nullable<Text>, needle: Text) -> Nullable<Integer>;
}

type Threads<'a> = threads::BoxedQuery<'a, Sqlite>;

impl Question for ListThreads {
    type Answer = Page<ThreadRecord>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let mut query = filtered(&self.filter)?;
        if let Some(term) = self.search_term {
            let in_name = instr(threads::name, term.clone()).gt(0);
            query = query.filter(in_name.or(instr(threads::preview.nullable(), term).gt(0)));
        }
        page(db, query, self.sort_key, &self.page)
    }
}

/// The threads that pass a filter.
pub(super) fn filtered<'a>(filter: &ThreadFilter) -> QueryResult<Threads<'a>> {
    let mut query = threads::table.filter(threads::has_turns.eq(true).or(threads::name.is_not_null())).into_boxed();
    query = if filter.archived {
        query.filter(threads::archived_at_ms.is_not_null())
    } else {
        query.filter(threads::archived_at_ms.is_null())
    };
    query = if filter.source_kinds.is_empty() {
        let interactive = [written(&SessionSource::Cli)?, written(&SessionSource::VsCode)?];
        query.filter(threads::source.eq_any(interactive).or(threads::source.like("{\"custom\"%")))
    } else {
        query.filter(threads::source.eq_any(sources(&filter.source_kinds)?))
    };
    if !filter.cwds.is_empty() {
        query =
            query.filter(threads::cwd.eq_any(filter.cwds.iter().map(|cwd| tidy(cwd).to_owned()).collect::<Vec<_>>()));
    }
    if !filter.model_providers.is_empty() {
        query = query.filter(threads::model_provider.eq_any(filter.model_providers.clone()));
    }
    if !filter.originators.is_empty() {
        query = query.filter(threads::originator.eq_any(filter.originators.clone()));
    }
    if let Some(included) = &filter.included {
        let included: Vec<String> = included.iter().map(ToString::to_string).collect();
        query = query.filter(threads::id.eq_any(included));
    }
    if !filter.excluded.is_empty() {
        let excluded: Vec<String> = filter.excluded.iter().map(ToString::to_string).collect();
        query = query.filter(threads::id.ne_all(excluded));
    }
    Ok(query)
}

/// A path without a trailing slash, as stored in threads.
fn tidy(cwd: &str) -> &str {
    match cwd.trim_end_matches('/') {
        "" => cwd,
        path => path,
    }
}

/// The stored sources of these kinds. Sub-agents are not recorded as sources, so their kinds match nothing.
fn sources(kinds: &[ThreadSourceKind]) -> QueryResult<Vec<String>> {
    kinds
        .iter()
        .filter_map(|kind| match kind {
            ThreadSourceKind::Cli => Some(SessionSource::Cli),
            ThreadSourceKind::VsCode => Some(SessionSource::VsCode),
            ThreadSourceKind::Exec => Some(SessionSource::Exec),
            ThreadSourceKind::AppServer => Some(SessionSource::AppServer),
            ThreadSourceKind::Unknown => Some(SessionSource::Unknown),
            ThreadSourceKind::SubAgent
            | ThreadSourceKind::SubAgentReview
            | ThreadSourceKind::SubAgentCompact
            | ThreadSourceKind::SubAgentThreadSpawn
            | ThreadSourceKind::SubAgentOther => None,
        })
        .map(|source| written(&source))
        .collect()
}

/// Loads a page of `query`. Rows with equal times are ordered by id, so that every row has a unique position.
pub(super) fn page(
    db: &mut SqliteConnection,
    mut query: Threads<'_>,
    key: ThreadSortKey,
    page: &PageRequest,
) -> QueryResult<Page<ThreadRecord>> {
    let (column, value): (&str, fn(&ThreadRecord) -> i64) = match key {
        ThreadSortKey::CreatedAt | ThreadSortKey::SectionPosition => ("created_at_ms", |t| t.created_at_ms),
        ThreadSortKey::UpdatedAt => ("updated_at_ms", |t| t.updated_at_ms),
        ThreadSortKey::RecencyAt => ("recency_at_ms", |t| t.recency_at_ms),
    };
    if let Some(cursor) = &page.cursor {
        let comparison = page.comparison(cursor);
        // A row comparison, which uses the index on the same columns.
        query = query.filter(
            sql::<Bool>(&format!("(threads.{column}, threads.id) {comparison} ("))
                .bind::<BigInt, _>(cursor.place)
                .sql(", ")
                .bind::<Text, _>(cursor.thread.to_string())
                .sql(")"),
        );
    }
    let order = page.order();
    let rows = query
        .order(sql::<BigInt>(&format!("threads.{column} {order}, threads.id {order}")))
        .limit(page.fetch())
        .select(ThreadRow::as_select())
        .load(db)?;
    let records = rows.into_iter().map(ThreadRow::record).collect::<QueryResult<Vec<_>>>()?;
    Ok(page.cut(List::Threads, records, |thread| (value(thread), thread.id)))
}
