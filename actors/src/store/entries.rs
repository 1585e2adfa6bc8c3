//! The model-side history: the content of a request to the model besides instructions and tools.
//!
//! Items are only added, each under its turn. A compaction adds a complete new history, an epoch, and the latest epoch
//! is in effect. So reverting turns also removes their items and compactions.

use diesel::dsl::max;
use diesel::prelude::*;

use super::messages::HistoryChange;
use super::row::{read, written};
use super::schema::model_history::dsl as entries;
use crate::protocol::model::HistoryItem;
use crate::protocol::thread::ThreadId;

/// What the model knows of `thread`.
pub(super) fn known(db: &mut SqliteConnection, thread: ThreadId) -> QueryResult<Vec<HistoryItem>> {
    let thread = thread.to_string();
    let Some(epoch) = latest_epoch(db, &thread)? else { return Ok(Vec::new()) };
    let texts: Vec<String> = entries::model_history
        .filter(entries::thread_id.eq(&thread).and(entries::epoch.eq(epoch)))
        .order(entries::position)
        .select(entries::entry)
        .load(db)?;
    texts.iter().map(|text| read(text)).collect()
}

/// Changes the history of `thread`. Added items belong to the turn with this ordinal.
pub(super) fn change(
    db: &mut SqliteConnection,
    thread: ThreadId,
    turn_ordinal: Option<i64>,
    change: HistoryChange,
) -> QueryResult<()> {
    let (added, begins_epoch) = match change {
        HistoryChange::Append(added) => (added, false),
        HistoryChange::Replace(added) => (added, true),
    };
    if added.is_empty() {
        return Ok(());
    }
    let thread = thread.to_string();
    let (epoch, last) = match (latest_epoch(db, &thread)?, begins_epoch) {
        (None, _) => (1, 0),
        (Some(epoch), true) => (epoch + 1, 0),
        (Some(epoch), false) => (epoch, last_position(db, &thread, epoch)?),
    };
    for (item, position) in added.iter().zip(last + 1..) {
        diesel::insert_into(entries::model_history)
            .values((
                entries::thread_id.eq(&thread),
                entries::epoch.eq(epoch),
                entries::position.eq(position),
                entries::turn_ordinal.eq(turn_ordinal),
                entries::entry.eq(written(item)?),
            ))
            .execute(db)?;
    }
    Ok(())
}

fn latest_epoch(db: &mut SqliteConnection, thread: &str) -> QueryResult<Option<i64>> {
    entries::model_history.filter(entries::thread_id.eq(thread)).select(max(entries::epoch)).get_result(db)
}

fn last_position(db: &mut SqliteConnection, thread: &str, epoch: i64) -> QueryResult<i64> {
    let of_epoch = entries::model_history.filter(entries::thread_id.eq(thread).and(entries::epoch.eq(epoch)));
    Ok(of_epoch.select(max(entries::position)).get_result::<Option<i64>>(db)?.unwrap_or(0))
}
