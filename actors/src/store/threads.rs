//! Storing, loading, changing and deleting a thread.

use diesel::prelude::*;

use super::Question;
use super::messages::{
    DeleteThread, InsertThread, LoadThread, SaveThreadSettings, SetArchived, SetThreadName, UpdateThreadMetadata,
};
use super::record::ThreadRecord;
use super::row::{ThreadRow, written};
use super::schema::threads;
use crate::protocol::thread::ThreadId;

impl Question for InsertThread {
    type Answer = ();
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<()> {
        insert(db, &self.0)
    }
}

impl Question for LoadThread {
    type Answer = Option<ThreadRecord>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        load(db, self.id)
    }
}

impl Question for SaveThreadSettings {
    type Answer = bool;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<bool> {
        let record = *self.0;
        let new = (
            threads::cwd.eq(record.cwd),
            threads::model_provider.eq(record.model_provider),
            threads::settings.eq(written(&record.settings)?),
        );
        Ok(diesel::update(threads::table.find(record.id.to_string())).set(new).execute(db)? > 0)
    }
}

impl Question for SetThreadName {
    type Answer = bool;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<bool> {
        let new = (threads::name.eq(self.name), threads::updated_at_ms.eq(self.at_ms));
        Ok(diesel::update(threads::table.find(self.id.to_string())).set(new).execute(db)? > 0)
    }
}

/// Columns to change: the outer `None` keeps the value, the inner `None` clears it.
#[derive(AsChangeset)]
#[diesel(table_name = threads)]
struct MetadataChange {
    git_sha: Option<Option<String>>,
    git_branch: Option<Option<String>>,
    git_origin_url: Option<Option<String>>,
    daybreak_enabled: Option<bool>,
    updated_at_ms: i64,
}

impl Question for UpdateThreadMetadata {
    type Answer = Option<ThreadRecord>;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let change = MetadataChange {
            git_sha: self.git.sha,
            git_branch: self.git.branch,
            git_origin_url: self.git.origin_url,
            daybreak_enabled: self.daybreak_enabled,
            updated_at_ms: self.at_ms,
        };
        diesel::update(threads::table.find(self.id.to_string())).set(change).execute(db)?;
        load(db, self.id)
    }
}

impl Question for SetArchived {
    type Answer = Option<ThreadRecord>;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer> {
        let thread = threads::table.find(self.id.to_string());
        let new =
            (threads::archived_at_ms.eq(self.archived.then_some(self.at_ms)), threads::updated_at_ms.eq(self.at_ms));
        let changed = if self.archived {
            diesel::update(thread.filter(threads::archived_at_ms.is_null())).set(new).execute(db)?
        } else {
            diesel::update(thread.filter(threads::archived_at_ms.is_not_null())).set(new).execute(db)?
        };
        if changed == 0 { Ok(None) } else { load(db, self.id) }
    }
}

impl Question for DeleteThread {
    type Answer = bool;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<bool> {
        // Turns and items are deleted with it: ON DELETE CASCADE.
        Ok(diesel::delete(threads::table.find(self.id.to_string())).execute(db)? > 0)
    }
}

pub(super) fn insert(db: &mut SqliteConnection, record: &ThreadRecord) -> QueryResult<()> {
    diesel::insert_into(threads::table).values(ThreadRow::of(record)?).execute(db).map(drop)
}

pub(super) fn load(db: &mut SqliteConnection, id: ThreadId) -> QueryResult<Option<ThreadRecord>> {
    // Not `first`: SQLite recompiles a statement whenever a value is bound to its LIMIT.
    let row = threads::table.find(id.to_string()).select(ThreadRow::as_select()).get_result(db).optional()?;
    row.map(ThreadRow::record).transpose()
}

pub(super) fn exists(db: &mut SqliteConnection, id: ThreadId) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(threads::table.find(id.to_string()))).get_result(db)
}
