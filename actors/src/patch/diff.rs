//! Diffs, for people and clients.

use std::path::Path;
use std::time::{Duration, Instant};

use sha1::{Digest, Sha1};
use similar::TextDiff;

use super::planned::{OldFile, PlannedChange, PlannedKind};

/// How long the shortest diffs of all files of a patch may be looked for. After it what is left is shown as removed and
/// added.
const PATIENCE: Duration = Duration::from_millis(200);

/// Lines around a change.
const CONTEXT: usize = 3;

/// Permissions of a file that runs, as git knows them.
const EXECUTABLE: u32 = 0o111;

/// When to stop looking for the shortest diffs.
pub(super) fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

/// The changed lines in unified hunks.
pub(super) fn hunks(old: &str, new: &str, deadline: Instant) -> String {
    let lines = |text| str::split_inclusive(text, '\n').collect::<Vec<_>>();
    let mut config = TextDiff::configure();
    let diff = config.deadline(deadline).newline_terminated(true).diff_slices(&lines(old), &lines(new));
    diff.unified_diff().context_radius(CONTEXT).to_string()
}

/// The id that git gives to a content, as 40 hexadecimal digits.
pub(super) fn blob(content: &[u8]) -> String {
    let header = format!("blob {}\0", content.len());
    hex(&Sha1::new().chain_update(header).chain_update(content).finalize())
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A change as git shows it; nothing for one that changes nothing.
pub(super) fn git_entry(change: &PlannedChange, root: &Path, deadline: Instant) -> String {
    let entry = |old_name: &str, old, new_name: &str, new| Entry { old_name, old, new_name, new }.shown(deadline);
    let place = named(&change.place.path, root);
    match &change.kind {
        PlannedKind::Add { content, replaced } => entry(&place, replaced.as_ref(), &place, Some(content)),
        PlannedKind::Delete { old } => entry(&place, Some(old), &place, None),
        PlannedKind::Update { old, content, move_to: None } => entry(&place, Some(old), &place, Some(content)),
        PlannedKind::Update { old, content, move_to: Some(to) } => {
            let new = named(&to.place.path, root);
            let lost = to.replaced.as_ref().map(|replaced| entry(&new, Some(replaced), &new, None));
            lost.unwrap_or_default() + &entry(&place, Some(old), &new, Some(content))
        }
    }
}

struct Entry<'a> {
    old_name: &'a str,
    old: Option<&'a OldFile>,
    new_name: &'a str,
    new: Option<&'a str>,
}

impl Entry<'_> {
    fn shown(&self, deadline: Instant) -> String {
        let Self { old_name, old, new_name, new } = *self;
        let absent = || "0".repeat(40);
        let old_blob = old.map_or_else(absent, |old| old.blob.clone());
        let new_blob = new.map_or_else(absent, |new| blob(new.as_bytes()));
        if old_blob == new_blob && old_name == new_name {
            return String::new();
        }
        let mode = match (old, new) {
            (None, _) => "new file mode 100644\n".to_owned(),
            (Some(old), None) => format!("deleted file mode {}\n", old.git_mode()),
            _ => String::new(),
        };
        let head = format!("diff --git a/{old_name} b/{new_name}\n{mode}index {old_blob}..{new_blob}\n");
        let from = if old.is_some() { format!("a/{old_name}") } else { "/dev/null".to_owned() };
        let to = if new.is_some() { format!("b/{new_name}") } else { "/dev/null".to_owned() };
        match old.map_or(Some(""), |old| old.text.as_deref()) {
            None => format!("{head}Binary files {from} and {to} differ\n"),
            Some(old) => match hunks(old, new.unwrap_or_default(), deadline) {
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
