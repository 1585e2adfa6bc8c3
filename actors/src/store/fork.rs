//! Copying history into a new thread.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::Question;
use super::messages::{ForkThread, ForkUntil, Forked};
use super::row::written;
use super::schema::turns;
use super::threads;
use crate::protocol::turn::TurnStatus;

/// A turn that runs in the source does not run in the fork: there it ended when the fork was made.
const COPY_TURNS: &str = "
    INSERT INTO turns (thread_id, ordinal, id, root_turn_id, status, error, started_at_ms, completed_at_ms)
    SELECT ?, ordinal, id, root_turn_id, CASE status WHEN ? THEN ? ELSE status END, error, started_at_ms, completed_at_ms
    FROM turns WHERE thread_id = ? AND ordinal <= ?";

const COPY_ITEMS: &str = "
    INSERT INTO items (thread_id, ordinal, turn_id, id, kind, text, started_at_ms, completed_at_ms, item)
    SELECT ?, items.ordinal, turn_id, items.id, kind, text, items.started_at_ms, items.completed_at_ms, item
    FROM items JOIN turns ON turns.thread_id = items.thread_id AND turns.id = items.turn_id
    WHERE items.thread_id = ? AND turns.ordinal <= ?";

impl Question for ForkThread {
    type Answer = Forked;
    const WRITES: bool = true;

    fn run(self, db: &mut SqliteConnection) -> QueryResult<Forked> {
        if !threads::exists(db, self.source)? {
            return Ok(Forked::UnknownSource);
        }
        let (source, id) = (self.source.to_string(), self.fork.id.to_string());
        let last = match &self.until {
            ForkUntil::End => i64::MAX,
            ForkUntil::Through(turn) | ForkUntil::Before(turn) => {
                let found = turns::table
                    .filter(turns::thread_id.eq(&source).and(turns::id.eq(turn)))
                    .select(turns::ordinal)
                    .first::<i64>(db)
                    .optional()?;
                match (found, &self.until) {
                    (None, _) => return Ok(Forked::UnknownTurn(turn.clone())),
                    (Some(ordinal), ForkUntil::Before(_)) => ordinal - 1,
                    (Some(ordinal), _) => ordinal,
                }
            }
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
        diesel::sql_query(COPY_ITEMS)
            .bind::<Text, _>(&id)
            .bind::<Text, _>(&source)
            .bind::<BigInt, _>(last)
            .execute(db)?;
        Ok(Forked::Thread(fork))
    }
}
