//! Several patches as one: what they changed together.

use super::planned::{Planned, PlannedChange, PlannedKind};

impl Planned {
    /// Adds what a later patch has changed, which was planned after this one was written.
    pub fn follow(&mut self, later: Self) {
        for change in later.changes {
            match self.changes.iter().position(|earlier| *earlier.end() == change.place.target) {
                Some(at) => {
                    let earlier = self.changes.remove(at);
                    self.changes.extend(together(earlier, change));
                }
                None => self.changes.push(change),
            }
        }
    }
}

/// Two changes of one file as one; none if the second takes back the first.
fn together(earlier: PlannedChange, later: PlannedChange) -> Option<PlannedChange> {
    let PlannedChange { place, written, kind } = earlier;
    let (kind, place) = match (kind, later.kind) {
        (PlannedKind::Add { replaced, .. }, PlannedKind::Add { content, .. }) => {
            (PlannedKind::Add { content, replaced }, place)
        }
        (PlannedKind::Add { replaced, .. }, PlannedKind::Update { content, move_to, .. }) => {
            // A file that the first patch made is at its new place as if it was made there.
            let place = move_to.map_or(place, |to| to.place);
            (PlannedKind::Add { content, replaced }, place)
        }
        (PlannedKind::Add { replaced, .. }, PlannedKind::Delete { .. }) => {
            (PlannedKind::Delete { old: replaced? }, place)
        }
        (PlannedKind::Update { old, move_to, .. }, PlannedKind::Add { content, .. }) => {
            (PlannedKind::Update { old, content, move_to }, place)
        }
        (PlannedKind::Update { old, move_to, .. }, PlannedKind::Update { content, move_to: later, .. }) => {
            (PlannedKind::Update { old, content, move_to: later.or(move_to) }, place)
        }
        (PlannedKind::Update { old, .. }, PlannedKind::Delete { .. }) => (PlannedKind::Delete { old }, place),
        (PlannedKind::Delete { old }, PlannedKind::Add { content, .. }) => {
            (PlannedKind::Update { old, content, move_to: None }, place)
        }
        // What is deleted can only be added again.
        (kind @ PlannedKind::Delete { .. }, _) => (kind, place),
    };
    Some(PlannedChange { written, place, kind })
}

impl PlannedChange {
    /// Where the file is after the change.
    fn end(&self) -> &std::path::PathBuf {
        match &self.kind {
            PlannedKind::Update { move_to: Some(to), .. } => &to.place.target,
            _ => &self.place.target,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, parse, plan};
    use super::*;

    #[test]
    fn patches_of_one_file_are_shown_as_one_change() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), "1\n2\n").unwrap();
        let mut all = Planned::default();
        let mut apply = |patch: &str| {
            let patch = format!("*** Begin Patch\n{patch}\n*** End Patch\n");
            let planned = plan(&parse(&patch, &Bounds::default()).unwrap(), dir.path(), &Bounds::default()).unwrap();
            planned.write().unwrap();
            all.follow(planned);
            all.git_diff(&dir.path().canonicalize().unwrap())
        };
        apply("*** Update File: a\n-1\n+one");
        let diff = apply("*** Update File: a\n-2\n+two");
        assert!(diff.contains("-1\n-2\n+one\n+two\n") && diff.matches("diff --git").count() == 1, "{diff}");
        assert!(apply("*** Add File: b\n+x").contains("new file"));
        assert!(!apply("*** Delete File: b").contains("b/b"), "what was made and deleted again was never there");
        let diff = apply("*** Update File: a\n*** Move to: c\n-one\n+1");
        assert!(diff.contains("a/a b/c") && diff.contains("-2\n+two\n") && !diff.contains("-1\n"), "{diff}");
        assert!(apply("*** Delete File: c").contains("deleted file"));
    }
}
