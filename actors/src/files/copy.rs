//! `fs/copy`.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use plain_file::Links;

use super::error::about;
use crate::limits::Limits;
use crate::protocol::RpcError;
use crate::protocol::fs::FsCopyParams;
use crate::protocol::path::AbsolutePath;
use crate::workers::Progress;

/// Bytes that are copied between two checks that the client is still waiting.
const CHUNK: u64 = 1024 * 1024;

/// Copies a file, a link, or a directory. Ends early if the client is gone.
///
/// # Errors
/// -32600 for anything else, with the reference program's texts; -32603 for an error of the operating system, with both
/// paths. Files copied before an error remain.
pub fn copy(params: &FsCopyParams, limits: &Limits, progress: &Progress) -> Result<(), RpcError> {
    let FsCopyParams { source_path: source, destination_path: destination, recursive, .. } = params;
    let metadata = fs::symlink_metadata(source.as_path()).map_err(about(source))?;
    let refused = |reason: &str| RpcError::invalid_request(format_args!("{reason} (`{source}` to `{destination}`)"));
    let failed = |Failed { path, error }| {
        RpcError::internal(format_args!("{source} to {destination}: {}: {error}", path.display()))
    };
    let copier = Copier { surplus: limits.file_bytes as u64, progress };
    if metadata.is_dir() {
        if !recursive {
            return Err(refused("fs/copy requires recursive: true when sourcePath is a directory"));
        }
        if is_inside(destination, source) {
            return Err(refused("fs/copy cannot copy a directory to itself or one of its descendants"));
        }
        return copier.tree(source.as_path(), destination.as_path()).map_err(failed);
    }
    if !metadata.is_file() && !metadata.is_symlink() {
        return Err(refused("fs/copy only supports regular files, directories, and symlinks"));
    }
    copier.entry(source.as_path(), &metadata, destination.as_path()).map_err(failed)
}

/// Where a copy failed, and why.
struct Failed {
    path: PathBuf,
    error: io::Error,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Failed {
    move |error| Failed { path: path.to_owned(), error }
}

struct Copier<'a> {
    /// Bytes that a file may yield beyond its initial size: some files of `/proc` report 0 and yield gigabytes.
    surplus: u64,
    progress: &'a Progress,
}

impl Copier<'_> {
    /// Not recursive, because a tree can be deeper than a thread's stack. Anything but files, directories and links is
    /// left out.
    fn tree(&self, source: &Path, destination: &Path) -> Result<(), Failed> {
        let mut pending = vec![(source.to_owned(), destination.to_owned())];
        while let Some((source, destination)) = pending.pop() {
            fs::create_dir_all(&destination).map_err(at(&destination))?;
            for entry in fs::read_dir(&source).map_err(at(&source))? {
                let entry = entry.map_err(at(&source))?;
                let (from, to) = (entry.path(), destination.join(entry.file_name()));
                self.progress.step().map_err(at(&from))?;
                let metadata = entry.metadata().map_err(at(&from))?;
                if metadata.is_dir() {
                    pending.push((from, to));
                } else {
                    self.entry(&from, &metadata, &to)?;
                }
            }
        }
        Ok(())
    }

    fn entry(&self, source: &Path, metadata: &Metadata, destination: &Path) -> Result<(), Failed> {
        if metadata.is_symlink() {
            let target = fs::read_link(source).map_err(at(source))?;
            return symlink(target, destination).map_err(at(destination));
        }
        if !metadata.is_file() {
            return Ok(());
        }
        let from = plain_file::open(source, Links::Refuse).map_err(at(source))?;
        let metadata = from.metadata().map_err(at(source))?;
        let to = plain_file::open_to_write(destination, Links::Follow, metadata.mode()).map_err(at(destination))?;
        let there = to.metadata().map_err(at(destination))?;
        // Copying a file onto itself would truncate it.
        if (there.dev(), there.ino()) == (metadata.dev(), metadata.ino()) {
            return Ok(());
        }
        // The error of the operating system names neither of the two paths.
        self.content(&from, metadata.len(), &to).map_err(at(destination))?;
        to.set_permissions(metadata.permissions()).map_err(at(destination))
    }

    fn content(&self, mut from: &File, size: u64, mut to: &File) -> io::Result<()> {
        to.set_len(0)?;
        let mut copied = 0;
        loop {
            self.progress.step()?;
            let bytes = io::copy(&mut from.by_ref().take(CHUNK), &mut to).map_err(plain_file::explain_waiting)?;
            copied += bytes;
            if bytes == 0 {
                return Ok(());
            }
            if copied > size + self.surplus {
                let text = format!("the source gives more than {copied} bytes, but said that it has {size}");
                return Err(io::Error::new(ErrorKind::FileTooLarge, text));
            }
        }
    }
}

/// Whether `path` is `directory` or inside it. Links are resolved as far as `path` exists.
fn is_inside(path: &AbsolutePath, directory: &AbsolutePath) -> bool {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = real(directory.as_path());
    // The part of the path that does not exist yet cannot contain links.
    path.as_path().ancestors().find(|path| path.exists()).is_some_and(|existing| real(existing).starts_with(&directory))
}
