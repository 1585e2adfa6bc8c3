//! Where a relay keeps what it knows.

use std::{fs, io, os::unix::fs::DirBuilderExt as _, path::Path};

/// The directory below `$CODEX_HOME`.
pub const DIRECTORY: &str = "relay";

/// Makes it, closed to others.
///
/// # Errors
/// It cannot be made.
pub fn make(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}
