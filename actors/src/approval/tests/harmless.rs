//! What is harmless, and what looks like it and is not. Break-outs of the shell are in `break_outs`.

use super::script;
use crate::approval::harmless::harmless;
use crate::approval::shell::Script;

const HARMLESS: &[&str] = &[
    "ls",
    "ls -la src",
    "pwd",
    "cat README.md",
    "cat -n a b",
    "cat 'a b' \"c d\" e\\ f",
    "/bin/cat x",
    "/usr/bin/wc -l x",
    "head -n 20 x",
    "head -20 x",
    "head -n -5 x",
    "tail -c +10 x",
    "wc -l x",
    "grep -rn 'a|b' src",
    "grep -A3 -B 3 x y",
    "grep --include=a.rs -r x .",
    "grep -e x -- -y",
    "rg foo",
    "rg -n --glob=a.rs 'a.*b' src",
    "rg --files",
    "find . -name '*.rs'",
    "find src -type f -maxdepth 2 -not -name x -print0",
    "find . \\( -name a -o -name b \\) -mtime -1",
    "sed -n 1,200p x",
    "sed -n '5,$p' x",
    "sed -n 3p",
    "git status",
    "git status --short -b",
    "git log --oneline -n 5",
    "git log -5 --stat HEAD~3",
    "git log --since=yesterday --format='%h %s' -- src",
    "git diff",
    "git diff --cached --stat HEAD^ -- a b",
    "git show HEAD:README.md",
    "git branch",
    "git branch -a -vv",
    "git branch --list 'a*'",
    "git rev-parse --show-toplevel",
    "git ls-files -o --exclude-standard",
    "git remote -v",
    "git stash list",
    "git blame -L 1,5 x",
    "echo hi",
    "echo -e 'a\\nb'",
    "printf '%s\\n' a b",
    "printf '%s%%%b' a",
    "true",
    "date",
    "date -u +%s",
    "stat -c %s x",
    "file x",
    "which ls",
    "command -v cargo",
    "type ls",
    "uname -a",
    "id -u",
    "whoami",
    "hostname",
    "du -sh .",
    "df -h",
    "sort -rn -k2 x",
    "uniq -c x",
    "cut -d: -f1 /etc/passwd",
    "tr a-z A-Z",
    "jq -r .a x.json",
    "nl x",
    "basename a/b",
    "dirname a/b",
    "realpath .",
    "readlink -f x",
    "diff -u a b",
    "cd src && ls",
    "ls | wc -l",
    "cat x || true; pwd",
    "ls &&\n pwd",
    "ls\n\npwd\n",
    "ls 2>/dev/null",
    "ls 2>&1 | head -5",
    "grep x y > /dev/null",
    "ls;",
    "\\ls",
    "echo \"it's \\\"quoted\\\"\"",
];

