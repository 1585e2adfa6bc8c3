//! The SQLite connection and the open batch of writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use tokio::sync::oneshot;

use super::StoreError;

/// Receives the answer to a request. It may be gone; the request is carried out all the same.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// An answer that waits for the commit.
type Held = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// The SQLite connection and the open batch.
///
/// Writes share one transaction, each in a savepoint of its own, so that one flush to disk serves all of them and a
/// failed write does not affect the others. Their answers are held back until the commit has succeeded: what was
/// acknowledged is on disk (law 10). The statements are written out here instead of using diesel's transactions,
/// because SQLite may end a transaction by itself (disk full, I/O error), and the answers must reflect that.
pub(super) struct Database {
    connection: SqliteConnection,
    path: PathBuf,
    open: bool,
    held: Vec<Held>,
    /// Number of commits since the start.
    pub(super) commits: u64,
}

impl Database {
    /// Creates a database without an open batch.
    pub(super) fn new(connection: SqliteConnection, path: PathBuf) -> Self {
        Self { connection, path, open: false, held: Vec::new(), commits: 0 }
    }

    /// Number of answers that wait for the commit.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// Runs a read. Earlier writes are committed first, so that no client sees data that may still be lost.
    pub(super) fn read<T>(&mut self, run: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>, reply: Reply<T>) {
        self.commit();
        answer(reply, self.run(run));
    }

    /// Runs a write in the open batch. A failure is answered at once, success after [`Self::commit`].
    pub(super) fn write<T: Send + 'static>(
        &mut self,
        run: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>,
        reply: Reply<T>,
    ) {
        match self.run_in_savepoint(run) {
            Ok(value) => self.held.push(Box::new(move |committed| answer(reply, committed.map(|()| value)))),
            Err(error) => answer(reply, Err(error)),
        }
    }

    /// Commits the open batch, if there is one, and sends its answers.
    pub(super) fn commit(&mut self) {
        if !self.open {
            return;
        }
        match self.execute("COMMIT") {
            Ok(()) => {
                self.open = false;
                self.commits += 1;
                log::debug!("commit {} holds {} writes", self.commits, self.held.len());
                self.held.drain(..).for_each(|held| held(Ok(())));
            }
            Err(error) => self.abandon(&error),
        }
    }

    fn run_in_savepoint<T>(
        &mut self,
        run: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>,
    ) -> Result<T, StoreError> {
        if !self.open {
            self.execute("BEGIN IMMEDIATE")?;
            self.open = true;
        }
        let outcome = self.execute("SAVEPOINT one").and_then(|()| self.run(run));
        let closing = if outcome.is_ok() { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" };
        match (self.execute(closing), outcome) {
            (Ok(()), outcome) => outcome,
            // SQLite has rolled back the whole transaction; the first error is the cause.
            (Err(end), outcome) => {
                let cause = outcome.err().unwrap_or(end);
                self.abandon(&cause);
                Err(cause)
            }
        }
    }

    /// The batch is lost: answers all its writes with the cause.
    fn abandon(&mut self, cause: &StoreError) {
        log::error!("a batch of {} writes is lost: {cause}", self.held.len());
        // It fails if SQLite has rolled back already, which has the same effect.
        let _ = self.connection.batch_execute("ROLLBACK");
        self.open = false;
        self.held.drain(..).for_each(|held| held(Err(cause.clone())));
    }

    /// A panic must not end the Store and lose the answers that it holds (law 7).
    fn run<T>(&mut self, run: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>) -> Result<T, StoreError> {
        match catch_unwind(AssertUnwindSafe(|| run(&mut self.connection))) {
            Ok(outcome) => outcome.map_err(|e| StoreError::of(&self.path, &e)),
            Err(_) => Err(StoreError::Internal("the question panicked".into())),
        }
    }

    fn execute(&mut self, sql: &str) -> Result<(), StoreError> {
        self.connection.batch_execute(sql).map_err(|e| StoreError::of(&self.path, &e))
    }
}

fn answer<T>(reply: Reply<T>, outcome: Result<T, StoreError>) {
    // The sender may be gone; the request was carried out all the same.
    let _ = reply.send(outcome);
}
