//! Detects changes of a walked tree without walking it again.
//!
//! A directory changes when an entry is added, removed or renamed. So one check per directory tells whether the names
//! below a root are still the same. Ignore files are checked, too.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Coarsest clock tick of common local file systems. A second change within one tick looks like the first.
const TICK: Duration = Duration::from_millis(50);

/// The same for file systems without fractions of a second; the coarsest of them count every second second.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// A path and its state.
pub struct Stamp {
    path: PathBuf,
    what: What,
    found: Option<State>,
}

/// What matters about a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Its content: the names in a directory, or the text of a file.
    Content,
    /// Whether it exists and is the same file.
    Presence,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    device: u64,
    inode: u64,
    directory: bool,
    /// Seconds and nanoseconds of the last change of the inode, which, unlike the time of the last write, cannot be
    /// set; 0 if only the existence matters.
    changed: (i64, i64),
}

impl Stamp {
    /// The current state of `path`; links are followed.
    pub fn take(path: impl Into<PathBuf>, what: What) -> Self {
        let path = path.into();
        let found = look(&path, what);
        Self { path, what, found }
    }

    /// Whether it exists.
    pub fn is_present(&self) -> bool {
        self.found.is_some()
    }

    /// Whether it is unchanged.
    pub fn is_current(&self) -> bool {
        look(&self.path, self.what) == self.found
    }

    /// Whether a change after `start` could go unnoticed because it falls into the same tick as the last one.
    pub fn is_unsettled(&self, start: SystemTime) -> bool {
        let Some(State { changed: (seconds, nanoseconds), .. }) = self.found else { return false };
        let tick = if nanoseconds == 0 { COARSE_TICK } else { TICK };
        let since_epoch = start.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(tick);
        let settled = (since_epoch.as_secs() as i64, i64::from(since_epoch.subsec_nanos()));
        self.what == What::Content && (seconds, nanoseconds) >= settled
    }

    /// Size in memory, in bytes.
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
