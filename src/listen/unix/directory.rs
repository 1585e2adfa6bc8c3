//! Directories for sockets, in which no other user can replace our socket.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::Path,
};

use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
    process::geteuid,
};

use super::UnixSocketError;

const GROUP_OR_OTHERS_MAY_WRITE: u32 = 0o022;
/// In a sticky directory such as /tmp, only the owner of an entry can replace it.
const STICKY: u32 = 0o1000;

/// Makes `directory` private to this user: creates it, or restricts its mode. A symbolic link is refused, because its
/// owner could change its target later.
pub fn make_private(directory: &Path) -> Result<(), UnixSocketError> {
    create(directory)?;
    let about = |errno: Errno| UnixSocketError::about(directory)(errno.into());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = match rustix::fs::open(directory, flags, Mode::empty()) {
        Err(Errno::NOTDIR | Errno::LOOP) => return Err(UnixSocketError::NotADirectory(directory.to_owned())),
        opened => opened.map_err(about)?,
    };
    // Checked and changed through the open directory, so that it cannot be exchanged meanwhile.
    let stat = rustix::fs::fstat(&opened).map_err(about)?;
    if stat.st_uid != geteuid().as_raw() {
        return Err(UnixSocketError::UnsafeParent(directory.to_owned()));
    }
    if Mode::from_raw_mode(stat.st_mode) != Mode::RWXU {
        rustix::fs::fchmod(&opened, Mode::RWXU).map_err(about)?;
    }
    Ok(())
}

/// Checks that a socket is safe in `directory`, which the operator chose. If only its last component is missing, it is
/// created; an existing one keeps its mode.
pub fn accept(directory: &Path) -> Result<(), UnixSocketError> {
    create(directory)?;
    let metadata = fs::metadata(directory).map_err(UnixSocketError::about(directory))?;
    if !metadata.is_dir() {
        return Err(UnixSocketError::NotADirectory(directory.to_owned()));
    }
    let trusted_owner = metadata.uid() == 0 || metadata.uid() == geteuid().as_raw();
    let mode = metadata.mode();
    if trusted_owner && (mode & GROUP_OR_OTHERS_MAY_WRITE == 0 || mode & STICKY != 0) {
        Ok(())
    } else {
        Err(UnixSocketError::UnsafeParent(directory.to_owned()))
    }
}

fn create(directory: &Path) -> Result<(), UnixSocketError> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(UnixSocketError::about(directory)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_private_directory_is_created_or_tightened() {
        let dir = tempfile::tempdir().unwrap();
        let private = dir.path().join("control");
        make_private(&private).unwrap();
        assert_eq!(mode(&private), 0o700);
        chmod(&private, 0o755);
        make_private(&private).unwrap();
        assert_eq!(mode(&private), 0o700);
    }

    #[test]
    fn a_file_or_link_in_its_place_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "").unwrap();
        symlink(dir.path(), &link).unwrap();
        for (path, link) in [(file, ""), (link, " but a link")] {
            assert_eq!(
                make_private(&path).unwrap_err().to_string(),
                format!(
                    "socket directory path exists and is not a directory{link}: {}; move it away, and the server makes \
                     the directory",
                    path.display()
                )
            );
        }
    }

    #[test]
    fn a_chosen_directory_keeps_its_mode_and_must_be_safe() {
        let dir = tempfile::tempdir().unwrap();
        let chosen = dir.path().join("chosen");
        accept(&chosen).unwrap();
        assert_eq!(mode(&chosen), 0o700);
        for (bits, safe) in [(0o755, true), (0o1777, true), (0o777, false), (0o770, false), (0o702, false)] {
            chmod(&chosen, bits);
            assert_eq!(accept(&chosen).is_ok(), safe, "{bits:o}");
            assert_eq!(mode(&chosen), bits);
        }
    }

    #[test]
    fn grandparents_are_not_created() {
        let dir = tempfile::tempdir().unwrap();
        let error = accept(&dir.path().join("a/b")).unwrap_err().to_string();
        assert!(error.starts_with("No such file or directory (os error 2)"), "{error}");
    }
}
