//! What everything that opens a database file shares.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StoreError;

/// The files of a database, as suffixes of its name.
pub(super) const FILES: [&str; 3] = ["", "-wal", "-shm"];

/// What is about to take the place of the database, as a suffix of its name. Where it lies and the database does not, a repair
/// or restore was killed before its last step.
pub(super) const UNFINISHED: &str = ".partial";

/// How long a request waits for another program that is writing to the same file.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The path with `suffix` appended to its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The name by which SQLite opens `path` with these parameters.
pub(super) fn uri(path: &Path, parameters: &str) -> Result<String, StoreError> {
    let name = path.to_str().ok_or_else(|| StoreError::Unusable {
        path: path.to_owned(),
        reason: "the path is not valid UTF-8".to_owned(),
    })?;
    let escaped = name.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    Ok(format!("file:{escaped}?{parameters}"))
}
