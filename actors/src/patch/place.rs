//! Where a path leads.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{PatchError, quoted};

/// A file that a patch names, which need not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The absolute path, as the patch names it.
    pub path: PathBuf,
    /// The absolute path without symbolic links at which it is written.
    pub target: PathBuf,
}

/// What to do with a symbolic link in the last part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastLink {
    /// The patch is about the file that it leads to.
    Follow,
    /// The patch would be about the link itself.
    Refuse,
}

/// Where the path `written` leads from the working directory `cwd`.
pub(super) fn resolve(cwd: &Path, written: &str, last_link: LastLink) -> Result<Place, PatchError> {
    let shown = quoted(written);
    let named = cwd.join(written);
    let (Some(folder), Some(name)) = (named.parent(), named.file_name()) else {
        return Err(PatchError::Folder(shown));
    };
    let unreadable = |error| PatchError::Unreadable { path: shown.clone(), error };
    let mut target = real_folder(folder).map_err(unreadable)?.join(name);
    if target.is_symlink() {
        if last_link == LastLink::Refuse {
            return Err(PatchError::Link(shown));
        }
        target = match target.canonicalize() {
            Ok(target) => target,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(PatchError::Link(shown)),
            Err(error) => return Err(unreadable(error)),
        };
    }
    // Behind a symbolic link `..` leads elsewhere than it seems to.
    let leads_up = named.components().any(|part| part == Component::ParentDir);
    let path = if leads_up { target.clone() } else { named.components().collect() };
    if path.to_str().is_none() || target.to_str().is_none() {
        return Err(PatchError::PathNotText(shown));
    }
    Ok(Place { path, target })
}

/// The path of a folder without symbolic links. Its last parts need not exist.
fn real_folder(folder: &Path) -> io::Result<PathBuf> {
    let (mut existing, mut missing): (&Path, Vec<&OsStr>) = (folder, Vec::new());
    loop {
        match existing.canonicalize() {
            Ok(real) => return Ok(missing.iter().rev().fold(real, |path, name| path.join(name))),
            // A link that leads nowhere is not where folders can be made.
            Err(error) if error.kind() != ErrorKind::NotFound || fs::symlink_metadata(existing).is_ok() => {
                return Err(error);
            }
            Err(error) => match (existing.parent(), existing.file_name()) {
                (Some(parent), Some(name)) => {
                    missing.push(name);
                    existing = parent;
                }
                _ => return Err(error),
            },
        }
    }
}
