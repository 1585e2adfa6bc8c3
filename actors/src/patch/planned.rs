//! A patch that fits, with all that its writing needs.

use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::diff;
use super::place::Place;
use crate::protocol::item::{FileUpdateChange, PatchChangeKind};

/// What a patch will do. It can be shown, sent to another process as JSON, and written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The changes, in the order of the patch. No two concern the same file.
    pub changes: Vec<PlannedChange>,
}

/// What will be done to one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// The file's path as the patch writes it; of a moved file the new one.
    pub written: String,
    /// The file; of a moved file the old place.
    pub place: Place,
    /// What will be done.
    pub kind: PlannedKind,
}

/// What will be done to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlannedKind {
    /// It is made, or replaced as a whole.
    Add {
        /// The new content.
        content: String,
        /// The file that is there now and will be lost.
        replaced: Option<OldFile>,
    },
    /// It is removed.
    Delete {
        /// The file that is there now.
        old: OldFile,
    },
    /// Parts of it are changed.
    Update {
        /// The file that is there now.
        old: OldFile,
        /// The new content.
        content: String,
        /// Where the file is moved.
        move_to: Option<Destination>,
    },
}

/// Where a file is moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// The new place.
    pub place: Place,
    /// The file that is there now and will be lost.
    pub replaced: Option<OldFile>,
}

/// A file as it was when the patch was planned. At the writing it must be the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldFile {
    /// SHA-256 of the content, as 64 hexadecimal digits.
    pub sha256: String,
    /// Id of the content in git, as 40 hexadecimal digits.
    pub blob: String,
    /// Size in bytes.
    pub size: usize,
    /// The permissions, as in `chmod`, without those to run as another user.
    pub mode: u32,
    /// The content, if it is UTF-8.
    pub text: Option<String>,
}

impl PlannedChange {
    /// Whether a file that is there now, and whose content the patch does not mention, will be lost.
    pub fn replaces_existing(&self) -> bool {
        match &self.kind {
            PlannedKind::Add { replaced, .. } => replaced.is_some(),
            PlannedKind::Delete { .. } => false,
            PlannedKind::Update { move_to, .. } => move_to.as_ref().is_some_and(|to| to.replaced.is_some()),
        }
    }

    fn destination(&self) -> Option<&Destination> {
        match &self.kind {
            PlannedKind::Update { move_to, .. } => move_to.as_ref(),
            _ => None,
        }
    }

    fn file_change(&self, deadline: Instant) -> FileUpdateChange {
        let (kind, diff) = match &self.kind {
            PlannedKind::Add { content, .. } => (PatchChangeKind::Add, content.clone()),
            PlannedKind::Delete { old } => (PatchChangeKind::Delete, old.shown()),
            PlannedKind::Update { old, content, move_to } => {
                let hunks = diff::hunks(old.text.as_deref().unwrap_or_default(), content, deadline);
                let move_path = move_to.as_ref().map(|to| to.place.path.display().to_string());
                let moved = move_path.as_ref().map(|path| format!("\n\nMoved to: {path}"));
                (PatchChangeKind::Update { move_path }, hunks + &moved.unwrap_or_default())
            }
        };
        FileUpdateChange { path: self.place.path.display().to_string(), kind, diff }
    }
}

impl OldFile {
    fn shown(&self) -> String {
        let binary = || format!("({} bytes that are not UTF-8 text)\n", self.size);
        self.text.clone().unwrap_or_else(binary)
    }
}

impl Planned {
    /// The changes as clients see them in an item.
    pub fn file_changes(&self) -> Vec<FileUpdateChange> {
        let deadline = diff::deadline();
        self.changes.iter().map(|change| change.file_change(deadline)).collect()
    }

    /// Every path that is written, removed or moved: as the patch names it, and where it is in truth, if that differs.
    pub fn targets(&self) -> Vec<PathBuf> {
        let places = self.changes.iter().flat_map(|change| {
            std::iter::once(&change.place).chain(change.destination().map(|destination| &destination.place))
        });
        let mut targets: Vec<PathBuf> = places.flat_map(|place| [place.path.clone(), place.target.clone()]).collect();
        targets.sort();
        targets.dedup();
        targets
    }

    /// What the model is told after the writing, with paths as the patch writes them.
    pub fn summary(&self) -> String {
        let mut summary = "Success. Updated the following files:\n".to_owned();
        for letter in ['A', 'M', 'D'] {
            for change in self.changes.iter().filter(|change| change.kind.letter() == letter) {
                summary.extend([letter, ' ']);
                summary.push_str(&change.written);
                summary.push('\n');
            }
        }
        summary
    }
}

impl PlannedKind {
    fn letter(&self) -> char {
        match self {
            Self::Add { .. } => 'A',
            Self::Update { .. } => 'M',
            Self::Delete { .. } => 'D',
        }
    }
}
