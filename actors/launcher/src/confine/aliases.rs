//! Other paths of the same file: the same file system may be mounted at several places, as a whole or in part.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::resolve::{Id, resolve};

/// Bytes of the kernel's table of mounts, of which there are at most 100,000.
const MOST_BYTES: usize = 64 << 20;

/// What is mounted where.
pub struct Aliases(Vec<Mount>);

#[derive(Debug, PartialEq, Eq)]
struct Mount {
    /// Major and minor number of the device, as the kernel writes them.
    device: String,
    /// The directory of the file system that is shown.
    root: PathBuf,
    /// Where it is shown.
    place: PathBuf,
}

impl Aliases {
    /// As this process sees it.
    pub fn of_this_machine() -> io::Result<Self> {
        let table = plain_file::read(Path::new("/proc/self/mountinfo"), MOST_BYTES)?;
        Ok(Self(table.split(|byte| *byte == b'\n').filter_map(mount).collect()))
    }

    /// The other paths of what `path`, without symbolic links, names. Every path that comes back was looked at, and names
    /// the one of `id`.
    pub fn of(&self, path: &Path, id: Id) -> Vec<PathBuf> {
        let paths = self.candidates(path).into_iter();
        paths.filter(|path| resolve(path).is_some_and(|found| found.id == id && found.path == *path)).collect()
    }

    /// What lies below `path`, and is shown by itself somewhere else: where, and its path from there.
    pub fn below(&self, path: &Path) -> Vec<(PathBuf, PathBuf)> {
        let Some((device, inside)) = self.inside(path) else { return Vec::new() };
        let same = self.0.iter().filter(|mount| mount.device == device);
        let part = |mount: &Mount| Some((mount.place.clone(), mount.root.strip_prefix(&inside).ok()?.to_owned()));
        same.filter_map(part).filter(|(place, rest)| !place.starts_with(path) && !rest.as_os_str().is_empty()).collect()
    }

    fn candidates(&self, path: &Path) -> Vec<PathBuf> {
        let Some((device, inside)) = self.inside(path) else { return Vec::new() };
        let same = self.0.iter().filter(|mount| mount.device == device);
        // Joining nothing would put a slash behind a file.
        let alias = |mount: &Mount| {
            let rest = inside.strip_prefix(&mount.root).ok()?;
            Some(if rest.as_os_str().is_empty() { mount.place.clone() } else { mount.place.join(rest) })
        };
        same.filter_map(alias).filter(|alias| alias != path).collect()
    }

    /// The device that `path` is on, and its path in the file system there.
    fn inside(&self, path: &Path) -> Option<(&str, PathBuf)> {
        // The mount that the path is on: the innermost, and of several at the same place the last.
        let around = self.0.iter().filter(|mount| path.starts_with(&mount.place));
        let own = around.max_by_key(|mount| mount.place.components().count())?;
        Some((&own.device, own.root.join(path.strip_prefix(&own.place).ok()?)))
    }
}

/// Reads a line of `/proc/self/mountinfo`.
fn mount(line: &[u8]) -> Option<Mount> {
    let mut words = line.split(|byte| *byte == b' ').skip(2);
    let device = String::from_utf8(words.next()?.to_vec()).ok()?;
    Some(Mount { device, root: unescaped(words.next()?), place: unescaped(words.next()?) })
}

/// The kernel writes spaces and the like as `\` and three octal digits.
fn unescaped(word: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..3).filter(|_| *first == b'\\').and_then(|digits| std::str::from_utf8(digits).ok());
        match code.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[3..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_where_the_file_system_is_shown_counts() {
        let table = "\
            25 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            26 25 8:2 / /home rw - ext4 /dev/sda2 rw\n\
            27 25 8:2 /u /mnt/of\\040u rw - ext4 /dev/sda2 rw\n\
            28 25 8:2 /u/.codex/auth.json /run/secret rw - ext4 /dev/sda2 rw\n\
            29 25 8:2 /other /mnt/other rw - ext4 /dev/sda2 rw\n\
            30 25 8:1 / /mnt/base rw - ext4 /dev/sda1 rw";
        let aliases = Aliases(table.as_bytes().split(|byte| *byte == b'\n').filter_map(mount).collect());
        let found = aliases.candidates(Path::new("/home/u/.codex/auth.json"));
        assert_eq!(found, ["/mnt/of u/.codex/auth.json", "/run/secret"].map(PathBuf::from));
        assert_eq!(aliases.candidates(Path::new("/etc/x")), [PathBuf::from("/mnt/base/etc/x")]);
        let below = aliases.below(Path::new("/home/u/.codex"));
        assert_eq!(below, [(PathBuf::from("/run/secret"), PathBuf::from("auth.json"))]);
    }
}
