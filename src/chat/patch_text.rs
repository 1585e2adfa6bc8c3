//! A patch as a person reads it.

use app_server_actors::protocol::item::{FileUpdateChange, PatchChangeKind};

use super::exact::{block, labelled};

/// What happens to a file: its whole path, and where it goes.
pub fn heading(change: &FileUpdateChange, columns: usize) -> Vec<String> {
    let file = |label: &str| labelled(label, &change.path, columns);
    match &change.kind {
        PatchChangeKind::Add => file("  add    "),
        PatchChangeKind::Delete => file("  delete "),
        PatchChangeKind::Update { move_path: None } => file("  change "),
        PatchChangeKind::Update { move_path: Some(to) } => {
            [file("  move   "), labelled("      to ", to, columns)].concat()
        }
    }
}

/// The lines of the diff of a file.
pub fn diff(change: &FileUpdateChange, columns: usize) -> Vec<String> {
    let sign = match &change.kind {
        PatchChangeKind::Add => "+",
        PatchChangeKind::Delete => "-",
        PatchChangeKind::Update { .. } => "",
    };
    let name = change.path.rsplit('/').next().unwrap_or(&change.path);
    let diff = change.diff.strip_suffix('\n').unwrap_or(&change.diff);
    let lines = diff.split('\n').flat_map(|line| block(&format!("{sign}{line}"), columns));
    labelled("  Diff of", name, columns).into_iter().chain(lines).collect()
}
