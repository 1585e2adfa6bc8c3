//! The Store: threads, turns and items in SQLite.
//!
//! An actor on a thread of its own, where blocking is allowed. Other actors send it requests with [`ask`]; each request
//! is a struct in [`messages`]. It has no clock: times are part of the requests.

mod backup;
mod check;
mod copies;
mod cursor;
mod database;
mod devices;
mod enrollments;
mod entries;
mod error;
mod files;
mod fork;
mod goals;
mod items;
mod level;
mod list;
pub mod messages;
mod migrations;
mod model_history;
mod open;
mod queue;
mod record;
mod recover;
mod revert;
mod row;
mod schema;
mod search;
mod sqlite;
#[cfg(test)]
mod tests;
mod threads;
mod together;
mod turns;
mod users;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::dev::SendError;
use actix::prelude::*;
use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;
use tokio::sync::oneshot;

use crate::context::Context;
use crate::limits::Limits;
use crate::mailbox::start_alone;
use crate::metrics::{Metrics, state::DatabaseFiles};
use crate::vital::Vitals;
use database::{Database, Reply};
use files::Files;
use level::Tables;
use recover::{InUse, recover};

pub use backup::{BackupError, Repaired, backup, repair, restore};
pub use check::{check, is_unfinished, known};
pub use copies::copies;
pub use cursor::{Cursor, InvalidCursor, PageRequest};
pub use error::StoreError;
pub use record::{EnrollmentKey, EnrollmentRecord, FoundThread, ThreadRecord, ThreadSettings, TurnRecord};
pub use users::users;

/// How long the end of another program's write may go unnoticed.
const LOCK_RETRY: Duration = Duration::from_millis(10);

/// How long nothing is written before the log is written into the database and made short.
const IDLE: Duration = Duration::from_secs(10);

/// A request to the Store, implemented by the types in [`messages`] only.
pub trait Question: Send + 'static {
    /// The type of the answer.
    type Answer: Send + 'static;
    /// Whether the request changes the database. Its answer then waits until the change is on disk.
    const WRITES: bool;

    #[doc(hidden)]
    fn run(self, db: &mut SqliteConnection) -> QueryResult<Self::Answer>;
}

/// The actor, created by `Store::open`. It ends with its thread when its last address is dropped.
pub struct Store {
    /// `None` once it is closed.
    database: Option<Database>,
    mailbox_messages: usize,
    commit_is_due: bool,
    /// Since when writes wait for another program.
    waiting_since: Option<Instant>,
    /// When something was written last; `None` when everything is tidy since.
    written_at: Option<Instant>,
    /// `None` if no other process can open the database.
    _in_use: Option<InUse>,
    tables: Tables,
}

impl Store {
    /// Opens the database, creating it if needed, marks turns of killed processes as interrupted, and starts the actor
    /// on an arbiter of its own. Blocks the caller for some milliseconds, or for up to five seconds while another
    /// program holds the file's lock.
    ///
    /// Share the `Arc`. Each clone of the `Addr` would add a slot to the mailbox and defeat its bound.
    ///
    /// # Errors
    /// The file cannot be created, or it is locked, read-only, damaged, or of a newer version.
    ///
    /// # Panics
    /// Panics outside an actix system.
    pub fn open(
        path: &Path,
        limits: &Limits,
        metrics: &Arc<Metrics>,
        vitals: &Vitals,
    ) -> Result<Arc<Addr<Self>>, StoreError> {
        let mut connection = open::open(path, sqlite::BUSY_TIMEOUT)?;
        copies::remove_old(path, limits.database_copies);
        let in_use = recover(&mut connection, path);
        let database = Database::new(connection, path.into(), Some(Files::at(path)), metrics.clone());
        Ok(Self::start(database, Some(in_use), Tables::Threads, limits, vitals))
    }

