//! The questions about the model-side history.

use diesel::dsl::max;
use diesel::prelude::*;

use super::messages::{ReadModelHistory, RecordModelHistory};
use super::schema::turns;
use super::{Question, entries};
use crate::protocol::model::HistoryItem;

impl Question for RecordModelHistory {
    type Answer = bool;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<bool> {
        if !super::threads::exists(db, self.thread_id)? {
            return Ok(false);
        }
        let latest = turns::table
            .filter(turns::thread_id.eq(self.thread_id.to_string()))
            .select(max(turns::ordinal))
            .get_result::<Option<i64>>(db)?;
        entries::change(db, self.thread_id, latest, self.change)?;
        Ok(true)
    }
}

impl Question for ReadModelHistory {
    type Answer = Vec<HistoryItem>;
    const WRITES: bool = false;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Vec<HistoryItem>> {
        entries::known(db, self.thread_id)
    }
}
