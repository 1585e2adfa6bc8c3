//! Giving a file a new content as a whole: readers see the old content or the new one, also after a crash.
//!
//! A new file takes the place of the old one where nobody can tell the difference. Where it would have another owner or
//! mode, where other names lead to the old file, or where the directory allows no new file, the old one is written over
//! instead, as an editor does.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use plain_file::Links;
use rustix::fs::{Access, FallocateFlags, Gid, Uid, fallocate};
use rustix::io::Errno;

/// Maximum number of symbolic links that are followed in a row; the same as Linux.
const LINKS: usize = 40;

/// Prefix of the names of temporary files that are about to replace others.
pub const TEMPORARY: &str = ".codex-app-server-";

/// Whether `path` is a temporary file of a replacement, which is not reported to clients.
pub fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes()))
}

/// Who may read and write a file that was not there before. One that was keeps its owner and its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewFile {
    /// As the process gives new files, normally 0644.
    Ordinary,
    /// The owner alone: 0600.
    Private,
}

/// Makes `content` all that the file at `path` holds. A symbolic link stays, and what it leads to changes. On return
/// the content is on disk.
///
/// # Errors
/// There is no directory to hold it, it is no regular file, it may not be written, or the disk fails. The file is then
/// as it was, unless it had to be written over and the disk failed in the middle.
pub fn replace(path: &Path, content: &[u8], new: NewFile) -> io::Result<()> {
    let target = destination(path)?;
    let directory = target.parent().ok_or(Errno::ISDIR)?;
    if !directory.metadata()?.is_dir() {
        return Err(Errno::NOTDIR.into());
    }
    let Some(existing) = existing(&target)? else {
        let mode = if new == NewFile::Private { 0o600 } else { 0o666 };
        let file = draft(directory, content, mode)?;
        return persist(file, directory, &target);
    };
    if existing.file_type().is_char_device() {
        return Ok(());
    }
    if existing.nlink() == 1 {
        match exchange(directory, &target, content, &existing) {
            Ok(()) => return Ok(()),
            Err(error) if !is_refused(&error) => return Err(error),
            Err(error) => log::debug!("{} is written over, not replaced: {error}", target.display()),
        }
    }
    write_over(&target, content, existing.len())
}

/// Puts a new file, which nobody can tell from the old one, in its place.
fn exchange(directory: &Path, target: &Path, content: &[u8], existing: &Metadata) -> io::Result<()> {
    let file = draft(directory, content, 0o600)?;
    keep_owner(file.as_file(), existing)?;
    file.as_file().set_permissions(Permissions::from_mode(existing.mode() & 0o7777))?;
    persist(file, directory, target)
}

/// A file with this content beside the one whose place it will take.
fn draft(directory: &Path, content: &[u8], mode: u32) -> io::Result<tempfile::NamedTempFile> {
    let permissions = Permissions::from_mode(mode);
    let mut file = tempfile::Builder::new().prefix(TEMPORARY).permissions(permissions).tempfile_in(directory)?;
    file.write_all(content)?;
    Ok(file)
}

fn persist(file: tempfile::NamedTempFile, directory: &Path, target: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist(target).map_err(|e| e.error)?;
    plain_file::open_directory(directory)?.sync_all()
}

/// Only the superuser may give files away, and only they write the files of others.
fn keep_owner(file: &File, existing: &Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) == (existing.uid(), existing.gid()) {
        return Ok(());
    }
    Ok(rustix::fs::fchown(file, Some(Uid::from_raw(existing.uid())), Some(Gid::from_raw(existing.gid())))?)
}

/// Whether an error says that the file cannot be replaced, although it may well be written: no right in its directory,
/// a sticky directory, or a mount on its name.
fn is_refused(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(errno, Some(Errno::ACCESS | Errno::PERM | Errno::BUSY | Errno::XDEV | Errno::ROFS | Errno::INVAL))
}

fn write_over(target: &Path, content: &[u8], length: u64) -> io::Result<()> {
    let mut file = plain_file::open_to_write(target, Links::Refuse, 0o600)?;
    if content.len() as u64 > length {
        // A disk without room for it says so before anything is lost. Not every file system can tell.
        let reserved = fallocate(&file, FallocateFlags::empty(), 0, content.len() as u64);
        if let Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) = reserved {
            return Err(error.into());
        }
    }
    file.write_all(content)?;
    file.set_len(content.len() as u64)?;
    file.sync_all()
}

