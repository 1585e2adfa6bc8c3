//! What is refused, and in which words. Nothing is written then.

use std::os::unix::fs::symlink;

use super::*;

fn why(text: &str) -> String {
    parse(text, &Bounds::default()).unwrap_err().to_string()
}

#[test]
fn each_fault_of_the_format_has_its_own_words() {
    let headers = "\"*** Add File: PATH\", \"*** Delete File: PATH\" or \"*** Update File: PATH\"";
    for (text, said) in [
        (
            "",
            "the patch is empty; write \"*** Begin Patch\", the operations and \"*** End Patch\", each on its own line",
        ),
        (
            " \n\n",
            "the patch is empty; write \"*** Begin Patch\", the operations and \"*** End Patch\", each on its own line",
        ),
        (
            "*** Add File: a\n+x\n*** End Patch\n",
            "the first line of the patch must be \"*** Begin Patch\", but it is \"*** Add File: a\"",
        ),
        (
            "*** Begin Patch\n*** Add File: a\n+x\n",
            "the last line of the patch must be \"*** End Patch\", but it is \"+x\"",
        ),
        ("*** Begin Patch", "the last line of the patch must be \"*** End Patch\", but it is \"*** Begin Patch\""),
    ] {
        assert_eq!(why(text), said);
    }
    assert_eq!(why(&whole("")), format!("the patch has no operation; add one that begins with {headers}"));
    for (operations, said) in [
        ("*** Rename File: a\n", format!("line 2 of the patch must begin with {headers}, but it is \"*** Rename File: a\"")),
        ("*** Delete File: a\n-x\n", format!("line 3 of the patch must begin with {headers}, but it is \"-x\"")),
        ("*** Add File: a\n+x\ny\n", "line 4 of the patch is in an added file and must begin with \"+\", but it is \"y\"".into()),
        ("*** Add File: a\n+x\n\n+y\n", "line 4 of the patch is in an added file and must begin with \"+\", but it is \"\"".into()),
        ("*** Add File:\n+x\n", "line 2 of the patch needs the path of a file, without control characters, but it is \"*** Add File:\"".into()),
        ("*** Delete File: a\x1bb\n", "line 2 of the patch needs the path of a file, without control characters, but it is \"*** Delete File: a\\u{1b}b\"".into()),
        ("*** Update File: a\n@@\n x\ny\n", "line 5 of the patch is in a hunk and must begin with \" \", \"-\", \"+\" or \"@@\", but it is \"y\"".into()),
        ("*** Update File: a\n", "the hunk of a at line 2 of the patch is empty; give the lines to change".into()),
        ("*** Update File: a\n*** Move to: b\n", "the hunk of a at line 3 of the patch is empty; give the lines to change".into()),
        ("*** Update File: a\n@@ x\n*** Delete File: b\n", "the hunk of a at line 3 of the patch is empty; give the lines to change".into()),
    ] {
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
    let not_there = "u does not have these lines anywhere; read the file again and copy them exactly:\n";
    let link =
        "is a symbolic link; a patch changes only the file that a link leads to, and neither deletes nor moves links";
    for (operations, said) in [
        ("*** Update File: no\n+x\n", "no does not exist".to_owned()),
        ("*** Delete File: no/sub/x\n", "no/sub/x does not exist".into()),
        ("*** Delete File: folder\n", "folder is a folder; a patch changes files only".into()),
        ("*** Add File: folder\n+x\n", "folder is a folder; a patch changes files only".into()),
        ("*** Add File: folder/..\n+x\n", "folder/.. is a folder; a patch changes files only".into()),
        ("*** Update File: /dev/null\n+x\n", "/dev/null is not a regular file; change it by a command".into()),
        ("*** Update File: latin\n+x\n", "latin is not UTF-8 text; change it by a command".into()),
        ("*** Delete File: link\n", format!("link {link}")),
        ("*** Update File: link\n*** Move to: x\n a\n", format!("link {link}")),
        ("*** Update File: u\n*** Move to: link\n a\n", format!("link {link}")),
        ("*** Add File: dangling\n+x\n", format!("dangling {link}")),
        ("*** Add File: u/x\n+x\n", "u/x cannot be read: Not a directory (os error 20)".into()),
        ("*** Add File: dangling/x\n+x\n", "dangling/x cannot be read: No such file or directory (os error 2)".into()),
        ("*** Update File: u\n-x\n-y\n", format!("{not_there}x\ny")),
        ("*** Update File: u\n@@ x\n-b\n", "u has no line \"x\" anywhere; read the file again and copy the line exactly".into()),
        ("*** Update File: u\n-c\n@@\n-a\n", "u does not have these lines after line 3, where the hunk before or its @@ line is; read the file again and copy them exactly:\na".into()),
        ("*** Update File: u\n-a\n*** End of File\n", "u does not end with these lines, as \"*** End of File\" says; read the file again:\na".into()),
        ("*** Update File: u\n-a\n*** Delete File: ./u\n", "./u is named twice in the patch; say all about a file in one operation".into()),
        ("*** Update File: u\n-a\n*** Update File: link\n-a\n", "link is named twice in the patch; say all about a file in one operation".into()),
        ("*** Update File: u\n*** Move to: u\n-a\n", "u is named twice in the patch; say all about a file in one operation".into()),
        ("*** Add File: n\n*** Add File: n/x\n", "n cannot be in the same patch as n/x, for which it would have to be a folder".into()),
    ] {
        let operations = format!("*** Add File: first\n+x\n{operations}");
        assert_eq!(work.apply(&operations).unwrap_err(), said);
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
