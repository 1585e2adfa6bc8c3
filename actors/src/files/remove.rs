//! `fs/remove`.

use std::ffi::CStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, openat, unlinkat};
use rustix::io::Errno;

use super::error::about;
use crate::protocol::RpcError;
use crate::protocol::fs::FsRemoveParams;
use crate::workers::Progress;

/// Maximum depth of removed directories: each level takes a file descriptor and some stack.
const DEEPEST: usize = 1024;

/// Removes a file, a link, or a directory. It goes on even if the client leaves, because half a directory is useless.
///
/// # Errors
/// -32603 with the error of the operating system.
pub fn remove(params: &FsRemoveParams, progress: &Progress) -> Result<(), RpcError> {
    let path = params.path.as_path();
    let removed = fs::symlink_metadata(path).and_then(|metadata| match metadata.is_dir() {
        false => fs::remove_file(path),
        true if params.recursive.unwrap_or(true) => tree(path, progress),
        true => fs::remove_dir(path),
    });
    match removed {
        Err(e) if e.kind() == ErrorKind::NotFound && params.force.unwrap_or(true) => Ok(()),
        removed => removed.map_err(about(&params.path)),
    }
}

fn tree(path: &Path, progress: &Progress) -> io::Result<()> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(path, flags, Mode::empty())?;
    content(directory.as_fd(), DEEPEST, progress)?;
    fs::remove_dir(path)
}

/// Empties a directory. All paths are relative to the open directory, so that nobody can insert a link and have
/// something else removed.
fn content(directory: BorrowedFd<'_>, deepest: usize, progress: &Progress) -> io::Result<()> {
    if deepest == 0 {
        return Err(io::Error::other(format!("the tree is deeper than {DEEPEST} directories")));
    }
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        progress.tick();
        match unlinkat(directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            // The errors of systems for a directory.
            Err(Errno::ISDIR | Errno::PERM) => subdirectory(directory, name, deepest - 1, progress)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn subdirectory(directory: BorrowedFd<'_>, name: &CStr, deepest: usize, progress: &Progress) -> io::Result<()> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    match openat(directory, name, flags, Mode::empty()) {
        Ok(inner) => content(inner.as_fd(), deepest, progress)?,
        // It is not a directory, so the removal of the file was refused.
        Err(Errno::NOTDIR | Errno::LOOP) => return Err(Errno::PERM.into()),
        // A directory that cannot be read may still be empty.
        Err(Errno::ACCESS) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(unlinkat(directory, name, AtFlags::REMOVEDIR)?)
}
