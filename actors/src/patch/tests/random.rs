//! Any change of any file can be written as a patch, and any patch leaves all or nothing.

use proptest::prelude::*;
use similar::{ChangeTag, TextDiff};

use super::*;

/// The hunks of an update that makes `new` out of `old`.
fn hunks(old: &str, new: &str) -> String {
    let lines = |text| str::split_inclusive(text, '\n').collect::<Vec<_>>();
    let diff = TextDiff::from_slices(&lines(old), &lines(new));
    let mut hunks = String::new();
    for group in diff.grouped_ops(2) {
        hunks.push_str("@@\n");
        let ends = group.last().is_some_and(|last| last.old_range().end == lines(old).len());
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            hunks.push(match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            });
            hunks.push_str(change.value().trim_end_matches(['\r', '\n']));
            hunks.push('\n');
        }
        if ends {
            hunks.push_str("*** End of File\n");
        }
    }
    hunks
}

/// Lines that are all different, so that each has one place, and the same lines with some changed.
fn files() -> impl Strategy<Value = (String, String)> {
    let line = (0..5_u8, "[ -~äß€]{0,12}");
    (prop::collection::vec(line, 0..40), prop::sample::select(vec!["\n", "\r\n"])).prop_map(|(lines, end)| {
        let (mut old, mut new) = (String::new(), String::new());
        for (number, (what, text)) in lines.iter().enumerate() {
            let line = format!("{number} {text}.{end}");
            match what {
                0 => old.push_str(&line),
                1 => new.push_str(&line),
                _ => [&mut old, &mut new].map(|file| file.push_str(&line)).into_iter().collect(),
            }
        }
        (old, new)
    })
}

proptest! {
    #[test]
    fn any_change_can_be_written_as_a_patch((old, new) in files()) {
        prop_assume!(old != new && !old.is_empty());
        let work = Work::with(&[("u", &old)]);
        let planned = work.plan(&format!("*** Update File: u\n{}", hunks(&old, &new))).unwrap();
        planned.write().unwrap();
        // Nothing tells the line ends of a file that has none.
        let expected = if old.contains('\n') { new.clone() } else { new.replace("\r\n", "\n") };
        prop_assert_eq!(fs::read_to_string(work.path("u")).unwrap(), expected);
    }

    #[test]
    fn whatever_is_planned_is_written_or_leaves_no_trace(
        operations in prop::collection::vec(
            "(\\*\\*\\* Add File: [abcd](/[ab])?\n(\\+x\n){0,2}|\\*\\*\\* Delete File: [abc]\n|\
             \\*\\*\\* Update File: [abc]\n(\\*\\*\\* Move to: [cde]\n)?([ -]1\n)?\\+2\n)",
            1..4,
        ),
    ) {
        let work = Work::with(&[("a", "1\n1\n"), ("b", "1"), ("c/a", "1\n")]);
        let before = work.all();
        match work.apply(&operations.concat()) {
            Ok(_) => prop_assert!(work.all().iter().all(|(name, _)| !name.contains("codex"))),
            Err(_) => prop_assert_eq!(work.all(), before),
        }
    }
}
