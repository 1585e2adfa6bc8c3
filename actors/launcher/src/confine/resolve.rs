//! Following a path to what it names, and noticing when it names something else later.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, openat, readlinkat};
use rustix::io::Errno;

/// Symbolic links in one path, as the kernel has it.
const MOST_LINKS: usize = 40;

/// Which file or directory it is, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id {
    device: u64,
    inode: u64,
}

impl Id {
    /// Of what `stat` describes.
    pub fn of(stat: &Stat) -> Self {
        Self { device: stat.st_dev, inode: stat.st_ino }
    }
}

/// What a path named when it was looked at.
#[derive(Debug)]
pub struct Pinned {
    /// Its path without symbolic links.
    pub path: PathBuf,
    /// Which one it is.
    pub id: Id,
    /// What kind of file it is.
    pub kind: FileType,
    /// The symbolic links that led there, by their own paths.
    pub links: Vec<PathBuf>,
    /// Refers to it, and to nothing that takes its place.
    pub file: OwnedFd,
}

impl Pinned {
    /// It is a directory.
    pub fn is_directory(&self) -> bool {
        self.kind == FileType::Directory
    }
}

/// Follows the absolute `path`. `None` where nothing is there, or where nobody may look.
pub fn resolve(path: &Path) -> Option<Pinned> {
    let root = || open(CWD, OsStr::new("/")).ok();
    let (mut at, mut file, mut links) = (PathBuf::from("/"), root()?, Vec::new());
    let mut ahead = reversed(path);
    while let Some(name) = ahead.pop() {
        let next = open(&file, &name).ok()?;
        if name == ".." {
            at.pop();
            file = next;
            continue;
        }
        if kind(&fstat(&next).ok()?) != FileType::Symlink {
            at.push(name);
            file = next;
            continue;
        }
        links.push(at.join(name));
        if links.len() > MOST_LINKS {
            return None;
        }
        let target = readlinkat(&next, c"", Vec::new()).ok()?.into_bytes();
        let target = PathBuf::from(OsString::from_vec(target));
        if target.is_absolute() {
            (at, file) = (PathBuf::from("/"), root()?);
        }
        ahead.extend(reversed(&target));
    }
    let stat = fstat(&file).ok()?;
    Some(Pinned { path: at, id: Id::of(&stat), kind: kind(&stat), links, file })
}

/// Opens the absolute `path`, which must have no symbolic links, and must be the one that `id` says. Name by name, because a
/// service manager may forbid `openat2` (`RestrictSUIDSGID=` of systemd does).
pub fn open_same(path: &Path, id: Option<Id>) -> io::Result<OwnedFd> {
    let mut file = open(CWD, OsStr::new("/"))?;
    for name in reversed(path).iter().rev() {
        file = open(&file, name)?;
        if kind(&fstat(&file)?) == FileType::Symlink {
            return Err(Errno::LOOP.into());
        }
    }
    if id.is_some_and(|id| fstat(&file).map(|stat| Id::of(&stat)) != Ok(id)) {
        return Err(io::Error::other(format!("{} was exchanged while the sandbox was made", path.display())));
    }
    Ok(file)
}

/// The kind of file that `stat` describes.
pub fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

fn open(directory: impl AsFd, name: &OsStr) -> rustix::io::Result<OwnedFd> {
    openat(directory, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

/// The names of `path`, the first one last.
fn reversed(path: &Path) -> Vec<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().rev().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_link_on_the_way_is_told() {
        let kept = tempfile::tempdir().unwrap();
        let root = kept.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("real/below")).unwrap();
        symlink("real", root.join("one")).unwrap();
        symlink(root.join("one"), root.join("two")).unwrap();
        let pinned = resolve(&root.join("two/below/../below/.")).unwrap();
        assert_eq!(pinned.path, root.join("real/below"));
        assert_eq!(pinned.links, [root.join("two"), root.join("one")]);
        assert!(pinned.is_directory());
        assert!(resolve(&root.join("real/not-there")).is_none());
        symlink("circle", root.join("circle")).unwrap();
        assert!(resolve(&root.join("circle")).is_none());
    }

    #[test]
    fn another_one_in_its_place_is_noticed() {
        let kept = tempfile::tempdir().unwrap();
        let root = kept.path().canonicalize().unwrap();
        let place = root.join("place");
        fs::create_dir(&place).unwrap();
        let pinned = resolve(&place).unwrap();
        assert!(open_same(&place, Some(pinned.id)).is_ok());
        fs::rename(&place, root.join("moved")).unwrap();
        fs::create_dir(&place).unwrap();
        assert!(open_same(&place, Some(pinned.id)).is_err());
        fs::remove_dir(&place).unwrap();
        symlink("moved", &place).unwrap();
        assert!(open_same(&place, Some(pinned.id)).is_err(), "not even the same one through a link");
    }
}