    /// Like [`Self::open`], for the accounts, servers and devices of a relay.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn open_relay(path: &Path, limits: &Limits, vitals: &Vitals) -> Result<Arc<Addr<Self>>, StoreError> {
        let connection = open::open_with(path, sqlite::BUSY_TIMEOUT, Tables::Relay)?;
        copies::remove_old(path, limits.database_copies);
        // A relay's figures are not read yet.
        let database = Database::new(connection, path.into(), Some(Files::at(path)), Arc::default());
        Ok(Self::start(database, None, Tables::Relay, limits, vitals))
    }

    /// Like [`Self::open`], but in memory; all data is lost when the actor ends.
    ///
    /// # Errors
    /// SQLite is out of memory.
    pub fn in_memory(limits: &Limits, metrics: &Arc<Metrics>, vitals: &Vitals) -> Result<Arc<Addr<Self>>, StoreError> {
        let connection = open::in_memory(Tables::Threads)?;
        let database = Database::new(connection, PathBuf::from(":memory:"), None, metrics.clone());
        Ok(Self::start(database, None, Tables::Threads, limits, vitals))
    }

    fn start(
        database: Database,
        in_use: Option<InUse>,
        tables: Tables,
        limits: &Limits,
        vitals: &Vitals,
    ) -> Arc<Addr<Self>> {
        let mailbox_messages = limits.store_mailbox_messages;
        let store = Self {
            database: Some(database),
            mailbox_messages,
            commit_is_due: false,
            waiting_since: None,
            written_at: None,
            _in_use: in_use,
            tables,
        };
        start_alone(mailbox_messages, vitals.watch("store"), || store)
    }
}

impl Actor for Store {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Self::Context) {
        if let Some(database) = self.database.take() {
            database.close();
        }
    }
}

/// Sends a request to the Store at once, not when the future is first polled. What belongs together is one request: a
/// tuple of questions.
///
/// # Errors
/// [`StoreError::Busy`] at once if the mailbox is full; [`StoreError::Closed`] if the Store has ended; otherwise the
/// error of the database.
pub fn ask<Q: Question>(
    store: &Addr<Store>,
    question: Q,
) -> impl Future<Output = Result<Q::Answer, StoreError>> + use<Q> {
    let (reply, answer) = oneshot::channel();
    let handed_over = store.try_send(Asked { question, reply }).map_err(|e| match e {
        SendError::Full(_) => StoreError::Busy,
        SendError::Closed(_) => StoreError::Closed,
    });
    async move {
        handed_over?;
        answer.await.unwrap_or(Err(StoreError::Closed))
    }
}

/// Like [`ask`], but waits while the mailbox is full: for what a server must not lose because others ask much. Whoever
/// calls it must ask one question at a time, so that those that wait are as few as the callers.
///
/// # Errors
/// [`StoreError::Closed`] if the Store has ended; otherwise the error of the database.
pub async fn ask_patiently<Q: Question>(store: &Addr<Store>, question: Q) -> Result<Q::Answer, StoreError> {
    let (reply, answer) = oneshot::channel();
    store.send(Asked { question, reply }).await.map_err(|_| StoreError::Closed)?;
    answer.await.unwrap_or(Err(StoreError::Closed))
}

/// A request with its reply channel; sent by [`ask`] and [`ask_patiently`] only.
#[derive(Message)]
#[rtype(result = "()")]
struct Asked<Q: Question> {
    question: Q,
    reply: Reply<Q::Answer>,
}

impl<Q: Question> Handler<Asked<Q>> for Store {
    type Result = ();

    fn handle(&mut self, Asked { question, reply }: Asked<Q>, ctx: &mut Self::Context) {
        // Whoever asked may have gone away.
        let refuse = |reply: Reply<Q::Answer>, error| drop(reply.send(Err(error)));
        let Some(database) = &mut self.database else { return refuse(reply, StoreError::Closed) };
        if !Q::WRITES {
            return database.read(|db| question.run(db), reply);
        }
        if database.is_waiting() && database.held() >= self.mailbox_messages {
            return refuse(reply, StoreError::Busy);
        }
        database.write(|db| question.run(db), reply);
        if database.is_waiting() {
            self.wait_for_the_other_program(ctx);
        } else if database.held() >= self.mailbox_messages {
            // A mailbox that never runs empty must not delay the commit forever.
            database.commit();
        } else if !self.commit_is_due {
            self.commit_is_due = true;
            ctx.notify(Commit);
        }
        if self.written_at.replace(Instant::now()).is_none() {
            Self::tidy_when_idle(IDLE, ctx);
        }
    }
}

