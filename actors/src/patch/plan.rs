//! From a patch to what it will do: reads the files and works out every new content. Nothing is written.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use plain_file::Links;
use sha2::{Digest, Sha256};

use super::bounds::Bounds;
use super::diff::{blob, hex};
use super::edit::edited;
use super::error::{PatchError, quoted};
use super::parse::{Change, Chunk, Operation, Patch};
use super::place::{LastLink, Place, resolve};
use super::planned::{Destination, OldFile, Planned, PlannedChange, PlannedKind};

/// The permissions of a file that a new content keeps. Not those to run as another user: the content is a model's.
pub(super) const KEPT_MODE: u32 = 0o777;

/// Plans `patch`, whose relative paths begin at the absolute path `cwd`.
///
/// # Errors
/// One of the operations does not fit the files, or they are beyond `bounds`.
pub fn plan(patch: &Patch, cwd: &Path, bounds: &Bounds) -> Result<Planned, PatchError> {
    let mut planner = Planner { cwd, bounds, bytes: 0, comparisons: bounds.comparisons, named: BTreeMap::new() };
    let changes = patch.operations.iter().map(|operation| planner.change(operation)).collect::<Result<_, _>>()?;
    planner.refuse_files_in_files()?;
    Ok(Planned { changes })
}

struct Planner<'a> {
    cwd: &'a Path,
    bounds: &'a Bounds,
    /// Bytes of all files so far, old and new.
    bytes: usize,
    /// Comparisons of lines that are left.
    comparisons: u64,
    /// The files so far, with their paths as the patch writes them.
    named: BTreeMap<PathBuf, String>,
}

impl Planner<'_> {
    fn change(&mut self, operation: &Operation) -> Result<PlannedChange, PatchError> {
        let path = &operation.path;
        let (place, kind, written) = match &operation.change {
            Change::Add { content } => {
                let place = self.place(path, LastLink::Follow)?;
                let replaced = self.old_file(path, &place)?;
                self.count(content.len())?;
                (place, PlannedKind::Add { content: content.clone(), replaced }, path)
            }
            Change::Delete => {
                let place = self.place(path, LastLink::Refuse)?;
                let old = self.existing_file(path, &place)?;
                (place, PlannedKind::Delete { old }, path)
            }
            Change::Update { move_to: None, chunks } => {
                let place = self.place(path, LastLink::Follow)?;
                let old = self.existing_file(path, &place)?;
                let content = self.updated(path, &old, chunks)?;
                (place, PlannedKind::Update { old, content, move_to: None }, path)
            }
            Change::Update { move_to: Some(new_path), chunks } => {
                let place = self.place(path, LastLink::Refuse)?;
                let old = self.existing_file(path, &place)?;
                let content = self.updated(path, &old, chunks)?;
                let new_place = self.place(new_path, LastLink::Refuse)?;
                let replaced = self.old_file(new_path, &new_place)?;
                let move_to = Some(Destination { place: new_place, replaced });
                (place, PlannedKind::Update { old, content, move_to }, new_path)
            }
        };
        Ok(PlannedChange { written: written.clone(), place, kind })
    }

    /// Where a path leads, if no other operation was about the file there.
    fn place(&mut self, path: &str, last_link: LastLink) -> Result<Place, PatchError> {
        let place = resolve(self.cwd, path, last_link)?;
        match self.named.insert(place.target.clone(), path.to_owned()) {
            None => Ok(place),
            Some(_) => Err(PatchError::NamedTwice(quoted(path))),
        }
    }

    fn updated(&mut self, path: &str, old: &OldFile, chunks: &[Chunk]) -> Result<String, PatchError> {
        let text = old.text.as_deref().ok_or_else(|| PatchError::NotText(quoted(path)))?;
        let content = edited(&quoted(path), text, chunks, self.bounds, &mut self.comparisons)?;
        self.count(content.len())?;
        Ok(content)
    }

    fn existing_file(&mut self, path: &str, place: &Place) -> Result<OldFile, PatchError> {
        self.old_file(path, place)?.ok_or_else(|| PatchError::Missing(quoted(path)))
    }

    /// The file that is there now.
    fn old_file(&mut self, path: &str, place: &Place) -> Result<Option<OldFile>, PatchError> {
        let unreadable = |error| PatchError::Unreadable { path: quoted(path), error };
        let metadata = match fs::symlink_metadata(&place.target) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        if metadata.is_dir() {
            return Err(PatchError::Folder(quoted(path)));
        }
        if !metadata.is_file() {
            return Err(PatchError::NotRegular(quoted(path)));
        }
        let limit = self.bounds.file_bytes;
        let file = plain_file::open(&place.target, Links::Refuse).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let content = plain_file::read_open(&file, limit).map_err(|error| match error.kind() {
            ErrorKind::FileTooLarge => PatchError::TooLarge { path: quoted(path), limit: format!("{limit} bytes") },
            _ => unreadable(error),
        })?;
        // Those of /proc say that they are empty. What is in them is not for clients.
        if metadata.len() != content.len() as u64 {
            return Err(PatchError::NotRegular(quoted(path)));
        }
        self.count(content.len())?;
        let mode = metadata.permissions().mode() & KEPT_MODE;
        let (sha256, blob, size) = (hex(&Sha256::digest(&content)), blob(&content), content.len());
        Ok(Some(OldFile { sha256, blob, size, mode, text: String::from_utf8(content).ok() }))
    }

    fn count(&mut self, bytes: usize) -> Result<(), PatchError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.bounds.all_bytes {
            return Err(PatchError::AllTooLarge(self.bounds.all_bytes));
        }
        Ok(())
    }

    /// What is below a path follows it in the order of paths.
    fn refuse_files_in_files(&self) -> Result<(), PatchError> {
        for ((above, path), (below, inside)) in self.named.iter().zip(self.named.iter().skip(1)) {
            if below.starts_with(above) {
                return Err(PatchError::FileAsFolder { path: quoted(path), inside: quoted(inside) });
            }
        }
        Ok(())
    }
}
