//! Noticing that a walked tree is no longer what it was, without walking it again.
//!
//! A directory changes when an entry comes, goes or gets another name; so one look at each directory tells whether the
//! names below a root are still the same. Files that say what is to be ignored are looked at too.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The clock of a file system ticks this often at the slowest of those in use on local disks: a second change within one
/// tick cannot be told from the first.
const TICK: Duration = Duration::from_millis(50);

/// A path, and how it was found.
pub struct Stamp {
    path: PathBuf,
    what: What,
    found: Option<State>,
}

/// What about a path matters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Its content: the names in a directory, the text of a file.
    Content,
    /// Whether it is there at all, and the same.
    Presence,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    device: u64,
    inode: u64,
    directory: bool,
    /// Seconds and nanoseconds of the last change of the inode, which unlike the time of the last write cannot be set;
    /// 0 where only the presence matters.
    changed: (i64, i64),
}

impl Stamp {
    /// How `path` is now; links are followed.
    pub fn take(path: impl Into<PathBuf>, what: What) -> Self {
        let path = path.into();
        let found = look(&path, what);
        Self { path, what, found }
    }

    /// Whether it is there.
    pub fn is_present(&self) -> bool {
        self.found.is_some()
    }

    /// Whether it is still as it was found.
    pub fn is_current(&self) -> bool {
        look(&self.path, self.what) == self.found
    }

    /// Whether a change after `start` could go unnoticed, because it would look like the one before.
    pub fn is_unsettled(&self, start: SystemTime) -> bool {
        let Some(State { changed: (seconds, nanoseconds), .. }) = self.found else { return false };
        let since_epoch = start.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(TICK);
        let settled = (since_epoch.as_secs() as i64, i64::from(since_epoch.subsec_nanos()));
        self.what == What::Content && (seconds, nanoseconds) >= settled
    }

    /// Bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.path.capacity()
    }
}

fn look(path: &Path, what: What) -> Option<State> {
    let metadata: Metadata = path.metadata().ok()?;
    let changed = match what {
        What::Content => (metadata.ctime(), metadata.ctime_nsec()),
        What::Presence => (0, 0),
    };
    Some(State { device: metadata.dev(), inode: metadata.ino(), directory: metadata.is_dir(), changed })
}
