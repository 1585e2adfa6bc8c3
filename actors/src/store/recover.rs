//! Marks the turns of a killed process as interrupted.
//!
//! Several servers may share one database. Each holds a shared lock on a file beside it while it runs, so a server that
//! gets the exclusive lock knows that no turns are running.

use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::Text;
use plain_file::Links;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::entries;
use super::messages::HistoryChange;
use super::row::{self, written};
use super::schema::{items, turns};
use crate::protocol::item::Plan;
use crate::protocol::model::{HistoryItem, Role};
use crate::protocol::turn::TurnStatus;

/// How long a start waits for another server that is marking turns, which takes milliseconds. A program that holds the
/// lock longer does not delay the start.
const PATIENCE: Duration = Duration::from_secs(1);
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// Commands of these turns ended with the process; their outcome is unknown. An item that is not JSON stays as it is.
const END_ITEMS: &str = "
    UPDATE items SET item = json_set(item, '$.status', 'failed')
    WHERE (thread_id, turn_id) IN (SELECT thread_id, id FROM turns WHERE status = ?)
    AND CASE WHEN json_valid(item) THEN json_extract(item, '$.status') = 'inProgress' END";

/// Commands that went on behind the end of their turn, and ended with the process. The condition is that of their index.
const GOING_ON: &str = "completed_at_ms IS NULL AND kind = 'commandExecution' \
    AND CASE WHEN json_valid(item) THEN json_extract(item, '$.status') = 'inProgress' END";

/// A guard: tells other servers that the database is in use until it is dropped.
#[derive(Debug)]
pub(super) struct InUse {
    /// `None` if the lock cannot be taken.
    _lock: Option<File>,
}

/// Marks the turns of killed processes as interrupted, unless another server is using the database at `path`.
pub(super) fn recover(db: &mut SqliteConnection, path: &Path) -> InUse {
    let lock = match open(path) {
        Ok(lock) => lock,
        Err(error) => {
            log::warn!("{} is not looked after: its lock file cannot be opened: {error}", path.display());
            return InUse { _lock: None };
        }
    };
    if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
        match interrupt(db) {
            Ok(0) => {}
            Ok(turns) => log::info!("{turns} turns were running when the server was killed; they are interrupted"),
            // For example a read-only database. A server that can write to it will mark the turns.
            Err(error) => log::warn!("turns that a killed server left behind still read as running: {error}"),
        }
    }
    InUse { _lock: share(&lock).then_some(lock) }
}

/// Takes the shared lock. Returns whether that succeeded in time.
fn share(lock: &File) -> bool {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match flock(lock, FlockOperation::NonBlockingLockShared) {
            Ok(()) => return true,
            Err(Errno::WOULDBLOCK) if Instant::now() < deadline => thread::sleep(BETWEEN_TRIES),
            Err(error) => {
                log::warn!("another program holds the lock beside the thread database: {error}");
                return false;
            }
        }
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    plain_file::open_or_create(&super::sqlite::beside(path, ".lock"), Links::Refuse, 0o600)
}

/// Marks running turns as interrupted and returns their number.
fn interrupt(db: &mut SqliteConnection) -> QueryResult<usize> {
    let running = written(&TurnStatus::InProgress)?;
    // A literal, because SQLite uses the partial index only for the same literal.
    let these = turns::table.filter(diesel::dsl::sql::<diesel::sql_types::Bool>("status = '\"inProgress\"'"));
    // Checked first, because even a write that changes nothing waits for other programs.
    let commands = items::table.filter(diesel::dsl::sql::<diesel::sql_types::Bool>(GOING_ON));
    if !diesel::select(exists(these).or(exists(commands))).get_result::<bool>(db)? {
        return Ok(0);
    }
    db.immediate_transaction(|db| {
        remember_what_was_said(db, &running)?;
        diesel::sql_query(END_ITEMS).bind::<Text, _>(&running).execute(db)?;
        let end_commands = format!("UPDATE items SET item = json_set(item, '$.status', 'failed') WHERE {GOING_ON}");
        diesel::sql_query(end_commands).execute(db)?;
        diesel::update(turns::table.filter(turns::status.eq(&running)))
            .set(turns::status.eq(written(&TurnStatus::Interrupted)?))
            .execute(db)
    })
}

/// The model goes on from what people saw: what the agent had said of a message that did not come to its end, and that
/// the turn ended early. Calls whose tools never answered are closed first. A turn of which that cannot be told is left as
/// it is, because the others must not suffer from one damaged row.
fn remember_what_was_said(db: &mut SqliteConnection, running: &str) -> QueryResult<()> {
    let cut: Vec<(String, i64, String)> = turns::table
        .filter(turns::status.eq(running))
        .select((turns::thread_id, turns::ordinal, turns::id))
        .load(db)?;
    for (thread, ordinal, turn) in cut {
        // A transaction within the other one: of a turn that fails, nothing stays.
        if let Err(error) = db.transaction(|db| remember_turn(db, &thread, ordinal, &turn)) {
            log::warn!("the model will not know how turn {turn} of thread {thread} ended: {error}");
        }
    }
    Ok(())
}

fn remember_turn(db: &mut SqliteConnection, thread: &str, ordinal: i64, turn: &str) -> QueryResult<()> {
    let thread_id = row::thread_id(thread)?;
    let known = entries::known(db, thread_id)?;
    let said: Vec<(String, String, Option<i64>)> = items::table
        .filter(items::thread_id.eq(thread).and(items::turn_id.eq(turn)))
        .filter(items::kind.eq_any(["agentMessage", "plan"]).and(items::text.ne("")))
        .order(items::ordinal)
        .select((items::kind, items::text, items::completed_at_ms))
        .load(db)?;
    let cut = said.into_iter().filter_map(|(kind, text, completed_at_ms)| match (kind.as_str(), completed_at_ms) {
        ("plan", Some(_)) if knows_plan(&known, &text) => None,
        ("plan", _) => Some(Plan::written(&text)),
        (_, Some(_)) => None,
        (_, None) => Some(text),
    });
    let mut entries = HistoryItem::missing_outputs(&known);
    entries.extend(cut.map(|text| HistoryItem::text(Role::Assistant, text)));
    entries.push(HistoryItem::interruption());
    entries::change(db, thread_id, Some(ordinal), HistoryChange::Append(entries))
}

/// Whether the message with this plan came to its end, and is part of the history.
fn knows_plan(known: &[HistoryItem], plan: &str) -> bool {
    known.iter().map(HistoryItem::said).any(|said| said.contains(Plan::BEGIN) && said.contains(plan))
}
