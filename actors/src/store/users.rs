//! Which processes use a thread database.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::sqlite::beside;

/// Where the system lists all locks.
const LOCKS: &str = "/proc/locks";

/// Most bytes of that list.
const LIST_BYTES: usize = 4 * 1024 * 1024;

/// The ids of all server processes that use the database at `path`: those that hold the shared lock beside it. Empty where
/// the system does not list locks.
pub fn users(path: &Path) -> Vec<u32> {
    let Ok(lock) = std::fs::metadata(beside(path, ".lock")) else { return Vec::new() };
    let locks = plain_file::read_to_string(Path::new(LOCKS), LIST_BYTES).unwrap_or_default();
    let mut users: Vec<u32> = locks.lines().filter_map(|line| holder(line, lock.ino())).collect();
    users.sort_unstable();
    users.dedup();
    users
}

/// The process that holds the lock of `line`, as in `7: FLOCK  ADVISORY  READ 4242 08:01:131 0 EOF`, if it is a shared
/// one on the file with this number.
fn holder(line: &str, file: u64) -> Option<u32> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, "FLOCK", _, "READ", process, place, ..] = words.as_slice() else { return None };
    let number: u64 = place.rsplit_once(':')?.1.parse().ok()?;
    process.parse().ok().filter(|process| *process > 0 && number == file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_shared_locks_on_the_file_itself_count() {
        assert_eq!(holder("7: FLOCK  ADVISORY  READ 4242 08:01:131 0 EOF", 131), Some(4242));
        for line in [
            "7: FLOCK  ADVISORY  READ 4242 08:01:132 0 EOF",
            "7: FLOCK  ADVISORY  WRITE 4242 08:01:131 0 EOF",
            "7: POSIX  ADVISORY  READ 4242 08:01:131 0 EOF",
            "7: -> FLOCK  ADVISORY  READ 4242 08:01:131 0 EOF",
            "7: FLOCK  ADVISORY  READ 0 08:01:131 0 EOF",
            "nonsense",
        ] {
            assert_eq!(holder(line, 131), None, "{line}");
        }
    }
}
