//! Reverts the latest turns of a thread.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::Question;
use super::messages::{RevertThread, Reverted, Until};
use super::schema::{threads, turns};
use crate::protocol::thread::ThreadId;

impl Question for RevertThread {
    type Answer = Reverted;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Reverted> {
        let Self { id, until, at_ms } = self;
        if !super::threads::exists(db, id)? {
            return Ok(Reverted::UnknownThread);
        }
        let last = match last_ordinal(db, id, &until)? {
            Ok(last) => last,
            Err(unknown) => return Ok(Reverted::UnknownTurn(unknown)),
        };
        let thread = id.to_string();
        // Their items and model-side history are deleted with them: ON DELETE CASCADE.
        diesel::delete(turns::table.filter(turns::thread_id.eq(&thread).and(turns::ordinal.gt(last)))).execute(db)?;
        let rest = turns::table.filter(turns::thread_id.eq(&thread));
        let has_turns: bool = diesel::select(exists(rest)).get_result(db)?;
        let row = threads::table.find(&thread);
        diesel::update(row).set((threads::has_turns.eq(has_turns), threads::updated_at_ms.eq(at_ms))).execute(db)?;
        if !has_turns {
            diesel::update(row).set(threads::preview.eq("")).execute(db)?;
        }
        Ok(match super::threads::load(db, id)? {
            Some(record) => Reverted::Thread(Box::new(record)),
            None => Reverted::UnknownThread,
        })
    }
}

/// The ordinal of the last turn that `until` keeps. The inner error is an unknown turn.
pub(super) fn last_ordinal(
    db: &mut SqliteConnection,
    thread: ThreadId,
    until: &Until,
) -> QueryResult<Result<i64, String>> {
    let (turn, before) = match until {
        Until::End => return Ok(Ok(i64::MAX)),
        Until::Through(turn) => (turn, 0),
        Until::Before(turn) => (turn, 1),
    };
    let found = turns::table
        .filter(turns::thread_id.eq(thread.to_string()).and(turns::id.eq(turn)))
        .select(turns::ordinal)
        .get_result::<i64>(db)
        .optional()?;
    Ok(found.map(|ordinal| ordinal - before).ok_or_else(|| turn.clone()))
}
