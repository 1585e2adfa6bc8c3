//! Whether a server could write what its start writes.

use std::path::Path;

use app_server_actors::store::StoreError;

/// Bytes that opening a database writes at most, unless its tables change: its journal and its index of that.
const LEAST: u64 = 1024 * 1024;

/// Looks before a running server is told to end for this one: on a full disk it would have no successor.
///
/// # Errors
/// The disk of the database at `path` is full.
pub(super) fn check(path: &Path) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(path);
    let free = rustix::fs::statvfs(folder).ok().and_then(|disk| disk.f_bavail.checked_mul(disk.f_frsize));
    match free {
        Some(free) if free < LEAST => Err(StoreError::Full(path.to_owned())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_told_from_one_with_room() {
        let folder = tempfile::tempdir().unwrap();
        assert!(check(&folder.path().join("database")).is_ok());
        assert!(check(Path::new("/not/there")).is_ok(), "that has errors of its own");
        #[cfg(target_os = "linux")]
        assert!(matches!(check(Path::new("/proc/database")), Err(StoreError::Full(_))), "nothing can be written there");
    }
}
