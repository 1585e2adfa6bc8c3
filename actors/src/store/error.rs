//! What can go wrong with the database, in words that say what to do.

use std::error::Error;
use std::path::{Path, PathBuf};

/// Why a question to the thread database has no answer, or why the database was not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The mailbox is full; nothing was done.
    #[error("the thread database is busy; retry later")]
    Busy,
    /// The Store has stopped; whether the question was carried out is not known.
    #[error("the thread database is closed")]
    Closed,
    /// Another program holds the write lock for longer than the busy timeout.
    #[error("the thread database {} is locked by another program; try again, or end that program", .0.display())]
    Locked(PathBuf),
    /// The file or its file system cannot be written.
    #[error("the thread database {} is read-only; make the file and its directory writable", .0.display())]
    ReadOnly(PathBuf),
    /// No space is left.
    #[error("the disk of the thread database {} is full; make room, then try again", .0.display())]
    Full(PathBuf),
    /// What is in the file is no intact database.
    #[error(
        "the thread database {} is damaged ({reason}); move it away or restore a backup, then start again",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's words.
        reason: String,
    },
    /// A later version of this program has changed the tables.
    #[error(
        "the thread database {} was written by a newer version of this program; start that version, or set \
         CODEX_HOME to another directory",
        .0.display()
    )]
    Newer(PathBuf),
    /// The file cannot be opened or created.
    #[error("the thread database {} cannot be opened: {reason}; check the path and its permissions", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The words of SQLite or of the operating system.
        reason: String,
    },
    /// Anything else; a fault of this program.
    #[error("the thread database failed: {0}")]
    Internal(String),
}

impl StoreError {
    /// Sorts an error of SQLite by its text: diesel gives most of them the same kind.
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
        } else if says("unable to open") {
            Self::Unusable { path, reason }
        } else {
            Self::Internal(reason)
        }
    }
}
