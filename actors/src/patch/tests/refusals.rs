//! What is refused, and in which words. Nothing is written then.

use std::os::unix::fs::symlink;

use super::*;

fn why(text: &str) -> String {
    parse(text, &Bounds::default()).unwrap_err().to_string()
}

#[test]
fn each_fault_of_the_marks_around_a_patch_has_its_own_words() {
    let begin = |line| format!("the first line of the patch must be \"*** Begin Patch\", but it is {line:?}");
    let end = |line| format!("the last line of the patch must be \"*** End Patch\", but it is {line:?}");
    for (text, said) in [
        ("*** Add File: a\n+x\n*** End Patch\n", begin("*** Add File: a")),
        ("*** Begin Patch\n*** Add File: a\n+x\n", end("+x")),
        ("*** Begin Patch", end("*** Begin Patch")),
    ] {
        assert_eq!(why(text), said);
    }
    for text in ["", " \n\n"] {
        assert!(why(text).starts_with("the patch is empty; write \"*** Begin Patch\", the operations and"));
    }
}

#[test]
fn each_fault_of_an_operation_has_its_own_words() {
    let headers = "\"*** Add File: PATH\", \"*** Delete File: PATH\" or \"*** Update File: PATH\"";
    assert_eq!(why(&whole("")), format!("the patch has no operation; add one that begins with {headers}"));
    let header = format!("must begin with {headers}");
    let path = "needs the path of a file, without control characters";
    let added = "is in an added file and must begin with \"+\"";
    let hunk = "is in a hunk and must begin with \" \", \"-\", \"+\" or \"@@\"";
    for (operations, number, said, line) in [
        ("*** Rename File: a\n", 2, header.as_str(), "*** Rename File: a"),
        ("*** Delete File: a\n-x\n", 3, &header, "-x"),
        ("*** Add File: a\n+x\ny\n", 4, added, "y"),
        ("*** Add File: a\n+x\n\n+y\n", 4, added, ""),
        ("*** Add File:\n+x\n", 2, path, "*** Add File:"),
        ("*** Delete File: a\x1bb\n", 2, path, "*** Delete File: a\x1bb"),
        ("*** Update File: a\n@@\n x\ny\n", 5, hunk, "y"),
    ] {
        assert_eq!(why(&whole(operations)), format!("line {number} of the patch {said}, but it is {line:?}"));
    }
    for (operations, number) in [
        ("*** Update File: a\n", 2),
        ("*** Update File: a\n*** Move to: b\n", 3),
        ("*** Update File: a\n@@ x\n*** Delete File: b\n", 3),
    ] {
        let said = format!("the hunk of a at line {number} of the patch is empty; give the lines to change");
        assert_eq!(why(&whole(operations)), said);
    }
}

#[test]
fn a_patch_is_bounded() {
    let bounds = Bounds { patch_bytes: 100, operations: 2, ..Bounds::default() };
    let why = |text: &str| parse(text, &bounds).unwrap_err().to_string();
    assert_eq!(why(&"x".repeat(101)), "the patch is longer than 100 bytes; send several smaller ones");
    let three = whole(&"*** Add File: a\n".repeat(3));
    assert_eq!(why(&three), "the patch has more than 2 operations; send several smaller ones");
    let long = "y".repeat(100_000);
    assert!(self::why(&long).len() < 1200);
}

#[test]
fn what_does_not_fit_refuses_the_whole_patch() {
    let work = Work::with(&[("u", "a\nb\nc\n"), ("folder/x", "x\n")]);
    work.put("latin", b"caf\xe9\n");
    symlink("u", work.path("link")).unwrap();
    symlink("nowhere", work.path("dangling")).unwrap();
    let before = work.all();
    let link = "is a symbolic link; a patch only changes files that links lead to, and deletes and moves none";
    let twice = "is named twice in the patch; say all about a file in one operation";
    let folder = "is a folder; a patch changes files only";
    let after = "after line 3, where the hunk before or its @@ line is";
    let again = "read the file again and copy";
    for (operations, path, said) in [
        ("*** Update File: no\n+x\n", "no", "does not exist"),
        ("*** Delete File: no/sub/x\n", "no/sub/x", "does not exist"),
        ("*** Delete File: folder\n", "folder", folder),
        ("*** Add File: folder\n+x\n", "folder", folder),
        ("*** Add File: folder/..\n+x\n", "folder/..", folder),
        ("*** Update File: /dev/null\n+x\n", "/dev/null", "is not a regular file; change it by a command"),
        (
            "*** Delete File: /proc/self/environ\n",
            "/proc/self/environ",
            "is not a regular file; change it by a command",
        ),
        ("*** Update File: latin\n+x\n", "latin", "is not UTF-8 text; change it by a command"),
        ("*** Delete File: link\n", "link", link),
        ("*** Update File: link\n*** Move to: x\n a\n", "link", link),
        ("*** Update File: u\n*** Move to: link\n a\n", "link", link),
        ("*** Add File: dangling\n+x\n", "dangling", link),
        ("*** Add File: u/x\n+x\n", "u/x", "cannot be read: Not a directory (os error 20)"),
        ("*** Add File: dangling/x\n", "dangling/x", "cannot be read: No such file or directory (os error 2)"),
        (
            "*** Update File: u\n-x\n-y\n",
            "u",
            &format!("does not have these lines anywhere; {again} them exactly:\nx\ny"),
        ),
        ("*** Update File: u\n@@ x\n-b\n", "u", &format!("has no line \"x\" anywhere; {again} the line exactly")),
        (
            "*** Update File: u\n-c\n@@\n-a\n",
            "u",
            &format!("does not have these lines {after}; {again} them exactly:\na"),
        ),
        (
            "*** Update File: u\n-a\n*** End of File\n",
            "u",
            "does not end with these lines, as \"*** End of File\" says; read the file again:\na",
        ),
        ("*** Update File: u\n-a\n*** Delete File: ./u\n", "./u", twice),
        ("*** Update File: u\n-a\n*** Update File: link\n-a\n", "link", twice),
        ("*** Update File: u\n*** Move to: u\n-a\n", "u", twice),
        (
            "*** Add File: n\n*** Add File: n/x\n",
            "n",
            "cannot be in the same patch as n/x, for which it would have to be a folder",
        ),
    ] {
        let operations = format!("*** Add File: first\n+x\n{operations}");
        assert_eq!(work.apply(&operations).unwrap_err(), format!("{path} {said}"));
        assert_eq!(work.all(), before, "{operations}");
    }
}

#[test]
fn the_files_of_a_patch_are_bounded() {
    let work = Work::with(&[("a", "1\n2\n3\n"), ("b", "1\n2\n3\n")]);
    let why = |operations: &str, bounds: Bounds| {
        let patch = parse(&whole(operations), &bounds).unwrap();
        plan(&patch, &work.root(), &bounds).unwrap_err().to_string()
    };
    let update = "*** Update File: a\n-1\n";
    let bounds = Bounds::default();
    assert_eq!(why(update, Bounds { file_bytes: 5, ..bounds }), "a has more than 5 bytes; change it by a command");
    assert_eq!(why(update, Bounds { file_lines: 2, ..bounds }), "a has more than 2 lines; change it by a command");
    let both = "*** Delete File: a\n*** Delete File: b\n";
    let said = "the files of the patch have more than 11 bytes together; send several smaller patches";
    assert_eq!(why(both, Bounds { all_bytes: 11, ..bounds }), said);
    let said = "finding the hunks of a takes too long; give them lines that the file has only once";
    assert_eq!(why("*** Update File: a\n-3\n", Bounds { comparisons: 2, ..bounds }), said);
}
