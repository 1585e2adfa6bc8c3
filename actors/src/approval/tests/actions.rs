use super::script;
use crate::approval::actions::command_actions;
use crate::protocol::item::CommandAction;

/// The actions in short: `read NAME PATH`, `list PATH`, `search QUERY PATH`, `unknown COMMAND`.
fn actions(text: &str) -> Vec<String> {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let short = |action| match action {
        CommandAction::Read { name, path, .. } => format!("read {name} {path}"),
        CommandAction::ListFiles { path, .. } => format!("list {}", or_none(path)),
        CommandAction::Search { query, path, .. } => format!("search {} {}", or_none(query), or_none(path)),
        CommandAction::Unknown { command } => format!("unknown {command}"),
    };
    command_actions(&script(text), text).into_iter().map(short).collect()
}

#[test]
fn scripts_are_shown_by_what_they_do() {
    let rows: &[(&str, &[&str])] = &[
        ("cat README.md", &["read README.md README.md"]),
        ("cat -n src/main.rs", &["read main.rs src/main.rs"]),
        ("head -n 20 a/b", &["read b a/b"]),
        ("sed -n 1,20p a/b", &["read b a/b"]),
        ("cat x | head -5", &["read x x"]),
        ("cd a && cat x", &["read x x"]),
        ("cat a b", &["unknown cat a b"]),
        ("ls", &["list -"]),
        ("ls -la src", &["list src"]),
        ("rg --files src | wc -l", &["list src"]),
        ("find src -type f", &["list src"]),
        ("find src -name '*.rs'", &["search *.rs src"]),
        ("grep -rn foo src", &["search foo src"]),
        ("grep -A 3 foo src", &["search foo src"]),
        ("rg -- -x", &["search -x -"]),
        ("git grep foo", &["search foo -"]),
        ("git ls-files", &["list -"]),
        ("git status", &["unknown git status"]),
        ("touch '/srv/a b'", &["unknown touch '/srv/a b'"]),
        ("ls; make", &["list -", "unknown make"]),
        ("cat", &["unknown cat"]),
        ("cat x > y", &["unknown cat x > y"]),
        ("cat $(id)", &["unknown cat $(id)"]),
        ("", &["unknown "]),
    ];
    for (text, expected) in rows {
        assert_eq!(actions(text), *expected, "{text}");
    }
}

#[test]
fn each_action_holds_its_part_of_the_script() {
    let text = "ls 'a b' && cat x";
    let expected = vec![
        CommandAction::ListFiles { command: "ls 'a b'".to_owned(), path: Some("a b".to_owned()) },
        CommandAction::Read { command: "cat x".to_owned(), name: "x".to_owned(), path: "x".to_owned() },
    ];
    assert_eq!(command_actions(&script(text), text), expected);
}
