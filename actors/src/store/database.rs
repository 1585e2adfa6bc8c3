//! The connection, the open batch of writes, and the writes that wait for another program.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use tokio::sync::oneshot;

use super::StoreError;
use super::files::Files;
use crate::metrics::{Metrics, state::DatabaseFiles};

/// Receives the answer to a request. It may be gone; the request is carried out all the same.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// An answer that waits for the commit.
type Held = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A write that waits for another program's: it is carried out, or refused with the reason.
type Waiting = Box<dyn FnOnce(&mut Database, Result<(), StoreError>) + Send>;

/// The SQLite connection and the open batch.
///
/// Writes share one transaction, each in a savepoint of its own, so that one flush to disk serves them all and one that
/// fails harms no other. Their answers are held until the commit has succeeded: what was acknowledged is on disk, in
/// the file that others find at the path (law 10). The statements are written out here, not left to diesel, because
/// SQLite may end a transaction by itself (disk full, I/O error) and the answers must follow what it did.
///
/// While another program writes to the file, nothing here waits: writes stand in line until [`Self::retry`] finds the
/// file free, and reads, which need no lock, pass them.
pub(super) struct Database {
    connection: SqliteConnection,
    path: PathBuf,
    /// `None` for a database in memory.
    files: Option<Files>,
    metrics: Arc<Metrics>,
    open: bool,
    held: Vec<Held>,
    waiting: Vec<Waiting>,
    /// Why nothing can be saved at present, as far as is known.
    fault: Option<StoreError>,
    /// Number of commits since the start.
    pub(super) commits: u64,
}

impl Database {
    /// A database without an open batch. `files` are those that `connection` has open.
    pub(super) fn new(
        connection: SqliteConnection,
        path: PathBuf,
        files: Option<Files>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let mut database = Self {
            connection,
            path,
            files,
            metrics,
            open: false,
            held: Vec::new(),
            waiting: Vec::new(),
            fault: None,
            commits: 0,
        };
        // SQLite would wait here with everybody who asks behind it.
        if let Err(error) = database.execute("PRAGMA busy_timeout = 0") {
            log::error!("{error}");
        }
        database.reserve_log();
        database
    }

    /// The path at which something else is now than what was opened.
    pub(super) fn replaced(&mut self) -> Option<PathBuf> {
        self.check_files().is_err().then(|| self.path.clone())
    }

    /// What it counts with.
    pub(super) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// For the metrics; the sizes of the files are measured elsewhere.
    pub(super) fn measure(&mut self) -> DatabaseFiles {
        let path = self.files.is_some().then(|| self.path.clone());
        DatabaseFiles { path, waiting: self.held(), healthy: self.health().is_ok(), sizes: None }
    }

    /// Answers that wait: for the commit, or for another program.
    pub(super) fn held(&self) -> usize {
        self.held.len() + self.waiting.len()
    }

    /// Whether writes wait for another program.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Runs a read. Earlier writes are committed first, so that no client sees data that may still be lost.
    pub(super) fn read<T>(&mut self, run: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>, reply: Reply<T>) {
        self.commit();
        answer(reply, self.run(run));
    }

