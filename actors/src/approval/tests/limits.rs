//! Long hostile scripts: time, depth and memory stay bounded, and what is not searched counts as destructive.

use super::script;
use crate::approval::destructive::destructive;
use crate::approval::shell::Script;

/// More than makes a difference; the time is linear.
const BYTES: usize = 256 * 1024;

/// That much of a text.
fn filled(with: &str) -> String {
    with.repeat(BYTES / with.len())
}

#[test]
fn nesting_is_bounded() {
    for open in [
        "(",
        "$(",
        "\"$(",
        "${x:-",
        "`",
        "<(",
        "{",
        "((",
        "$((",
        "[[",
        "a=(",
        "$[",
        "'",
        "\"",
        "\\",
        "$'",
        "case x in ",
        "f()",
    ] {
        let script = script(&format!("{}; rm -rf x", filled(open)));
        assert!(script.plain().is_none(), "{open}");
        let _ = destructive(&script);
    }
    let deep = format!("{}rm -rf x{}", "$(".repeat(10_000), ")".repeat(10_000));
    assert!(destructive(&script(&deep)).is_some());
    let quoted = (0..9).fold("ls".to_owned(), |inner, _| format!("bash -c {}", shlex::try_quote(&inner).unwrap()));
    assert!(destructive(&script(&quoted)).is_some(), "too deep to be searched");
}

#[test]
fn a_long_script_does_not_hide_its_end() {
    for filling in [
        "true;",
        "true\n",
        "x=1;",
        "ls a b c|",
        "# it's\n",
        "'a' ",
        "echo rm;",
        "xargs ",
        "rm ",
        "bash ",
        "sh|",
        "echo a|sh|",
        "<<a ",
    ] {
        let text = format!("{}\nrm -rf x", filled(filling));
        assert!(destructive(&script(&text)).is_some(), "{filling}");
    }
}

#[test]
fn expansions_do_not_multiply() {
    let doubling: String = (0..40).map(|number| format!("x{}=$x{number}$x{number};", number + 1)).collect();
    assert!(destructive(&script(&format!("x0=aaaaaaaaaaaaaaaa;{doubling} echo $x40"))).is_some(), "values are bounded");
    let long = "a".repeat(1000);
    let text = format!("x={long}; echo {}", "$x".repeat(100_000));
    assert!(destructive(&script(&text)).is_some(), "what they make is bounded");
    assert_eq!(destructive(&script(&format!("echo {}", "{a,b}".repeat(1000)))), None);
    let wrapped = Script::of_argv(&vec!["xargs".to_owned(); 100_000]);
    let _ = destructive(&wrapped);
}

#[test]
fn a_large_document_is_no_reason_to_ask() {
    let text = format!("cat > x <<'E'\n{}\nE\nls", filled("it's $(only) \"text\n"));
    assert_eq!(destructive(&script(&text)), None);
}
