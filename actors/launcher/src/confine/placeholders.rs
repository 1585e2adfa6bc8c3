//! Empty directories that stand in for protected names that do not exist, so that a read-only one can be mounted there.
//!
//! The kernel mounts only on what exists, and takes a mount away when what it is on is removed. So the directory must be
//! on the host for as long as a command needs it. It is recognised by its time stamp, which changes with its content,
//! and by the lock that every launcher holds on it while its command runs: whoever gets the lock for itself alone
//! removes the directory. A launcher that was killed leaves it unlocked, for the next one that comes by.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, FlockOperation, Mode, OFlags, Timespec, Timestamps, flock, fstat, futimens, mkdirat, openat, statat,
    unlinkat,
};
use rustix::io::Errno;

use super::resolve::{Id, Pinned, resolve};

/// When the directory was last written, it says: the first of April 1970. No directory of anybody else's is that old.
const STAMP: Timespec = Timespec { tv_sec: 7_776_000, tv_nsec: 0 };

/// How often a directory is made anew that somebody removes at the same time.
const ATTEMPTS: usize = 100;

/// A directory that stands in for a protected name until this is cleared away.
#[derive(Debug)]
pub struct Placeholder {
    /// Where it is.
    pub path: PathBuf,
    /// Which one it is.
    pub id: Id,
    /// The directory that it is in.
    parent: OwnedFd,
    name: OsString,
    /// Holds the lock.
    own: OwnedFd,
}

impl Placeholder {
    /// Makes one at `name` in `parent`, or shares the one that is there. `None` where nobody like us can make anything
    /// of that name.
    pub fn at(parent: &Pinned, name: &str) -> io::Result<Option<Self>> {
        for _ in 0..ATTEMPTS {
            let made = match mkdirat(&parent.file, name, Mode::from_raw_mode(0o755)) {
                Ok(()) => true,
                Err(Errno::EXIST) => false,
                Err(Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::NOENT | Errno::NOTDIR) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            // It may be gone again already.
            let Ok(own) = open(&parent.file, name) else { continue };
            if made {
                futimens(&own, &Timestamps { last_access: STAMP, last_modification: STAMP })?;
            }
            // Whoever holds it for itself alone is about to remove it.
            if flock(&own, FlockOperation::NonBlockingLockShared).is_err() {
                std::thread::yield_now();
                continue;
            }
            if let Some(id) = is_at(&own, &parent.file, name) {
                let parent_file = parent.file.try_clone()?;
                return Ok(Some(Self {
                    path: parent.path.join(name),
                    id,
                    parent: parent_file,
                    name: name.into(),
                    own,
                }));
            }
        }
        Err(io::Error::other(format!("{} appears and vanishes", parent.path.join(name).display())))
    }

    /// Removes it, unless somebody else needs it or has put something in it.
    pub fn clear(self) {
        if flock(&self.own, FlockOperation::NonBlockingLockExclusive).is_ok()
            && is_stamped(&self.own)
            && is_at(&self.own, &self.parent, &self.name) == Some(self.id)
        {
            // What is not empty stays.
            let _ = unlinkat(&self.parent, &self.name, AtFlags::REMOVEDIR);
        }
    }
}

/// Whether the directory at `name` in `parent` is a placeholder, of whomever.
pub fn is_placeholder(parent: &OwnedFd, name: &str) -> bool {
    open(parent, name).is_ok_and(|own| is_stamped(&own) && is_empty(&own))
}

/// Removes the placeholders of `names` in `directories` that nobody needs any more.
pub fn sweep<'a>(directories: impl Iterator<Item = &'a Path>, names: &[&str]) {
    for directory in directories {
        let Some(parent) = resolve(directory).filter(Pinned::is_directory) else { continue };
        for name in names.iter().filter(|name| is_placeholder(&parent.file, name)) {
            if let Ok(Some(left)) = Placeholder::at(&parent, name) {
                left.clear();
            }
        }
    }
}

fn open(parent: &OwnedFd, name: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

fn is_stamped(directory: &OwnedFd) -> bool {
    fstat(directory).is_ok_and(|stat| stat.st_mtime == STAMP.tv_sec)
}

fn is_empty(directory: &OwnedFd) -> bool {
    let entries = rustix::fs::Dir::read_from(directory);
    entries.is_ok_and(|entries| {
        let mut names = entries.flatten().map(|entry| entry.file_name().to_bytes().to_vec());
        names.all(|name| name == b"." || name == b"..")
    })
}

/// The identity of `own`, if that is what `name` in `parent` is.
fn is_at(own: &OwnedFd, parent: impl AsFd, name: impl rustix::path::Arg) -> Option<Id> {
    let own = Id::of(&fstat(own).ok()?);
    let there = Id::of(&statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).ok()?);
    (own == there).then_some(own)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn place() -> (tempfile::TempDir, Pinned) {
        let kept = tempfile::tempdir().unwrap();
        let pinned = resolve(kept.path()).unwrap();
        (kept, pinned)
    }

    #[test]
    fn the_last_one_who_needs_it_removes_it() {
        let (_kept, parent) = place();
        let path = parent.path.join(".git");
        let first = Placeholder::at(&parent, ".git").unwrap().unwrap();
        let second = Placeholder::at(&parent, ".git").unwrap().unwrap();
        assert_eq!((&first.path, first.id), (&path, second.id));
        first.clear();
        assert!(path.is_dir());
        second.clear();
        assert!(!path.exists());
    }

    #[test]
    fn what_somebody_put_in_it_stays() {
        let (_kept, parent) = place();
        let placeholder = Placeholder::at(&parent, ".git").unwrap().unwrap();
        fs::write(placeholder.path.join("HEAD"), "").unwrap();
        let path = placeholder.path.clone();
        assert!(!is_placeholder(&parent.file, ".git"));
        placeholder.clear();
        assert!(path.join("HEAD").exists());
        fs::remove_file(path.join("HEAD")).unwrap();
        assert!(!is_placeholder(&parent.file, ".git"), "it has become somebody's own");
    }

    #[test]
    fn a_killed_launcher_leaves_what_the_next_one_removes() {
        let (_kept, parent) = place();
        let needed = Placeholder::at(&parent, ".codex").unwrap().unwrap();
        drop(Placeholder::at(&parent, ".git").unwrap().unwrap());
        fs::create_dir(parent.path.join(".agents")).unwrap();
        assert!(parent.path.join(".git").exists());
        sweep([parent.path.as_path()].into_iter(), &[".git", ".codex", ".agents"]);
        assert!(!parent.path.join(".git").exists());
        assert!(parent.path.join(".codex").exists(), "a command runs");
        assert!(parent.path.join(".agents").exists(), "somebody's own");
        needed.clear();
    }

    #[test]
    fn many_at_once_neither_fail_nor_leave_anything() {
        let (kept, parent) = place();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let parent = resolve(kept.path()).unwrap();
                    for _ in 0..100 {
                        let placeholder = Placeholder::at(&parent, ".git").unwrap().unwrap();
                        assert!(placeholder.path.is_dir());
                        placeholder.clear();
                    }
                });
            }
        });
        assert!(!parent.path.join(".git").exists());
    }
}
