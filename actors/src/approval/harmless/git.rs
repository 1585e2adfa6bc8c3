//! Commands of git that only read. No option of git itself is allowed before them: `-c`, `--git-dir` and `-C` choose what
//! it runs.

use super::options::Program;

const DIFF_FLAGS: &str = "pabsuwzMCRDWi0123456789";
const DIFF_VALUED: &str = "nUSGL";
const DIFF_LONG: &[&str] = &[
    "oneline",
    "stat",
    "stat=",
    "shortstat",
    "numstat",
    "dirstat",
    "summary",
    "graph",
    "patch",
    "no-patch",
    "name-only",
    "name-status",
    "decorate",
    "decorate=",
    "no-decorate",
    "all",
    "branches",
    "tags",
    "remotes",
    "since=",
    "until=",
    "after=",
    "before=",
    "author=",
    "committer=",
    "grep=",
    "format=",
    "pretty=",
    "pretty",
    "no-color",
    "color",
    "color=",
    "cached",
    "staged",
    "follow",
    "abbrev-commit",
    "no-abbrev-commit",
    "unified=",
    "no-ext-diff",
    "no-textconv",
    "merges",
    "no-merges",
    "reverse",
    "first-parent",
    "date=",
    "word-diff",
    "word-diff=",
    "check",
    "merge-base",
    "max-count=",
    "skip=",
    "diff-filter=",
    "find-renames",
    "find-copies",
    "ignore-all-space",
    "ignore-space-change",
    "raw",
    "minimal",
    "patience",
    "histogram",
    "text",
    "no-renames",
    "relative",
    "full-index",
    "topo-order",
    "date-order",
    "left-right",
    "cherry-pick",
    "no-prefix",
    "exit-code",
    "quiet",
    "compact-summary",
    "simplify-by-decoration",
    "no-notes",
];

const fn command(
    name: &'static str,
    flags: &'static str,
    valued: &'static str,
    long: &'static [&'static str],
) -> Program {
    Program { name, flags, valued, long, operands: usize::MAX }
}

const COMMANDS: &[Program] = &[
    command("diff", DIFF_FLAGS, DIFF_VALUED, DIFF_LONG),
    command("log", DIFF_FLAGS, DIFF_VALUED, DIFF_LONG),
    command("show", DIFF_FLAGS, DIFF_VALUED, DIFF_LONG),
    command(
        "status",
        "bsvz",
        "",
        &["short", "branch", "porcelain", "porcelain=", "long", "ignored", "untracked-files="],
    ),
    command(
        "ls-files",
        "cdmostz",
        "x",
        &["cached", "deleted", "modified", "others", "stage", "exclude-standard", "exclude="],
    ),
    command("ls-tree", "drtlz", "", &["name-only", "long", "full-tree", "full-name"]),
    command(
        "rev-parse",
        "",
        "",
        &["short", "short=", "abbrev-ref", "show-toplevel", "git-dir", "is-inside-work-tree", "verify", "show-prefix"],
    ),
    command("blame", "bcefklnpstw", "L", &["porcelain", "line-porcelain", "show-email", "date="]),
    command("shortlog", "enscm", "", &["summary", "numbered", "email", "no-merges", "all"]),
    command("describe", "", "", &["tags", "all", "always", "dirty", "long", "abbrev=", "match="]),
    command("rev-list", "", "n", &["count", "all", "max-count=", "oneline", "no-merges", "since=", "until="]),
    command("merge-base", "a", "", &["all", "is-ancestor"]),
    command("cat-file", "etps", "", &[]),
];

/// Whether git with these words only reads.
pub(super) fn git(arguments: &[String]) -> bool {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        // Without `--list`, a name makes a branch.
        ["branch", ref options @ ..] => {
            let lists = options.contains(&"--list");
            let known =
                ["-a", "-r", "-v", "-vv", "--list", "--show-current", "--all", "--remotes", "--verbose", "--no-color"];
            options.iter().all(|word| known.contains(word) || lists && !word.starts_with('-'))
        }
        ["tag"]
        | ["tag", "-l" | "--list"]
        | ["remote"]
        | ["remote", "-v"]
        | ["stash", "list"]
        | ["worktree", "list"] => true,
        ["--version" | "version"] => true,
        [name, ..] => COMMANDS.iter().any(|command| command.name == name && command.allows(&arguments[1..])),
        [] => false,
    }
}
