//! What git destroys: work that is not committed, commits that nothing else holds, branches of others.

/// Options of git itself that take the next word.
const TAKES_VALUE: [&str; 8] =
    ["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env", "--attr-source"];

const CHANGES: &str = "discards changes that are not committed";
const COMMITS: &str = "deletes commits or branches of git";

/// Why a command of git with these words is destructive.
pub(super) fn of_git(arguments: &[String]) -> Option<&'static str> {
    let mut words = arguments.iter().map(String::as_str);
    let command = loop {
        match words.next()? {
            option if TAKES_VALUE.contains(&option) => {
                words.next();
            }
            option if option.starts_with('-') => {}
            command => break command,
        }
    };
    let words: Vec<&str> = words.collect();
    // git takes the beginning of a long option for the whole.
    let long = |name: &str, least: usize| {
        words.iter().any(|word| {
            let word = word.split('=').next().unwrap_or_default();
            word.len() >= least && name.starts_with(word)
        })
    };
    let short = |letter: char| words.iter().any(|word| is_cluster(word) && word.contains(letter));
    let has = |wanted: &str| words.contains(&wanted);
    let forces = || long("--force", 4) || short('f');
    let first = words.iter().copied().find(|word| !word.starts_with('-')).unwrap_or_default();
    let found = match command {
        "clean" => (forces() || short('x') || short('X') || short('d')) && !long("--dry-run", 4) && !short('n'),
        "reset" => long("--hard", 4) || long("--merge", 4),
        "restore" => !(short('S') || long("--staged", 5)) || short('W') || long("--worktree", 4),
        "checkout" => {
            let names = words.iter().filter(|word| !word.starts_with('-')).count();
            let makes_branch = short('b') || short('B') || short('t') || long("--orphan", 4) || long("--track", 4);
            let is_path = |word: &&str| word.starts_with('.') || word.starts_with(':');
            has("--") || forces() || words.iter().any(is_path) || names > 1 && !makes_branch
        }
        "switch" => forces() || long("--discard-changes", 4),
        "rm" => forces() || short('r'),
        "stash" => return matches!(first, "drop" | "clear").then_some(COMMITS),
        "push" => {
            let overwrites = words.iter().any(|word| word.len() > 1 && word.starts_with(['+', ':']));
            let found = overwrites
                || forces()
                || long("--force-with-lease", 8)
                || short('d')
                || long("--delete", 4)
                || long("--mirror", 4)
                || long("--prune", 4);
            return found.then_some("overwrites or deletes what others see in a repository");
        }
        "branch" => return (short('D') || (short('d') || long("--delete", 4)) && forces()).then_some(COMMITS),
        "tag" => return (short('d') || long("--delete", 4)).then_some(COMMITS),
        "reflog" => return matches!(first, "expire" | "delete").then_some(COMMITS),
        "worktree" => first == "remove" && forces(),
        "submodule" => first == "deinit" && forces(),
        "gc" => return long("--prune", 4).then_some(COMMITS),
        "update-ref" => return short('d').then_some(COMMITS),
        "filter-branch" | "filter-repo" | "prune" => return Some(COMMITS),
        _ => false,
    };
    found.then_some(CHANGES)
}

/// Whether a word is short options in one.
fn is_cluster(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-') && !word.starts_with("--")
}
