//! The copies that are kept from before the tables were brought up to date.

use std::fs;
use std::path::{Path, PathBuf};

use super::backup::numbered;

/// Behind the name of the database; the version of the migration that came first follows.
pub(super) const BEFORE: &str = ".before-";

/// The copies of the database at `path`, the oldest first, with their sizes in bytes.
pub fn copies(path: &Path) -> Vec<(PathBuf, u64)> {
    let size = |copy: &PathBuf| copy.metadata().map_or(0, |metadata| metadata.len());
    numbered(path, BEFORE).into_iter().map(|(copy, _)| (copy.clone(), size(&copy))).collect()
}

/// Removes all copies but the newest `kept`.
pub(super) fn remove_old(path: &Path, kept: usize) {
    let copies = copies(path);
    for (copy, _) in &copies[..copies.len().saturating_sub(kept)] {
        match fs::remove_file(copy) {
            Ok(()) => log::info!("{} is removed: newer copies of the database are kept", copy.display()),
            Err(error) => log::warn!("the old copy {} of the database cannot be removed: {error}", copy.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_copies_are_kept_and_nothing_else_is_touched() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app-server.sqlite");
        let all =
            ["before-20250101000000", "before-20260101000000", "before-20240101000000", "before-mine", "before-1.txt"];
        for name in all {
            fs::write(directory.path().join(format!("app-server.sqlite.{name}")), "data").unwrap();
        }
        remove_old(&path, 2);
        let left: Vec<bool> =
            all.iter().map(|it| directory.path().join(format!("app-server.sqlite.{it}")).exists()).collect();
        assert_eq!(left, [true, true, false, true, true]);
        assert_eq!(copies(&path).iter().map(|(_, bytes)| *bytes).collect::<Vec<_>>(), [4, 4]);
        remove_old(&path, 2);
        assert_eq!(copies(&path).len(), 2);
    }
}
