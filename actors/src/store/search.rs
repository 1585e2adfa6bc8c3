//! Full-text search of threads.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::Question;
use super::list::{filtered, instr, page};
use super::messages::SearchThreads;
use super::record::{FoundThread, ThreadRecord};
use super::schema::{items, threads};
use crate::protocol::thread::Page;

/// Bytes of context before and after a match.
const SNIPPET_CONTEXT: usize = 80;

#[diesel::declare_sql_function]
extern "SQL" {
    /// Lower-cases ASCII letters.
    fn lower(text: Nullable<Text>) -> Nullable<Text>;
}

impl Question for SearchThreads {
    type Answer = Page<FoundThread>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let term = self.search_term.to_ascii_lowercase();
        let in_name = instr(lower(threads::name), term.clone()).gt(0);
        let in_preview = instr(lower(threads::preview.nullable()), term.clone()).gt(0);
        let in_history = items::table
            .filter(items::thread_id.eq(threads::id))
            .filter(instr(lower(items::text.nullable()), term.clone()).gt(0));
        let query = filtered(&self.filter)?.filter(in_name.or(in_preview).or(exists(in_history)));
        let Page { data, next_cursor, backwards_cursor } = page(db, query, self.sort_key, &self.page)?;
        let data = data.into_iter().map(|thread| found(db, thread, &term)).collect::<QueryResult<_>>()?;
        Ok(Page { data, next_cursor, backwards_cursor })
    }
}

/// The thread with a snippet of its history, preview or title, in this order of preference.
fn found(db: &mut SqliteConnection, thread: ThreadRecord, term: &str) -> QueryResult<FoundThread> {
    let said = items::table
        .filter(items::thread_id.eq(thread.id.to_string()))
        .filter(instr(lower(items::text.nullable()), term).gt(0))
        .order(items::ordinal)
        .select(items::text)
        .first::<String>(db)
        .optional()?;
    let snippet = said
        .as_deref()
        .into_iter()
        .chain([thread.preview.as_str()])
        .chain(thread.name.as_deref())
        .find_map(|text| snippet(text, term));
    Ok(FoundThread { snippet: snippet.unwrap_or_default(), thread })
}

/// The context of the first occurrence of `term` (lower case) in `text`, with an ellipsis where it is cut.
fn snippet(text: &str, term: &str) -> Option<String> {
    let start = text.to_ascii_lowercase().find(term)?;
    let end = start + term.len();
    // A snippet may be some bytes longer, because it is cut between characters.
    let from = (0..=start.saturating_sub(SNIPPET_CONTEXT)).rfind(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let to = (end + SNIPPET_CONTEXT..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let cut = |missing| if missing { "…" } else { "" };
    Some(format!("{}{}{}", cut(from > 0), &text[from..to], cut(to < text.len())))
}
