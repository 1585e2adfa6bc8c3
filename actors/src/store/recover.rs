//! Turns of a process that was killed: they run no more, and are to be read as interrupted.
//!
//! Several servers may share one database. Each holds a shared lock on a file beside it for as long as it lives, so the
//! one that gets the lock for itself alone knows that nobody's turns are running.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::Text;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::row::written;
use super::schema::turns;
use crate::protocol::turn::TurnStatus;

/// How long a start waits for another server that looks after the turns at this moment, which takes milliseconds. A
/// program that holds the lock for longer does not hold up the start.
const PATIENCE: Duration = Duration::from_secs(1);
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// Commands and the like that ran in these turns ended with the process; what became of them is not known.
const END_ITEMS: &str = "
    UPDATE items SET item = json_set(item, '$.status', 'failed')
    WHERE (thread_id, turn_id) IN (SELECT thread_id, id FROM turns WHERE status = ?)
    AND json_extract(item, '$.status') = 'inProgress'";

/// Says to the servers to come, until it is dropped, that a server works with the database.
#[derive(Debug)]
pub(super) struct InUse {
    /// `None` where the lock cannot be had.
    _lock: Option<File>,
}

/// Marks the turns of killed processes as interrupted, unless another server works with the database at `path`.
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
            // A database that can only be read, for example. Whoever can write to it will do it.
            Err(error) => log::warn!("turns that a killed server left behind still read as running: {error}"),
        }
    }
    InUse { _lock: share(&lock).then_some(lock) }
}

/// The lock, shared with other servers; whether it could be had in time.
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
    let file = super::open::beside(path, ".lock");
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(file)
}

/// How many turns ran until now.
fn interrupt(db: &mut SqliteConnection) -> QueryResult<usize> {
    let running = written(&TurnStatus::InProgress)?;
    // Literally, because SQLite uses the index of these turns only for the text that the index names.
    let these = turns::table.filter(diesel::dsl::sql::<diesel::sql_types::Bool>("status = '\"inProgress\"'"));
    // Looked for before, because even a write that changes nothing waits for other programs.
    if !diesel::select(exists(these)).get_result::<bool>(db)? {
        return Ok(0);
    }
    db.immediate_transaction(|db| {
        diesel::sql_query(END_ITEMS).bind::<Text, _>(&running).execute(db)?;
        diesel::update(turns::table.filter(turns::status.eq(&running)))
            .set(turns::status.eq(written(&TurnStatus::Interrupted)?))
            .execute(db)
    })
}
