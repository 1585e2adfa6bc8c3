//! Copies history into a new thread.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::Question;
use super::messages::{ForkThread, Forked};
use super::revert::last_ordinal;
use super::row::written;
use super::schema::turns;
use super::threads;
use crate::protocol::turn::TurnStatus;

/// A turn that is running in the source is not running in the fork: there it ended when the fork was made.
const COPY_TURNS: &str = "
    INSERT INTO turns
        (thread_id, ordinal, id, root_turn_id, status, error, started_at_ms, completed_at_ms, token_usage)
    SELECT ?, ordinal, id, root_turn_id, CASE status WHEN ? THEN ? ELSE status END, error, started_at_ms,
        completed_at_ms, token_usage
    FROM turns WHERE thread_id = ? AND ordinal <= ?";

const COPY_ITEMS: &str = "
    INSERT INTO items (thread_id, ordinal, turn_id, id, kind, text, started_at_ms, completed_at_ms, item)
    SELECT ?, items.ordinal, turn_id, items.id, kind, text, items.started_at_ms, items.completed_at_ms, item
    FROM items JOIN turns ON turns.thread_id = items.thread_id AND turns.id = items.turn_id
    WHERE items.thread_id = ? AND turns.ordinal <= ?";

/// Includes earlier epochs, so that the fork can be reverted as far as its source.
const COPY_MODEL_HISTORY: &str = "
    INSERT INTO model_history (thread_id, epoch, position, turn_ordinal, entry)
    SELECT ?, epoch, position, turn_ordinal, entry
    FROM model_history WHERE thread_id = ? AND coalesce(turn_ordinal, 0) <= ?";

impl Question for ForkThread {
    type Answer = Forked;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Forked> {
        if !threads::exists(db, self.source)? {
            return Ok(Forked::UnknownSource);
        }
        let (source, id) = (self.source.to_string(), self.fork.id.to_string());
        let last = match last_ordinal(db, self.source, &self.until)? {
            Ok(last) => last,
            Err(unknown) => return Ok(Forked::UnknownTurn(unknown)),
        };
        let mut fork = self.fork;
        fork.has_turns =
            diesel::select(exists(turns::table.filter(turns::thread_id.eq(&source).and(turns::ordinal.le(last)))))
                .get_result(db)?;
        if !fork.has_turns {
            fork.preview.clear();
        }
        threads::insert(db, &fork)?;
        diesel::sql_query(COPY_TURNS)
            .bind::<Text, _>(&id)
            .bind::<Text, _>(written(&TurnStatus::InProgress)?)
            .bind::<Text, _>(written(&TurnStatus::Interrupted)?)
            .bind::<Text, _>(&source)
            .bind::<BigInt, _>(last)
            .execute(db)?;
        for copy in [COPY_ITEMS, COPY_MODEL_HISTORY] {
            diesel::sql_query(copy)
                .bind::<Text, _>(&id)
                .bind::<Text, _>(&source)
                .bind::<BigInt, _>(last)
                .execute(db)?;
        }
        Ok(Forked::Thread(fork))
    }
}