/// Follows symbolic links; the target need not exist.
fn destination(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&target) {
            Ok(next) => target = target.parent().unwrap_or(Path::new("/")).join(next),
            // Not a link, or missing.
            Err(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound) => return Ok(target),
            Err(e) => return Err(e),
        }
    }
    Err(Errno::LOOP.into())
}

/// What is at `target` now, if it may be written: a regular file, or the device that keeps nothing. A write-protected
/// file is refused although its directory would allow it: who protected it did not expect it to be written.
fn existing(target: &Path) -> io::Result<Option<Metadata>> {
    let metadata = match fs::symlink_metadata(target) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    if metadata.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    if !metadata.is_file() && !is_null(&metadata) {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    rustix::fs::access(target, Access::WRITE_OK)?;
    Ok(Some(metadata))
}

fn is_null(metadata: &Metadata) -> bool {
    metadata.file_type().is_char_device()
        && Path::new("/dev/null").metadata().is_ok_and(|null| null.rdev() == metadata.rdev())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o7777
    }

    fn inode(path: &Path) -> u64 {
        path.metadata().unwrap().ino()
    }

    #[test]
    fn a_mode_is_kept_and_a_new_file_gets_the_one_that_was_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        replace(&path, b"one", NewFile::Ordinary).unwrap();
        let ordinary = File::create(dir.path().join("other")).unwrap().metadata().unwrap().mode() & 0o7777;
        assert_eq!(mode(&path), ordinary);
        for (bits, new) in [(0o750, NewFile::Ordinary), (0o640, NewFile::Private)] {
            fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
            replace(&path, b"two", new).unwrap();
            assert_eq!((mode(&path), fs::read(&path).unwrap().as_slice()), (bits, b"two".as_slice()));
        }
        replace(&dir.path().join("private"), b"three", NewFile::Private).unwrap();
        assert_eq!(mode(&dir.path().join("private")), 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "nothing temporary is left");
    }

    #[test]
    fn a_link_stays_and_its_target_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        symlink("second", path("first")).unwrap();
        symlink("file", path("second")).unwrap();
        for content in ["made", "replaced"] {
            replace(&path("first"), content.as_bytes(), NewFile::Ordinary).unwrap();
            assert_eq!(fs::read_to_string(path("file")).unwrap(), content);
        }
        assert!(path("first").is_symlink() && path("second").is_symlink());
        symlink("loop", path("loop")).unwrap();
        assert_eq!(
            replace(&path("loop"), b"", NewFile::Ordinary).unwrap_err().raw_os_error(),
            Some(Errno::LOOP.raw_os_error())
        );
    }

    #[test]
    fn the_other_names_of_a_file_see_the_new_content_too() {
        let dir = tempfile::tempdir().unwrap();
        let [path, other] = ["file", "other"].map(|name| dir.path().join(name));
        fs::write(&path, "a longer content").unwrap();
        fs::hard_link(&path, &other).unwrap();
        for content in ["short", "and long again, longer than before"] {
            replace(&path, content.as_bytes(), NewFile::Ordinary).unwrap();
            assert_eq!(fs::read_to_string(&other).unwrap(), content);
        }
        assert_eq!(inode(&path), inode(&other));
    }

    #[test]
    fn what_keeps_nothing_takes_everything() {
        replace(Path::new("/dev/null"), b"content", NewFile::Ordinary).unwrap();
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let error = |path: &Path| replace(path, b"", NewFile::Ordinary).unwrap_err();
        assert_eq!(error(dir.path()).kind(), ErrorKind::IsADirectory);
        assert_eq!(error(Path::new("/")).kind(), ErrorKind::IsADirectory);
        assert_eq!(error(Path::new("/dev/zero")).to_string(), "not a regular file");
        assert_eq!(error(&dir.path().join("no/such")).kind(), ErrorKind::NotFound);
        File::create(dir.path().join("file")).unwrap();
        assert_eq!(error(&dir.path().join("file/x")).kind(), ErrorKind::NotADirectory);
    }
}