const NOT: &[&str] = &[
    "",
    " ",
    "\n",
    "touch x",
    "make",
    "./ls",
    "bin/ls",
    "/tmp/ls",
    "/bin/../tmp/ls",
    "/usr/local/bin/ls",
    "bash -c ls",
    "env ls",
    "env",
    "timeout 5 ls",
    "command ls",
    "exec ls",
    "nohup ls",
    "test -v 'a[$(id)]'",
    "[ -f x ]",
    "printf -v x y",
    "printf %d 'x[$(id)]'",
    "printf '%s %5d' x y",
    "printf '%%%d' x",
    "printf",
    "tee x",
    "head --lines 3",
    "cat -z",
    "rg --pre sh x",
    "rg --pre=sh x",
    "rg --hostname-bin=x y",
    "rg -z x",
    "rg --search-zip x",
    "grep --inc=x y",
    "find . -delete",
    "find . -exec ls +",
    "find . -execdir ls +",
    "find . -ok ls",
    "find . -fprint x",
    "find . -fprintf x y",
    "find . -fls x",
    "find . -fprint0 x",
    "find -files0-from x",
    "sed s/a/b/ x",
    "sed -i s/a/b/ x",
    "sed -n 1p -i x",
    "sed -n -i 1p x",
    "sed -n '1w x' y",
    "sed -n '1e id' y",
    "sed -ni 1p x",
    "sed -n 1p x --in-place",
    "sort -o x y",
    "sort -ox y",
    "sort -ro x y",
    "sort --output=x y",
    "sort --out=x y",
    "sort --compress-program=sh y",
    "sort y -o x",
    "sort -T /x y",
    "uniq a b",
    "uniq -- a b",
    "uniq -c a b",
    "date -s now",
    "date --set=now",
    "date --se=now",
    "date 01010000",
    "date -us now",
    "hostname evil",
    "hostname -F x",
    "file -C -m x",
    "file -m x y",
    "file -z x",
    "tree -o x",
    "tree -R -H x",
    "diff --to-file=x -l y",
    "jq -f x y",
    "jq -L x .",
    "xxd a b",
    "git",
    "git -c core.pager=id log",
    "git -c alias.x=!id x",
    "git --git-dir=x status",
    "git -C x status",
    "git --exec-path=x status",
    "git -p log",
    "git diff --output=x",
    "git log --output x",
    "git diff --ext-diff",
    "git show --textconv",
    "git diff --outp=x",
    "git log -Ox",
    "git branch x",
    "git branch -d x",
    "git branch -D x",
    "git branch -m x",
    "git branch --edit-description",
    "git branch -f x",
    "git branch -a x",
    "git tag x",
    "git tag -d x",
    "git remote add x y",
    "git remote update",
    "git stash",
    "git stash pop",
    "git config x y",
    "git checkout x",
    "git commit -m x",
    "git fetch",
    "git grep -O x",
    "git ls-files --with-tree=x",
    "git blame --contents x",
    "git cat-file --filters x",
    "cd x && git status",
    "cd x; git log",
    "ls && touch x",
    "ls | tee x",
    "ls; rm x",
    "tail -f x",
    "command ls -v",
    "cat x > y",
    "ls -n --foo=/bin/x",
];

#[test]
fn commands_that_read_are_harmless() {
    for text in HARMLESS {
        assert!(harmless(&script(text)), "{text:?}: {:?}", script(text).plain());
    }
}

#[test]
fn commands_that_might_write_or_run_something_are_not() {
    for text in NOT {
        assert!(!harmless(&script(text)), "{text:?}");
    }
}

#[test]
fn harmless_words_become_harmful_with_one_more() {
    for text in HARMLESS {
        for more in [
            "&& touch x",
            "; touch x",
            "| tee x",
            "\ntouch x",
            "> x",
            ">> x",
            "& touch x",
            "$(touch x)",
            "`touch x`",
            "<(touch x)",
        ] {
            assert!(!harmless(&script(&format!("{text} {more}"))), "{text} {more}");
        }
    }
}

#[test]
fn a_shell_or_program_from_elsewhere_is_not_trusted() {
    assert!(harmless(&Script::of_text("bash", "ls")));
    assert!(harmless(&Script::of_text("/usr/bin/zsh", "ls")));
    for shell in ["/tmp/bash", "./sh", "fish", "/bin/fish", "python3", "", "bash -x", "/bin/bash\0"] {
        assert!(!harmless(&Script::of_text(shell, "ls")), "{shell}");
    }
    let argv = |words: &[&str]| Script::of_argv(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    assert!(harmless(&argv(&["bash", "-lc", "ls | wc -l"])));
    assert!(harmless(&argv(&["ls", "$(touch x)", "a b"])), "no shell reads these words");
    assert!(!harmless(&argv(&["/tmp/bash", "-lc", "ls"])));
    assert!(!harmless(&argv(&["bash", "-lc", "ls", "x"])));
    assert!(!harmless(&argv(&["bash", "-ic", "ls"])));
    assert!(!harmless(&argv(&[])));
    assert!(!harmless(&argv(&[""])));
}
