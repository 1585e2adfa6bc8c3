//! Which files a database has open, and whether they are still those that others find at its path.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::open::beside;

/// What SQLite keeps beside the database while it is open. Without the log, what was written last is lost.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// The files of an open database: device and inode of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Files([Option<(u64, u64)>; 3]);

impl Files {
    /// Those at `path` and beside it.
    pub(super) fn at(path: &Path) -> Self {
        let [log, index] = BESIDE.map(|suffix| identity(&beside(path, suffix)));
        Self([identity(path), log, index])
    }

    /// Whether all of them are at `path`. A file that was deleted, moved or replaced still takes what is written to it,
    /// but nobody can find it again.
    pub(super) fn are_at(&self, path: &Path) -> bool {
        *self == Self::at(path)
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
