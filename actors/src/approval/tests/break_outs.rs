//! Scripts that hide something behind what a careless reader takes for literal words.

use super::script;
use crate::approval::harmless::harmless;
use crate::approval::shell::Script;

const NOT_PLAIN: &[&str] = &[
    "ls $(touch x)",
    "ls `touch x`",
    "ls \"$(touch x)\"",
    "ls \"`touch x`\"",
    "ls $HOME",
    "ls \"$HOME\"",
    "ls ${IFS}x",
    "ls$IFS-la",
    "ls $'a\\nb'",
    "ls $\"a\"",
    "ls <(touch x)",
    "ls >(touch x)",
    "cat < x",
    "cat < $(touch x)",
    "cat <<< x",
    "cat <<E\nx\nE",
    "cat <<'E'\nx\nE",
    "ls > x",
    "ls >x",
    "ls >> x",
    "ls >| x",
    "ls 2> x",
    "ls &> x",
    "ls >& x",
    "ls <> x",
    "ls >/dev/nullx",
    "ls >/dev/null/../x",
    "ls > /dev/null2",
    "ls 2>&1x",
    "ls 3>/dev/null",
    "ls 1>x 2>&1",
    "ls {a,b}",
    "{ ls; }",
    "{rm,-rf,x}",
    "(ls)",
    "ls &",
    "ls & ls",
    "ls |& cat",
    "ls ;; ls",
    "ls && ",
    "&& ls",
    "| ls",
    "; ls",
    "ls || || ls",
    "! ls",
    "X=1 ls",
    "PATH=. ls",
    "LD_PRELOAD=x ls",
    "X+=1 ls",
    "X=1",
    "'X=1' ls",
    "ls ~",
    "ls ~root",
    "ls a=~/x",
    "ls a:~",
    "ls *",
    "ls *.rs",
    "ls a?",
    "ls [a]",
    "ls # x",
    "#ls",
    "ls a#b",
    "ls \\\n-la",
    "ls \\",
    "l\\\ns",
    "ls \"a\\\nb\"",
    "ls 'a",
    "ls \"a",
    "ls \"a\\",
    "ls \r",
    "ls\r\ntouch x",
    "ls '\r'",
    "ls \0x",
    "ls '\0'",
    "ls '\u{1b}[2K'",
    "ls \u{b}x",
    "ls \u{c}x",
    "ls \u{a0}x",
    "ls \u{2028}touch",
    "ls \u{2018}a\u{2019}",
    "ls \u{201c}$(id)\u{201d}",
    "ls \u{ff1b} x",
    "\u{202e}ls",
    "if true; then ls; fi",
    "for x in a; do ls; done",
    "while true; do ls; done",
    "case x in x) ls;; esac",
    "time ls",
    "coproc ls",
    "function f { ls; }",
    "ls() { touch x; }; ls",
    "[[ -f x ]]",
    "((1))",
    "ls $((1))",
    "ls $[1]",
    "'' ls",
    "ls !!",
    "ls !$",
    "ls a!b",
    "ls =x",
    "=ls",
    "ls %1 ^a^b",
    "select x in a; do ls; done",
];

#[test]
fn what_is_not_literal_is_not_plain() {
    for text in NOT_PLAIN {
        assert!(script(text).plain().is_none(), "{text:?}: {:?}", script(text).plain());
        assert!(!harmless(&script(text)), "{text:?}");
    }
}

#[test]
fn quotes_and_escapes_are_understood() {
    let argvs = |text: &str| -> Vec<Vec<String>> {
        script(text).plain().unwrap_or_default().iter().map(|command| command.argv.clone()).collect()
    };
    assert_eq!(argvs("a 'b c'\"d\"e\\ f"), [["a", "b cde f"]]);
    assert_eq!(argvs(r#"a "x\"y\\z\q\$HOME\`" '\n' \'"#), [["a", "x\"y\\z\\q$HOME`", "\\n", "'"]]);
    assert_eq!(argvs("a '' \"\""), [["a", "", ""]]);
    assert_eq!(argvs("a ';|&' \\; \\| \\&"), [["a", ";|&", ";", "|", "&"]]);
    assert_eq!(
        argvs("a\tb\nc && d || e | f; g"),
        [vec!["a", "b"], vec!["c"], vec!["d"], vec!["e"], vec!["f"], vec!["g"]]
    );
    assert_eq!(argvs("a 2>/dev/null b>x"), [[""; 0]; 0]);
    assert_eq!(argvs("a 2>/dev/null b 2>&1"), [["a", "b"]]);
    assert_eq!(argvs("a 'ä\u{201d}\n'"), [["a", "ä\u{201d}\n"]]);
    assert_eq!(argvs("a HEAD~1 x^ y=1 --z=2"), [["a", "HEAD~1", "x^", "y=1", "--z=2"]]);
}

#[test]
fn scripts_that_are_too_large_are_not_plain() {
    assert!(script(&format!("ls {}", "a".repeat(60_000))).plain().is_some());
    assert!(script(&format!("ls {}", "a".repeat(70_000))).plain().is_none());
    assert!(script(&"ls;".repeat(64)).plain().is_some());
    assert!(script(&"ls;".repeat(65)).plain().is_none());
    assert!(matches!(Script::of_argv(&[]), Script::Complex { .. }));
}
