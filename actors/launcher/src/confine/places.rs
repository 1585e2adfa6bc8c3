//! The directories in which confined commands could write at any time, remembered in `$CODEX_HOME`.
//!
//! A symbolic link in such a directory may be the work of a command, and so does not decide what the next one may write.
//! The projects among them are protected when a command may write around them. And what a killed launcher left behind
//! is found there.

use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use plain_file::Links;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// The file in `$CODEX_HOME`: one path a line, the oldest first.
const FILE: &str = "app-server-places";

/// Directories that are remembered; of more, those that are gone and the oldest are forgotten.
const MOST: usize = 256;

/// For the user alone.
const MODE: u32 = 0o600;

/// Bytes of the file that are read; it has fewer unless somebody else writes it.
const MOST_BYTES: usize = 2 * MOST * 4096;

/// What `home` remembers.
pub fn remembered(home: &Path) -> Vec<PathBuf> {
    let Ok(bytes) = plain_file::read(&home.join(FILE), MOST_BYTES) else { return Vec::new() };
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"/"));
    lines.map(|line| PathBuf::from(std::ffi::OsString::from_vec(line.to_vec()))).collect()
}

/// Remembers `places`, absolute paths, in `home` besides what is `known` there.
///
/// # Errors
/// Those of the file. A command must not run where it could write unnoticed.
pub fn remember<'a>(home: &Path, known: &[PathBuf], places: impl Iterator<Item = &'a Path>) -> io::Result<()> {
    // A name may hold a line break; nobody runs commands there by accident.
    let is_new =
        |place: &&Path| !known.iter().any(|known| known == place) && !place.as_os_str().as_bytes().contains(&b'\n');
    let new: Vec<&Path> = places.filter(is_new).collect();
    if new.is_empty() {
        return Ok(());
    }
    if known.len() + new.len() <= MOST {
        let mut file = plain_file::open_or_create(&home.join(FILE), Links::Refuse, MODE)?;
        // Other launchers write at the same time.
        fcntl_setfl(&file, fcntl_getfl(&file)? | OFlags::APPEND)?;
        return file.write_all(&lines(new.into_iter()));
    }
    let there: Vec<&Path> = known.iter().map(PathBuf::as_path).filter(|place| place.is_dir()).collect();
    let kept = there.into_iter().chain(new).collect::<Vec<_>>();
    let newest = &kept[kept.len().saturating_sub(MOST / 2)..];
    let draft = home.join(format!("{FILE}.{}", std::process::id()));
    let mut file = plain_file::open_to_write(&draft, Links::Refuse, MODE)?;
    file.write_all(&lines(newest.iter().copied()))?;
    fs::rename(draft, home.join(FILE))
}

fn lines<'a>(places: impl Iterator<Item = &'a Path>) -> Vec<u8> {
    places.flat_map(|place| [place.as_os_str().as_bytes(), b"\n"].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_remembered_once_and_in_order() {
        let home = tempfile::tempdir().unwrap();
        assert!(remembered(home.path()).is_empty());
        let add = |places: &[&str]| {
            let known = remembered(home.path());
            remember(home.path(), &known, places.iter().map(Path::new)).unwrap();
        };
        add(&["/a", "/b"]);
        add(&["/b", "/c", "/d\n/e"]);
        assert_eq!(remembered(home.path()), ["/a", "/b", "/c"].map(PathBuf::from));
    }

    #[test]
    fn the_list_does_not_grow_for_ever() {
        let home = tempfile::tempdir().unwrap();
        for number in 0..2 * MOST {
            let known = remembered(home.path());
            assert!(known.len() <= MOST);
            remember(home.path(), &known, [PathBuf::from(format!("/gone/{number}"))].iter().map(PathBuf::as_path))
                .unwrap();
        }
        let last = PathBuf::from(format!("/gone/{}", 2 * MOST - 1));
        assert_eq!(remembered(home.path()).last(), Some(&last));
    }
}
