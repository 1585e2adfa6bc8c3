//! `fs/copy`.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use super::error::about;
use crate::protocol::RpcError;
use crate::protocol::fs::FsCopyParams;
use crate::protocol::path::AbsolutePath;

/// Copies a file, a link or a directory.
///
/// # Errors
/// -32600 with the reference program's texts for what cannot be copied; -32603 as the operating system says, with both
/// paths. What was copied before an error stays.
pub fn copy(params: &FsCopyParams) -> Result<(), RpcError> {
    let FsCopyParams { source_path: source, destination_path: destination, recursive } = params;
    let metadata = fs::symlink_metadata(source.as_path()).map_err(about(source))?;
    let refused = |reason: &str| RpcError::invalid_request(format!("{reason} (`{source}` to `{destination}`)"));
    let failed =
        |Failed { path, error }| RpcError::internal(format!("{source} to {destination}: {}: {error}", path.display()));
    if metadata.is_dir() {
        if !recursive {
            return Err(refused("fs/copy requires recursive: true when sourcePath is a directory"));
        }
        if is_inside(destination, source) {
            return Err(refused("fs/copy cannot copy a directory to itself or one of its descendants"));
        }
        return copy_tree(source.as_path(), destination.as_path()).map_err(failed);
    }
    if !metadata.is_file() && !metadata.is_symlink() {
        return Err(refused("fs/copy only supports regular files, directories, and symlinks"));
    }
    copy_entry(source.as_path(), &metadata, destination.as_path()).map_err(failed)
}

/// Where a copy failed, and why.
struct Failed {
    path: PathBuf,
    error: io::Error,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Failed {
    move |error| Failed { path: path.to_owned(), error }
}

/// Without recursion, because a tree can be deeper than a thread's stack. What is neither file nor directory nor link
/// is left out.
fn copy_tree(source: &Path, destination: &Path) -> Result<(), Failed> {
    let mut pending = vec![(source.to_owned(), destination.to_owned())];
    while let Some((source, destination)) = pending.pop() {
        fs::create_dir_all(&destination).map_err(at(&destination))?;
        for entry in fs::read_dir(&source).map_err(at(&source))? {
            let entry = entry.map_err(at(&source))?;
            let (from, to) = (entry.path(), destination.join(entry.file_name()));
            let metadata = entry.metadata().map_err(at(&from))?;
            if metadata.is_dir() {
                pending.push((from, to));
            } else {
                copy_entry(&from, &metadata, &to)?;
            }
        }
    }
    Ok(())
}

fn copy_entry(source: &Path, metadata: &Metadata, destination: &Path) -> Result<(), Failed> {
    if metadata.is_symlink() {
        let target = fs::read_link(source).map_err(at(source))?;
        return symlink(target, destination).map_err(at(destination));
    }
    if !metadata.is_file() {
        return Ok(());
    }
    match fs::metadata(destination) {
        // Copying a file onto itself would empty it.
        Ok(there) if (there.dev(), there.ino()) == (metadata.dev(), metadata.ino()) => return Ok(()),
        // Opening a pipe would wait for its reader.
        Ok(there) if !there.is_file() && !there.is_dir() => {
            return Err(at(destination)(io::Error::new(ErrorKind::InvalidInput, "not a regular file")));
        }
        _ => {}
    }
    // The system names neither path, and cannot say which of the two it means.
    fs::copy(source, destination).map(|_| ()).map_err(at(destination))
}

/// Whether `path` is `directory` or lies in it, links followed as far as `path` exists.
fn is_inside(path: &AbsolutePath, directory: &AbsolutePath) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = real(directory.as_path());
    // The part of the path that does not exist yet cannot lead anywhere else.
    path.as_path().ancestors().find(|path| path.exists()).is_some_and(|existing| real(existing).starts_with(&directory))
}
