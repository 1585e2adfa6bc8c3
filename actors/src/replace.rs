//! Replaces a file atomically: readers see the old or the new content, even after a crash.

use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, Gid, Uid};
use rustix::io::Errno;

/// Maximum number of symbolic links that are followed in a row; the same as Linux.
const LINKS: usize = 40;

/// Prefix of the names of temporary files that are about to replace others.
const TEMPORARY: &str = ".codex-app-server-";

/// Whether `path` is a temporary file of a replacement, which is not reported to clients.
pub fn is_temporary(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes()))
}

/// Permissions of the new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those of the old file; for a new file the default of the process, normally 0644.
    Kept,
    /// Owner only (0600), whatever they were before.
    Private,
}

/// Replaces the content of the file at `path`. For a symbolic link, its target is replaced; other hard links keep the
/// old content. On return the content is on disk.
///
/// # Errors
/// The directory does not exist, the path is not a regular file, writing is not permitted, or the disk fails. The file
/// is then unchanged.
pub fn replace(path: &Path, content: &[u8], mode: Mode) -> io::Result<()> {
    let target = destination(path)?;
    let directory = target.parent().ok_or(Errno::ISDIR)?;
    if !directory.metadata()?.is_dir() {
        return Err(Errno::NOTDIR.into());
    }
    let existing = existing(&target)?;
    let bits = if mode == Mode::Private { 0o600 } else { 0o666 };
    let mut temporary =
        tempfile::Builder::new().prefix(TEMPORARY).permissions(Permissions::from_mode(bits)).tempfile_in(directory)?;
    temporary.write_all(content)?;
    if let Some(existing) = existing {
        keep_owner(temporary.as_file(), &existing);
        if mode == Mode::Kept {
            temporary.as_file().set_permissions(Permissions::from_mode(existing.mode() & 0o7777))?;
        }
    }
    temporary.as_file().sync_all()?;
    temporary.persist(&target).map_err(|e| e.error)?;
    plain_file::open_directory(directory)?.sync_all()
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

/// The file at `target` if it may be replaced. A write-protected file is refused although its directory would allow the
/// replacement, because the protection is meant to prevent changes.
fn existing(target: &Path) -> io::Result<Option<Metadata>> {
    let metadata = match fs::symlink_metadata(target) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    if metadata.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file"));
    }
    rustix::fs::access(target, Access::WRITE_OK)?;
    Ok(Some(metadata))
}

/// Only the superuser may change the owner of files, and only the superuser writes files of other users.
fn keep_owner(file: &File, existing: &Metadata) {
    let (owner, group) = (Uid::from_raw(existing.uid()), Gid::from_raw(existing.gid()));
    if let Err(error) = rustix::fs::fchown(file, Some(owner), Some(group)) {
        log::debug!("a replaced file keeps the owner of this process: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o7777
    }

    #[test]
    fn the_mode_is_kept_or_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        replace(&path, b"one", Mode::Kept).unwrap();
        let ordinary = File::create(dir.path().join("other")).unwrap().metadata().unwrap().mode() & 0o7777;
        assert_eq!(mode(&path), ordinary);
        fs::set_permissions(&path, Permissions::from_mode(0o750)).unwrap();
        replace(&path, b"two", Mode::Kept).unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap().as_slice()), (0o750, b"two".as_slice()));
        replace(&path, b"three", Mode::Private).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing temporary is left");
    }

    #[test]
    fn a_link_stays_and_its_target_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        symlink("second", path("first")).unwrap();
        symlink("file", path("second")).unwrap();
        for content in ["made", "replaced"] {
            replace(&path("first"), content.as_bytes(), Mode::Kept).unwrap();
            assert_eq!(fs::read_to_string(path("file")).unwrap(), content);
        }
        assert!(path("first").is_symlink() && path("second").is_symlink());
        symlink("loop", path("loop")).unwrap();
        assert_eq!(
            replace(&path("loop"), b"", Mode::Kept).unwrap_err().raw_os_error(),
            Some(Errno::LOOP.raw_os_error())
        );
    }

    #[test]
    fn what_is_no_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let error = |path: &Path| replace(path, b"", Mode::Kept).unwrap_err();
        assert_eq!(error(dir.path()).kind(), ErrorKind::IsADirectory);
        assert_eq!(error(Path::new("/")).kind(), ErrorKind::IsADirectory);
        assert_eq!(error(Path::new("/dev/null")).to_string(), "not a regular file");
        assert_eq!(error(&dir.path().join("no/such")).kind(), ErrorKind::NotFound);
        File::create(dir.path().join("file")).unwrap();
        assert_eq!(error(&dir.path().join("file/x")).kind(), ErrorKind::NotADirectory);
    }
}