impl Store {
    /// Looks again and again whether the file is free, until everything that waits is written or was refused.
    fn wait_for_the_other_program(&mut self, ctx: &mut Context<Self>) {
        if self.waiting_since.is_none() {
            self.waiting_since = Some(Instant::now());
            Self::look_again(ctx);
        }
    }

    fn look_again(ctx: &mut Context<Self>) {
        ctx.run_later(LOCK_RETRY, |store, ctx| {
            let too_long = store.waiting_since.is_some_and(|since| since.elapsed() >= sqlite::BUSY_TIMEOUT);
            let Some(database) = &mut store.database else { return };
            database.retry(too_long);
            if database.is_waiting() {
                Self::look_again(ctx);
            } else {
                store.waiting_since = None;
            }
        });
    }

    /// Looks after `wait` whether nothing was written for long enough.
    fn tidy_when_idle(wait: Duration, ctx: &mut Context<Self>) {
        ctx.run_later(wait, |store, ctx| {
            let (Some(database), Some(written_at)) = (&mut store.database, store.written_at) else { return };
            let rest = IDLE.saturating_sub(written_at.elapsed());
            if rest.is_zero() {
                store.written_at = None;
                database.commit();
                database.tidy();
            } else {
                Self::tidy_when_idle(rest, ctx);
            }
        });
    }
}

/// Sent by the Store to itself and handled after the messages that are waiting now; at most one is pending.
#[derive(Message)]
#[rtype(result = "()")]
struct Commit;

impl Handler<Commit> for Store {
    type Result = ();

    fn handle(&mut self, _: Commit, _: &mut Self::Context) {
        self.commit_is_due = false;
        if let Some(database) = &mut self.database {
            database.commit();
        }
    }
}

/// Sent at the end of the server, when nobody asks any more: everything is written into the one file of the database,
/// and the files beside it are removed. The answer comes when that is done; questions after it are refused.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Close;

impl Handler<Close> for Store {
    type Result = ();

    fn handle(&mut self, _: Close, _: &mut Self::Context) {
        if let Some(database) = self.database.take() {
            database.close();
        }
    }
}

/// Sent by whoever wants to know whether the server is ready (`/readyz`): can changes be saved? The reason comes back
/// when they cannot. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), StoreError>")]
pub struct Health;

impl Handler<Health> for Store {
    type Result = Result<(), StoreError>;

    fn handle(&mut self, _: Health, _: &mut Self::Context) -> Self::Result {
        self.database.as_mut().map_or(Err(StoreError::Closed), Database::health)
    }
}

/// Sent by whoever looks at the metrics. The reply is where the database is and what waits for it, without the sizes of its
/// files. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "DatabaseFiles")]
pub struct MeasureStore;

impl Handler<MeasureStore> for Store {
    type Result = MessageResult<MeasureStore>;

    fn handle(&mut self, _: MeasureStore, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.database.as_mut().map(Database::measure).unwrap_or_default())
    }
}

/// Sent when the operator asks for a reload: when the files are no longer those that were opened, what is at the path
/// now is opened. The answer comes when that is done.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Reopen;

impl Handler<Reopen> for Store {
    type Result = ();

    fn handle(&mut self, _: Reopen, _: &mut Self::Context) {
        let Some(database) = &mut self.database else { return };
        let Some(path) = database.replaced() else { return };
        let metrics = database.metrics().clone();
        match open::open_with(&path, sqlite::BUSY_TIMEOUT, self.tables) {
            Ok(connection) => {
                log::warn!("opened what is at {} now; changes are saved again", path.display());
                let files = Files::at(&path);
                if let Some(old) = self.database.replace(Database::new(connection, path, Some(files), metrics)) {
                    old.close();
                }
            }
            Err(error) => log::error!("{error}"),
        }
    }
}
