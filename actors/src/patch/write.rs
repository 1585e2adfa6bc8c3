//! Writes a planned patch: all of it, or nothing.
//!
//! First every file is compared with what it was when the patch was planned, and every new content is written to a
//! temporary file beside its place. Then names change, which hardly fails. If it does, they change back.
//!
//! A new file takes the place of the old one with its permissions and its group, and with its owner where the process
//! may give files away. Other names of the old file (hard links) keep the old content: they may lead to where the patch
//! must not write. The contents are not flushed to disk.

use std::ffi::OsString;
use std::fs::{Metadata, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{Gid, Uid, fchown};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::diff::hex;
use super::error::quoted;
use super::folder::{Folder, Folders};
use super::place::{LastLink, Place, resolve};
use super::plan::KEPT_MODE;
use super::planned::{OldFile, Planned, PlannedChange, PlannedKind};
use crate::replace::TEMPORARY;

/// Why a planned patch was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file is not what it was when the patch was planned.
    #[error("{0} changed since the patch was shown; read it again. Nothing was written")]
    Changed(String),
    /// Where a file was to be made there is one now.
    #[error("{0} did not exist when the patch was shown, and exists now; read it. Nothing was written")]
    Appeared(String),
    /// A path leads to another place than when the patch was planned.
    #[error("{0} leads elsewhere since the patch was shown; check its folders and links. Nothing was written")]
    Elsewhere(String),
    /// The system refuses it.
    #[error("{path} cannot be written: {error}. Nothing was written")]
    Failed {
        /// Path of the file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The system refuses something, and then to take back what was done before.
    #[error("{cause}, but for {path}, whose change cannot be taken back: {error}. What was there before is in {aside}")]
    NotTakenBack {
        /// Why the patch failed.
        cause: Box<Self>,
        /// Path of the file.
        path: String,
        /// Why its change cannot be taken back.
        error: io::Error,
        /// Where its old content is now.
        aside: String,
    },
}

impl Planned {
    /// Does what was planned.
    ///
    /// # Errors
    /// The files have changed, or the system refuses something. Everything is then as it was, except as the error says.
    pub fn write(&self) -> Result<(), WriteError> {
        let mut writing = Writing::default();
        let prepared = self.changes.iter().try_for_each(|change| writing.prepare(change));
        let result = match prepared.and_then(|()| writing.rename()) {
            Ok(()) => Ok(()),
            Err(cause) => Err(writing.undo(cause)),
        };
        writing.remove_temporary();
        if result.is_err() {
            writing.folders.unmake();
        }
        result
    }
}

#[derive(Default)]
struct Writing {
    folders: Folders,
    steps: Vec<Step>,
}

/// One name that changes.
struct Step {
    folder: Rc<Folder>,
    name: OsString,
    /// The path for errors.
    path: PathBuf,
    /// A name in the same folder: before the step that of the new content, after it that of the old one.
    aside: OsString,
    action: Action,
    is_done: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Make,
    Replace,
    Remove,
}

impl Writing {
    fn prepare(&mut self, change: &PlannedChange) -> Result<(), WriteError> {
        match &change.kind {
            PlannedKind::Add { content, replaced } => {
                let seen = self.look(&change.place, replaced.as_ref())?;
                self.put(&change.place, content, seen.as_ref(), seen.is_some())
            }
            PlannedKind::Delete { old } => self.remove(&change.place, old).map(drop),
            PlannedKind::Update { old, content, move_to: None } => {
                let seen = self.look(&change.place, Some(old))?;
                self.put(&change.place, content, seen.as_ref(), true)
            }
            PlannedKind::Update { old, content, move_to: Some(to) } => {
                let seen = self.remove(&change.place, old)?;
                let replaced = self.look(&to.place, to.replaced.as_ref())?;
                self.put(&to.place, content, seen.as_ref(), replaced.is_some())
            }
        }
    }

    /// Compares a file with what it was: what the system says of it, if it was there and is the same.
    fn look(&mut self, place: &Place, old: Option<&OldFile>) -> Result<Option<Metadata>, WriteError> {
        if place.path != place.target {
            let leads = place.path.to_str().and_then(|path| resolve(Path::new("/"), path, LastLink::Follow).ok());
            if leads.is_none_or(|leads| leads.target != place.target) {
                return Err(WriteError::Elsewhere(shown(&place.path)));
            }
        }
        let (folder, name) = self.open(place, old.is_none())?;
        let Some(old) = old else {
            return match folder.has(&name).map_err(|errno| failed(place, errno))? {
                true => Err(WriteError::Appeared(shown(&place.path))),
                false => Ok(None),
            };
        };
        let changed = || WriteError::Changed(shown(&place.path));
        let file = folder.open(&name).map_err(|errno| failed(place, errno))?;
        let metadata = file.metadata().map_err(|error| not_written(place, error))?;
        if !metadata.is_file() {
            return Err(changed());
        }
        let content = plain_file::read_open(&file, old.size).map_err(|error| match error.kind() {
            ErrorKind::FileTooLarge => changed(),
            _ => not_written(place, error),
        })?;
        if hex(&Sha256::digest(&content)) == old.sha256 { Ok(Some(metadata)) } else { Err(changed()) }
    }

    fn open(&mut self, place: &Place, make: bool) -> Result<(Rc<Folder>, OsString), WriteError> {
        let (Some(parent), Some(name)) = (place.target.parent(), place.target.file_name()) else {
            return Err(failed(place, Errno::ISDIR));
        };
        let folder = self.folders.open(parent, make).map_err(|errno| failed(place, errno))?;
        Ok((folder, name.to_owned()))
    }

    /// Prepares a new content, with the permissions and the owner of the file `like`.
    fn put(&mut self, place: &Place, content: &str, like: Option<&Metadata>, is_there: bool) -> Result<(), WriteError> {
        let (folder, name) = self.open(place, true)?;
        if is_there {
            folder.is_writable(&name).map_err(|errno| failed(place, errno))?;
        }
        let action = if is_there { Action::Replace } else { Action::Make };
        let aside = self.step(&folder, name, place, action);
        draft(&folder, &aside, content, like).map_err(|error| not_written(place, error))
    }

    /// Prepares the removal of a file: what the system says of it.
    fn remove(&mut self, place: &Place, old: &OldFile) -> Result<Option<Metadata>, WriteError> {
        let seen = self.look(place, Some(old))?;
        let (folder, name) = self.open(place, false)?;
        self.step(&folder, name, place, Action::Remove);
        Ok(seen)
    }

    /// Adds a step: the name aside.
    fn step(&mut self, folder: &Rc<Folder>, name: OsString, place: &Place, action: Action) -> OsString {
        let aside = OsString::from(format!("{TEMPORARY}{:016x}", fastrand::u64(..)));
        let (folder, path) = (folder.clone(), place.path.clone());
        self.steps.push(Step { folder, name, path, aside: aside.clone(), action, is_done: false });
        aside
    }

    fn rename(&mut self) -> Result<(), WriteError> {
        self.steps.iter_mut().try_for_each(Step::run)
    }

    /// Takes back what was done, the last first: the error to report.
    fn undo(&mut self, cause: WriteError) -> WriteError {
        let mut result = cause;
        let done: Vec<usize> = (0..self.steps.len()).filter(|at| self.steps[*at].is_done).collect();
        for at in done.into_iter().rev() {
            if let Err(errno) = self.steps[at].take_back() {
                // What is aside is not temporary any more.
                let step = self.steps.remove(at);
                let aside = shown(&step.path.with_file_name(&step.aside));
                let (cause, path) = (Box::new(result), shown(&step.path));
                result = WriteError::NotTakenBack { cause, path, error: errno.into(), aside };
            }
        }
        result
    }

    fn remove_temporary(&self) {
        for step in &self.steps {
            // Most have none any more.
            let _ = step.folder.remove(&step.aside);
        }
    }
}

impl Step {
    fn run(&mut self) -> Result<(), WriteError> {
        let Self { folder, name, aside, .. } = self;
        let result = match self.action {
            Action::Make => folder.rename_to_free(aside, name),
            Action::Replace => folder.exchange(aside, name),
            Action::Remove => folder.rename_to_free(name, aside),
        };
        self.is_done = result.is_ok();
        result.map_err(|errno| match (self.action, errno) {
            (Action::Make, Errno::EXIST) => WriteError::Appeared(shown(&self.path)),
            (_, Errno::NOENT) => WriteError::Changed(shown(&self.path)),
            _ => WriteError::Failed { path: shown(&self.path), error: errno.into() },
        })
    }

    fn take_back(&mut self) -> Result<(), Errno> {
        let Self { folder, name, aside, .. } = self;
        match self.action {
            Action::Make => folder.rename_to_free(name, aside),
            Action::Replace => folder.exchange(aside, name),
            Action::Remove => folder.rename_to_free(aside, name),
        }
    }
}

/// Writes a new file.
fn draft(folder: &Folder, name: &OsString, content: &str, like: Option<&Metadata>) -> io::Result<()> {
    let mut file = folder.create(name, if like.is_some() { 0o600 } else { 0o666 })?;
    file.write_all(content.as_bytes())?;
    let Some(like) = like else { return Ok(()) };
    let own = file.metadata()?;
    if own.gid() != like.gid() {
        fchown(&file, None, Some(Gid::from_raw(like.gid())))?;
    }
    if own.uid() != like.uid() {
        // Only the superuser may; for others the file becomes theirs, as after any editor that replaces files.
        let _ = fchown(&file, Some(Uid::from_raw(like.uid())), None);
    }
    file.set_permissions(Permissions::from_mode(like.mode() & KEPT_MODE))
}

/// The error for what the system refuses about a place that was there when the patch was planned.
fn failed(place: &Place, errno: Errno) -> WriteError {
    match errno {
        Errno::LOOP | Errno::NOTDIR => WriteError::Elsewhere(shown(&place.path)),
        Errno::NOENT => WriteError::Changed(shown(&place.path)),
        _ => not_written(place, errno.into()),
    }
}

fn not_written(place: &Place, error: io::Error) -> WriteError {
    WriteError::Failed { path: shown(&place.path), error }
}

fn shown(path: &Path) -> String {
    quoted(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Bounds, parse, plan};
    use super::*;

    #[test]
    fn what_cannot_be_taken_back_is_named_and_kept_aside() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::write(root.join("a"), "1\n").unwrap();
        fs::write(root.join("b"), "1\n").unwrap();
        let text = "*** Begin Patch\n*** Delete File: a\n*** Update File: b\n+2\n*** End Patch";
        let bounds = Bounds::default();
        let planned = plan(&parse(text, &bounds).unwrap(), &root, &bounds).unwrap();
        let mut writing = Writing::default();
        planned.changes.iter().try_for_each(|change| writing.prepare(change)).unwrap();
        writing.rename().unwrap();
        // Somebody takes the name.
        fs::write(root.join("a"), "other\n").unwrap();
        let error = writing.undo(WriteError::Changed("c".to_owned()));
        writing.remove_temporary();
        let WriteError::NotTakenBack { path, aside, .. } = &error else { panic!("{error}") };
        assert_eq!((Path::new(path), fs::read_to_string(aside).unwrap().as_str()), (root.join("a").as_path(), "1\n"));
        assert_eq!(fs::read_to_string(root.join("b")).unwrap(), "1\n");
        assert_eq!(fs::read_dir(&root).unwrap().count(), 3);
    }
}
