//! The Store: threads, turns and items in SQLite.
//!
//! An actor on a thread of its own, where blocking is allowed. Other actors send it requests with [`ask`]; each request
//! is a struct in [`messages`]. It has no clock: times are part of the requests.

mod check;
mod cursor;
mod database;
mod enrollments;
mod error;
mod fork;
mod items;
mod list;
pub mod messages;
mod model_history;
mod open;
mod record;
mod recover;
mod revert;
mod row;
mod schema;
mod search;
#[cfg(test)]
mod tests;
mod threads;
mod turns;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix::dev::SendError;
use actix::prelude::*;
use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;
use tokio::sync::oneshot;

use crate::limits::Limits;
use crate::mailbox::{end_alone, start_alone};
use database::{Database, Reply};
use recover::{InUse, recover};

pub use check::check;
pub use cursor::{Cursor, InvalidCursor, PageRequest};
pub use error::StoreError;
pub use record::{EnrollmentKey, EnrollmentRecord, FoundThread, ThreadRecord, ThreadSettings, TurnRecord};

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
    database: Database,
    mailbox_messages: usize,
    commit_is_due: bool,
    /// `None` if no other process can open the database.
    _in_use: Option<InUse>,
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
    pub fn open(path: &Path, limits: &Limits) -> Result<Arc<Addr<Self>>, StoreError> {
        let mut connection = open::open(path, open::BUSY_TIMEOUT)?;
        let in_use = recover(&mut connection, path);
        Ok(Self::start(Database::new(connection, path.into()), Some(in_use), limits))
    }

    /// Like [`Self::open`], but in memory; all data is lost when the actor ends.
    ///
    /// # Errors
    /// SQLite is out of memory.
    pub fn in_memory(limits: &Limits) -> Result<Arc<Addr<Self>>, StoreError> {
        let connection = open::in_memory()?;
        Ok(Self::start(Database::new(connection, PathBuf::from(":memory:")), None, limits))
    }

    fn start(database: Database, in_use: Option<InUse>, limits: &Limits) -> Arc<Addr<Self>> {
        let mailbox_messages = limits.store_mailbox_messages;
        let store = Self { database, mailbox_messages, commit_is_due: false, _in_use: in_use };
        start_alone(mailbox_messages, || store)
    }
}

impl Actor for Store {
    type Context = Context<Self>;

    fn stopped(&mut self, _: &mut Self::Context) {
        self.database.commit();
        end_alone();
    }
}

/// Sends a request to the Store at once, not when the future is first polled.
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

/// A request with its reply channel; sent by [`ask`] only.
#[derive(Message)]
#[rtype(result = "()")]
struct Asked<Q: Question> {
    question: Q,
    reply: Reply<Q::Answer>,
}

impl<Q: Question> Handler<Asked<Q>> for Store {
    type Result = ();

    fn handle(&mut self, Asked { question, reply }: Asked<Q>, ctx: &mut Self::Context) {
        if !Q::WRITES {
            return self.database.read(|db| question.run(db), reply);
        }
        self.database.write(|db| question.run(db), reply);
        if self.database.held() >= self.mailbox_messages {
            // A mailbox that never runs empty must not delay the commit forever.
            self.database.commit();
        } else if !self.commit_is_due {
            self.commit_is_due = true;
            ctx.notify(Commit);
        }
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
        self.database.commit();
    }
}
