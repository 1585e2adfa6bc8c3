//! Which files a database has open, and whether they are still those that others find at its path.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

#[cfg(target_os = "linux")]
use {
    super::open::LOG_BYTES,
    plain_file::Links,
    rustix::fs::{FallocateFlags, fallocate},
};

use super::sqlite::beside;

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

    /// Reserves room on the disk for the log beside `path`, without making the log longer.
    #[cfg(target_os = "linux")]
    pub(super) fn reserve_log(&self, path: &Path) -> io::Result<()> {
        if !self.are_at(path) {
            return Ok(());
        }
        // SQLite's locks are on the other two files, so closing this one releases none of them.
        let log = plain_file::open_to_write(&beside(path, "-wal"), Links::Refuse, 0o600)?;
        Ok(fallocate(&log, FallocateFlags::KEEP_SIZE, 0, LOG_BYTES)?)
    }

    /// Elsewhere there is no such reservation.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn reserve_log(&self, _: &Path) -> io::Result<()> {
        Ok(())
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
