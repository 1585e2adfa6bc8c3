//! Errors of the database, with texts that say what to do.

use std::error::Error;
use std::path::{Path, PathBuf};

use crate::protocol::RpcError;

/// Why a request to the database failed, or why the database could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The mailbox is full; nothing was done.
    #[error("the database is busy; retry later")]
    Busy,
    /// The Store has ended; whether the request was carried out is unknown.
    #[error("the database is closed")]
    Closed,
    /// Another program has held the write lock for longer than the busy timeout.
    #[error("the database {} is locked by another program; try again, or end that program", .0.display())]
    Locked(PathBuf),
    /// The file or its file system is read-only.
    #[error("the database {} is read-only; make the file and its directory writable", .0.display())]
    ReadOnly(PathBuf),
    /// The disk is full.
    #[error("the disk of the database {} is full; make room, then try again", .0.display())]
    Full(PathBuf),
    /// The files were deleted, moved or replaced while they were open.
    #[error(
        "the database {file} is no longer the one that this server opened: it, or {file}-wal or {file}-shm beside \
         it, was deleted, moved or replaced, so nothing is saved; restart the server or send it SIGHUP to open what is \
         there now",
        file = .0.display()
    )]
    Replaced(PathBuf),
    /// The system failed to read or write the file.
    #[error("the disk of the database {} failed ({reason}); look at the system's log", path.display())]
    Disk {
        /// Path of the file.
        path: PathBuf,
        /// SQLite's message.
        reason: String,
    },
    /// The file is not an intact database.
    #[error(
        "the database {file} is damaged ({reason}); end every server, move it away with {file}-wal and \
         {file}-shm, restore a backup if you have one (of threads with `codex-app-server restore FILE`), then start again",
        file = path.display()
    )]
    Damaged {
        /// Path of the file.
        path: PathBuf,
        /// SQLite's message.
        reason: String,
    },
    /// The tables were changed by a newer version of this program.
    #[error(
        "the database {} was written by a newer version of this program; start that version, or set \
         CODEX_HOME to another directory",
        .0.display()
    )]
    Newer(PathBuf),
    /// A repair or restore was killed before its last step.
    #[error(
        "the database {} is missing, because a repair or restore was interrupted; bring it to its end with \
         `codex-app-server doctor --repair`",
        .0.display()
    )]
    Unfinished(PathBuf),
    /// The tables are of an older version, and were not brought up to date because no copy could be kept.
    #[error(
        "the database {} is of an older version, and is changed only after a copy was kept, which failed: {reason}; \
         make room on its disk, then start again",
        path.display()
    )]
    NotKept {
        /// Path of the file.
        path: PathBuf,
        /// Why there is no copy.
        reason: String,
    },
    /// The file cannot be opened or created.
    #[error("the database {} cannot be opened: {reason}; check the path and its permissions", path.display())]
    Unusable {
        /// Path of the file.
        path: PathBuf,
        /// The message of SQLite or the operating system.
        reason: String,
    },
    /// Any other error; a bug in this program.
    #[error("the database failed: {0}")]
    Internal(String),
}

impl StoreError {
    /// The error for the client whose request failed: -32001 if the queue is full, otherwise -32603 with the reason.
    pub(crate) fn refusal(&self) -> RpcError {
        if *self == Self::Busy {
            return RpcError::overloaded();
        }
        // The store itself logs what lasts, once.
        if !self.is_lasting() {
            log::error!("{self}");
        }
        RpcError::internal(self.to_string())
    }

    /// Whether the next change will most probably fail for the same reason. The store logs such an error once.
    pub(crate) fn is_lasting(&self) -> bool {
        matches!(self, Self::Full(_) | Self::ReadOnly(_) | Self::Replaced(_) | Self::Disk { .. } | Self::Damaged { .. })
    }

    /// Classifies an SQLite error by its text, because diesel gives most of them the same kind.
    pub(super) fn of(path: &Path, error: &(dyn Error + 'static)) -> Self {
        let path = path.to_owned();
        let reason = error.to_string();
        let says = |words: &str| reason.contains(words);
        if says("is locked") {
            Self::Locked(path)
        } else if says("readonly database") {
            Self::ReadOnly(path)
        } else if says("disk is full") {
            Self::Full(path)
        } else if says("is not a database") || says("is malformed") || says("malformed database") {
            Self::Damaged { path, reason }
        } else if says("disk I/O error") {
            Self::Disk { path, reason }
        } else if says("unable to open") {
            Self::Unusable { path, reason }
        } else {
            Self::Internal(reason)
        }
    }
}
