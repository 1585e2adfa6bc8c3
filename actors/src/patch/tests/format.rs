//! What is accepted, by the rows of the table of cases.

use super::*;

#[test]
fn a_file_is_added_with_its_folders_or_empty() {
    let work = Work::with(&[]);
    let operations =
        "*** Add File: a.txt\n+one\n+\n+  two\n*** Add File: new/folder/b.txt\n*** Add File: ä ö.txt\n+é\n";
    assert_eq!(work.apply(operations).unwrap(), "A a.txt\nA new/folder/b.txt\nA ä ö.txt\n");
    work.assert_holds(&[("a.txt", "one\n\n  two\n"), ("new/folder/b.txt", ""), ("ä ö.txt", "é\n")]);
}

#[test]
fn an_add_onto_a_file_replaces_it_and_says_so() {
    let work = Work::with(&[("a", "old\r\n")]);
    let planned = work.plan("*** Add File: a\n+new\n*** Add File: b\n+new\n").unwrap();
    assert_eq!(planned.changes.iter().map(PlannedChange::replaces_existing).collect::<Vec<_>>(), [true, false]);
    planned.write().unwrap();
    assert_eq!(planned.summary(), "Success. Updated the following files:\nA a\nA b\n");
    work.assert_holds(&[("a", "new\n"), ("b", "new\n")]);
}

#[test]
fn the_summary_names_additions_then_changes_then_removals() {
    let work = Work::with(&[("d.txt", ""), ("m", "x\n"), ("u.txt", "x\n")]);
    let operations = "*** Delete File: d.txt\n*** Update File: m\n*** Move to: sub/n\n@@\n x\n\
                      *** Update File: ./u.txt\n-x\n+y\n*** Add File: a.txt\n";
    assert_eq!(work.apply(operations).unwrap(), "A a.txt\nM sub/n\nM ./u.txt\nD d.txt\n");
    work.assert_holds(&[("a.txt", ""), ("sub/n", "x\n"), ("u.txt", "y\n")]);
}

#[test]
fn a_move_replaces_what_is_there_and_says_so() {
    let work = Work::with(&[("m", "a\nz\n"), ("n", "lost\n")]);
    let planned = work.plan("*** Update File: m\n*** Move to: n\n@@\n-a\n+b\n z\n").unwrap();
    assert!(planned.changes[0].replaces_existing());
    planned.write().unwrap();
    work.assert_holds(&[("n", "b\nz\n")]);
}

#[test]
fn paths_may_be_absolute_or_lead_up() {
    let work = Work::with(&[("a", "1\n"), ("sub/b", "1\n")]);
    let absolute = work.path("a").display().to_string();
    let operations = format!("*** Update File: {absolute}\n-1\n+2\n*** Update File: sub/../sub/b\n-1\n+2\n");
    assert_eq!(work.apply(&operations).unwrap(), format!("M {absolute}\nM sub/../sub/b\n"));
    work.assert_holds(&[("a", "2\n"), ("sub/b", "2\n")]);
}

#[test]
fn white_space_around_headers_and_a_heredoc_around_the_patch_do_not_matter() {
    let bounds = Bounds::default();
    let operations = "*** Update File: u\n@@ def f():\n-a\n+b\n*** End of File\n*** Delete File: d\n";
    let expected = parse(&whole(operations), &bounds).unwrap();
    for text in [
        format!("\n\n  *** Begin Patch \n\n\t{operations}\n  *** End Patch\n\n"),
        format!("<<'EOF'\n{}EOF\n", whole(operations)),
        format!("<<EOF\n{}EOF", whole(operations)),
        format!("apply_patch <<'EOF'\n{}EOF", whole(operations)),
        format!("<< \"END\"\n{}END\n", whole(operations)),
        whole(operations).replace('\n', "\r\n"),
        whole(&operations.replace("*** Delete File: d", "\n  *** Delete File:d  ")),
    ] {
        assert_eq!(parse(&text, &bounds).unwrap(), expected, "{text}");
    }
}

#[test]
fn an_empty_line_without_a_mark_is_a_line_of_the_file_or_space() {
    let work = Work::with(&[("u", "a\n\nb\nc\n")]);
    work.apply("*** Update File: u\n@@\n a\n\n-b\n+B\n\n@@\n-c\n+C\n\n\n").unwrap();
    work.assert_holds(&[("u", "a\n\nB\nC\n")]);
}
