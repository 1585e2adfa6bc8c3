//! What an update makes of a file.

use super::*;

/// What a file with the content `old` holds after these hunks.
fn updated(old: &str, hunks: &str) -> String {
    let work = Work::with(&[("u", old)]);
    work.apply(&format!("*** Update File: u\n{hunks}")).unwrap_or_else(|error| panic!("{old:?} {hunks:?}: {error}"));
    fs::read_to_string(work.path("u")).unwrap()
}

#[test]
fn hunks_are_found_from_the_top_down() {
    let old = "def f():\n    x\n    y\ndef g():\n    x\n    y\n";
    assert_eq!(updated(old, "-    x\n+    z\n"), old.replacen('x', "z", 1), "the first place");
    let second = "def f():\n    x\n    y\ndef g():\n    z\n    y\n";
    assert_eq!(updated(old, "@@ def g():\n-    x\n+    z\n"), second, "the place behind the anchor");
    assert_eq!(updated(old, "@@\n     x\n@@\n-    x\n+    z\n"), second, "the place behind the hunk before");
    assert_eq!(updated(old, "@@ def f():\n@@     y\n-    x\n+    z\n"), second, "the place behind both anchors");
    assert_eq!(updated("a\nb\na\n", "-a\n+A\n*** End of File\n"), "a\nb\nA\n", "the end");
}

#[test]
fn line_numbers_of_other_diffs_are_no_anchor() {
    assert_eq!(updated("a\nb\n", "@@ -7,2 +7,2 @@ fn x() {\n a\n-b\n+B\n"), "a\nB\n");
    assert_eq!(updated("a\nb\n", "@@ -1 +1 @@\n-a\n+A\n"), "A\nb\n");
    let work = Work::with(&[("u", "a\nb\n")]);
    let refused = work.apply("*** Update File: u\n@@ -1,0 +2 @@\n+c\n").unwrap_err();
    assert!(refused.to_string().contains("-1,0 +2"), "nothing else says where it belongs: {refused}");
}

#[test]
fn lines_without_context_are_appended_or_follow_their_anchor() {
    assert_eq!(updated("a\nb\n", "+c\n+d\n"), "a\nb\nc\nd\n");
    assert_eq!(updated("a\nb\n", "@@\n+c\n@@\n-a\n+A\n@@\n+d\n"), "A\nb\nc\nd\n");
    assert_eq!(updated("a\nb\n", "@@ a\n+c\n"), "a\nc\nb\n");
    assert_eq!(updated("a\nb\n", "@@ a\n+c\n@@\n-b\n+B\n"), "a\nc\nB\n");
    assert_eq!(updated("", "+a\n"), "a\n");
}

#[test]
fn what_the_patch_writes_differently_stays_as_it_is_in_the_file() {
    assert_eq!(updated("\tif a:  \n\t\tb\nc\n", " if a:\n-b\n+    B\n"), "\tif a:  \n    B\nc\n");
    assert_eq!(
        updated("say \u{201c}hi\u{201d}\n1\u{2013}2\n", " say \"hi\"\n-1-2\n+3-4\n"),
        "say \u{201c}hi\u{201d}\n3-4\n"
    );
}

#[test]
fn line_ends_stay_and_new_lines_get_those_around_them() {
    for (old, hunks, new) in [
        ("a\r\nb\r\n", "-a\n+A\n+B\n b\n", "A\r\nB\r\nb\r\n"),
        ("a\nb\r\nc\n", " a\n+A\n b\n+B\n c\n+C\n", "a\nA\nb\r\nB\r\nc\nC\n"),
        ("a\r\nb\r\nc", "+d\n", "a\r\nb\r\nc\r\nd"),
        ("a\r\nb", "+d\n+e\n", "a\r\nb\r\nd\r\ne"),
        ("a\rb\r\nc\n", "-c\n+d\n", "a\rb\r\nd\n"),
        ("a\r\nb\n", " a\n+x\n b\n", "a\r\nx\r\nb\n"),
    ] {
        assert_eq!(updated(old, hunks), new, "{old:?}");
    }
    assert_eq!(updated("a\r\nb\r\n", "-a\r\n+A\r\n"), "A\r\nb\r\n", "line ends of the patch do not matter");
}

#[test]
fn a_final_newline_is_there_afterwards_if_it_was_there_before() {
    for (old, hunks, new) in [
        ("a\nb", "-a\n+A\n", "A\nb"),
        ("a\nb", "-b\n+B\n", "a\nB"),
        ("a\nb", "-b\n+B\n+C\n", "a\nB\nC"),
        ("a\nb", "-b\n", "a"),
        ("a\nb\n", "-b\n", "a\n"),
        ("a", "-a\n", ""),
        ("a\n\n", "-a\n+A\n", "A\n\n"),
    ] {
        assert_eq!(updated(old, hunks), new, "{old:?}");
    }
}

#[test]
fn a_byte_order_mark_stays_before_the_first_line() {
    assert_eq!(updated("\u{feff}a\nb\n", "-a\n+A\n"), "\u{feff}A\nb\n");
    assert_eq!(updated("\u{feff}a\nb\n", "-a\n"), "\u{feff}b\n");
}
