//! What several patches have changed together.

use std::path::Path;
use std::time::Instant;

use super::diff::{blob, deadline, hunks};
use super::place::Place;
use super::planned::{OldFile, Planned, PlannedKind};

/// Counted for each file besides its contents.
const BYTES_OF_A_FILE: usize = 1024;

/// Permissions of a file that runs, as git knows them.
const EXECUTABLE: u32 = 0o111;

/// The files that patches have changed: as they were before the first one, and are after the last one.
#[derive(Clone, Debug)]
pub struct Patched {
    files: Vec<PatchedFile>,
    most_bytes: usize,
    is_too_large: bool,
}

/// A file, of which at least one side exists.
#[derive(Clone, Debug)]
struct PatchedFile {
    /// Where and what it was before the first patch.
    old: Option<(Place, OldFile)>,
    /// Where and what it is after the last one.
    new: Option<(Place, String)>,
}

impl Patched {
    /// Nothing yet. Of all contents together, old and new, no more than `most_bytes` are kept.
    pub fn new(most_bytes: usize) -> Self {
        Self { files: Vec::new(), most_bytes, is_too_large: false }
    }

    /// Adds what a patch has changed, after it was written.
    pub fn add(&mut self, planned: &Planned) {
        for change in &planned.changes {
            let place = &change.place;
            match &change.kind {
                PlannedKind::Add { content, replaced } => self.set(place, replaced.as_ref(), Some((place, content))),
                PlannedKind::Delete { old } => self.set(place, Some(old), None),
                PlannedKind::Update { old, content, move_to: None } => {
                    self.set(place, Some(old), Some((place, content)));
                }
                PlannedKind::Update { old, content, move_to: Some(to) } => {
                    if let Some(replaced) = &to.replaced {
                        self.set(&to.place, Some(replaced), None);
                    }
                    self.set(place, Some(old), Some((&to.place, content)));
                }
            }
        }
        self.is_too_large |= self.files.iter().map(PatchedFile::bytes).sum::<usize>() > self.most_bytes;
        if self.is_too_large {
            self.files = Vec::new();
        }
    }

    /// All changes as git shows them, with paths relative to `root`. A path that is not below it is shown whole. `None`
    /// if they are too large to be shown.
    pub fn git_diff(&self, root: &Path) -> Option<String> {
        let deadline = deadline();
        (!self.is_too_large).then(|| self.files.iter().map(|file| file.shown(root, deadline)).collect())
    }

    /// The same of files that do not lie below `root`, which is a path without links.
    pub fn git_diff_outside(&self, root: &Path) -> Option<String> {
        let deadline = deadline();
        let outside = self.files.iter().map(|file| file.outside(root));
        (!self.is_too_large).then(|| outside.map(|file| file.shown(root, deadline)).collect())
    }

    /// What was at `place` until now, with the content `old` if no patch has changed it before, becomes `new`.
    fn set(&mut self, place: &Place, old: Option<&OldFile>, new: Option<(&Place, &String)>) {
        let new = new.map(|(place, content)| (place.clone(), content.clone()));
        let is_here = |other: &Place| other.target == place.target;
        let moved_here = self.files.iter().position(|file| file.new.as_ref().is_some_and(|(it, _)| is_here(it)));
        let known = moved_here.or_else(|| {
            let was_here = |file: &PatchedFile| file.old.as_ref().is_some_and(|(it, _)| is_here(it));
            self.files.iter().position(|file| file.new.is_none() && was_here(file))
        });
        match known {
            Some(at) if new.is_none() && self.files[at].old.is_none() => drop(self.files.remove(at)),
            Some(at) => self.files[at].new = new,
            None => self.files.push(PatchedFile { old: old.map(|old| (place.clone(), old.clone())), new }),
        }
    }
}

impl PatchedFile {
    fn bytes(&self) -> usize {
        let old = self.old.as_ref().and_then(|(_, old)| old.text.as_ref()).map_or(0, String::len);
        old + self.new.as_ref().map_or(0, |(_, content)| content.len()) + BYTES_OF_A_FILE
    }

    /// What of it does not lie below `root`.
    fn outside(&self, root: &Path) -> Self {
        let is_outside = |place: &Place| !place.target.starts_with(root);
        let old = self.old.as_ref().filter(|(place, _)| is_outside(place)).cloned();
        Self { old, new: self.new.as_ref().filter(|(place, _)| is_outside(place)).cloned() }
    }

    /// The change as git shows it; nothing for a file that is as it was.
    fn shown(&self, root: &Path, deadline: Instant) -> String {
        let old = self.old.as_ref().map(|(place, old)| (named(&place.path, root), old));
        let new = self.new.as_ref().map(|(place, content)| (named(&place.path, root), content));
        let absent = || "0".repeat(40);
        let old_blob = old.as_ref().map_or_else(absent, |(_, old)| old.blob.clone());
        let new_blob = new.as_ref().map_or_else(absent, |(_, content)| blob(content.as_bytes()));
        let (old_name, new_name, mode) = match (&old, &new) {
            (Some((old_name, _)), Some((new_name, _))) => (old_name, new_name, String::new()),
            (Some((name, old)), None) => (name, name, format!("deleted file mode {}\n", old.git_mode())),
            (None, Some((name, _))) => (name, name, "new file mode 100644\n".to_owned()),
            (None, None) => return String::new(),
        };
        if old_blob == new_blob && old_name == new_name {
            return String::new();
        }
        let head = format!("diff --git a/{old_name} b/{new_name}\n{mode}index {old_blob}..{new_blob}\n");
        let from = old.as_ref().map_or("/dev/null".to_owned(), |(name, _)| format!("a/{name}"));
        let to = new.as_ref().map_or("/dev/null".to_owned(), |(name, _)| format!("b/{name}"));
        match old.as_ref().map_or(Some(""), |(_, old)| old.text.as_deref()) {
            None => format!("{head}Binary files {from} and {to} differ\n"),
            Some(old) => match hunks(old, new.as_ref().map_or("", |(_, content)| content), deadline) {
                hunks if hunks.is_empty() => head,
                hunks => format!("{head}--- {from}\n+++ {to}\n{hunks}"),
            },
        }
    }
}

impl OldFile {
    fn git_mode(&self) -> &'static str {
        if self.mode & EXECUTABLE == 0 { "100644" } else { "100755" }
    }
}

/// A path below `root`, as git names it.
fn named(path: &Path, root: &Path) -> String {
    let inside = path.strip_prefix(root).or_else(|_| path.strip_prefix("/")).unwrap_or(path);
    inside.display().to_string()
}