    /// Runs a write as part of the open batch, or puts it in line behind those that wait for another program. A failure
    /// is answered at once, success after [`Self::commit`].
    pub(super) fn write<T: Send + 'static>(
        &mut self,
        run: impl FnOnce(&mut SqliteConnection) -> QueryResult<T> + Send + 'static,
        reply: Reply<T>,
    ) {
        let free = if self.is_waiting() { Err(StoreError::Locked(self.path.clone())) } else { self.begin() };
        let write = move |database: &mut Self, free: Result<(), StoreError>| match free
            .and_then(|()| database.run_in_savepoint(run))
        {
            Ok(value) => database.held.push(Box::new(move |committed| answer(reply, committed.map(|()| value)))),
            Err(error) => answer(reply, Err(error)),
        };
        match free {
            Err(StoreError::Locked(_)) => self.waiting.push(Box::new(write)),
            free => write(self, free),
        }
    }

    /// Carries out the writes that wait, if the file is free now. When it is not, and they have waited for `too_long`
    /// together, all of them are refused: one wait serves all that wait for the same thing.
    pub(super) fn retry(&mut self, too_long: bool) {
        let free = self.begin();
        if matches!(free, Err(StoreError::Locked(_))) && !too_long {
            return;
        }
        for write in std::mem::take(&mut self.waiting) {
            // SQLite may have given up the transaction that the writes before began.
            let free = if free.is_ok() { self.begin() } else { free.clone() };
            write(self, free);
        }
        self.commit();
    }

    /// Commits the open batch, if there is one, and sends its answers.
    pub(super) fn commit(&mut self) {
        if !self.open {
            return;
        }
        let since = Instant::now();
        match self.execute("COMMIT").and_then(|()| self.check_files()) {
            Ok(()) => {
                self.metrics.commits.record(since.elapsed());
                self.open = false;
                self.fault = None;
                self.commits += 1;
                log::debug!("commit {} holds {} writes", self.commits, self.held.len());
                self.held.drain(..).for_each(|held| held(Ok(())));
            }
            Err(error) => self.abandon(&error),
        }
    }

    /// Commits and closes. The last one to close a database writes its log into it and removes the files beside it.
    pub(super) fn close(mut self) {
        self.waiting
            .drain(..)
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|write| write(&mut self, Err(StoreError::Closed)));
        self.commit();
        if self.check_files().is_err() {
            // Closing would remove the files beside the one that is at the path now, and they are not ours.
            std::mem::forget(self.connection);
            return;
        }
        if let Err(error) = self.execute("PRAGMA wal_checkpoint(TRUNCATE)") {
            log::warn!("the log of the database was not written into it: {error}");
        }
    }

    /// Makes the file and its log as small as they can be, unless another program uses them.
    pub(super) fn tidy(&mut self) {
        if self.check_files().is_ok()
            && let Err(error) = self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        {
            log::debug!("the log of the database stays as long as it is: {error}");
        }
        self.reserve_log();
    }

    /// Reserves room for the log, so that threads can be deleted even when the disk is full: a deletion is first written
    /// to the log, too.
    fn reserve_log(&self) {
        if let Some(files) = &self.files
            && let Err(error) = files.reserve_log(&self.path)
        {
            log::debug!("no room is reserved for the log of the database: {error}");
        }
    }

    /// Begins a batch, unless one is open.
    fn begin(&mut self) -> Result<(), StoreError> {
        if !self.open {
            self.check_files()?;
            self.execute("BEGIN IMMEDIATE")?;
            self.open = true;
        }
        Ok(())
    }

    /// Whether what is written can be found again.
    fn check_files(&mut self) -> Result<(), StoreError> {
        match &self.files {
            Some(files) if !files.are_at(&self.path) => Err(self.noted(StoreError::Replaced(self.path.clone()))),
            _ => Ok(()),
        }
    }

    /// Remembers an error that keeps everything from being saved, and logs it once.
    fn noted(&mut self, error: StoreError) -> StoreError {
        if error.is_lasting() && self.fault.as_ref() != Some(&error) {
            log::error!("{error}");
            self.fault = Some(error.clone());
        }
        error
    }

    /// Whether changes can be saved. After a failure, one that changes nothing is tried.
    pub(super) fn health(&mut self) -> Result<(), StoreError> {
        self.commit();
        self.check_files()?;
        if self.fault.is_some() && !self.is_waiting() {
            self.begin()?;
            let tried = self.execute("PRAGMA user_version = 0");
            self.commit();
            tried?;
        }
        self.fault.clone().map_or(Ok(()), Err)
    }

    fn run_in_savepoint<T>(
        &mut self,
        run: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>,
    ) -> Result<T, StoreError> {
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
        log::debug!("a batch of {} writes is lost: {cause}", self.held.len());
        // It fails if SQLite has rolled back already, which has the same effect.
        let _ = self.connection.batch_execute("ROLLBACK");
        self.open = false;
        self.held.drain(..).for_each(|held| held(Err(cause.clone())));
        if matches!(cause, StoreError::Full(_)) {
            // The log is then used from its beginning again, which needs no more of the disk.
            let _ = self.connection.batch_execute("PRAGMA wal_checkpoint(RESTART)");
        }
    }

    /// A panic must not end the Store and lose the answers that it holds (law 7).
    fn run<T>(&mut self, run: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>) -> Result<T, StoreError> {
        let since = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| run(&mut self.connection)));
        self.metrics.queries.record(since.elapsed());
        match outcome {
            Ok(outcome) => outcome.map_err(|e| self.noted(StoreError::of(&self.path, &e))),
            Err(_) => Err(StoreError::Internal("the question panicked".into())),
        }
    }

    fn execute(&mut self, sql: &str) -> Result<(), StoreError> {
        self.connection.batch_execute(sql).map_err(|e| self.noted(StoreError::of(&self.path, &e)))
    }
}

fn answer<T>(reply: Reply<T>, outcome: Result<T, StoreError>) {
    // The sender may be gone; the request was carried out all the same.
    let _ = reply.send(outcome);
}
