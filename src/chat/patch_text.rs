//! A patch as a person reads it.

use app_server_actors::protocol::item::{FileUpdateChange, PatchChangeKind};

use super::exact::{block, exact};

/// What happens to a file, in a line.
pub fn heading(change: &FileUpdateChange) -> String {
    let path = exact(&change.path);
    match &change.kind {
        PatchChangeKind::Add => format!("  add     {path}"),
        PatchChangeKind::Delete => format!("  delete  {path}"),
        PatchChangeKind::Update { move_path: None } => format!("  change  {path}"),
        PatchChangeKind::Update { move_path: Some(to) } => format!("  move    {path} to {}", exact(to)),
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
    std::iter::once(format!("  {}:", exact(name))).chain(lines).collect()
}
