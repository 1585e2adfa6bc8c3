//! The prefix of commands that a person can allow from now on: what to propose, and what is too much to be proposed.

use super::destructive::destructive;
use super::harmless::is_harmless_among;
use super::shell::Script;
use super::shell::programs::{is_interpreter, is_shell, is_wrapper, name};

/// Most bytes of a prefix.
pub(super) const MOST_BYTES: usize = 4 * 1024;

/// Programs that run anything that their arguments say, besides shells and wrappers.
const RUNS_ANYTHING: &[&str] = &[
    "eval", "source", ".", "trap", "alias", "sed", "gsed", "tar", "bsdtar", "vi", "vim", "nvim", "ex", "ed", "emacs",
    "gdb", "expect", "npx", "rsync", "scp", "nc", "ncat", "netcat", "socat", "crontab", "at", "batch",
];

/// Programs whose first argument says what they do.
const HAS_COMMANDS: &[&str] = &[
    "git",
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "deno",
    "cargo",
    "docker",
    "podman",
    "go",
    "pip",
    "pip3",
    "uv",
    "poetry",
    "pipenv",
    "bundle",
    "gem",
    "kubectl",
    "gh",
    "aws",
    "conda",
    "systemctl",
    "apt",
    "apt-get",
    "brew",
    "dnf",
    "make",
    "terraform",
];

/// First arguments of such programs that stand for running anything.
const RUNS: &[&str] = &["exec", "run", "x", "dlx", "eval", "config", "shell", "task", "create", "api", "attach"];

/// Modules of Python that a prefix may name.
const MODULES: &[&str] = &["pytest", "unittest", "mypy", "ruff", "black"];

/// The prefix to propose for a script: that of the model if it really begins a command of the script, else the first
/// command that is not harmless. There is none for a script that is not plain or that is destructive.
pub fn proposed(script: &Script, of_model: Option<&[String]>) -> Option<Vec<String>> {
    if destructive(script).is_some() {
        return None;
    }
    let commands = script.plain()?;
    let command = commands.iter().find(|command| !is_harmless_among(command, commands))?;
    let of_model = of_model.filter(|words| command.argv.starts_with(words) && is_acceptable(words));
    let words = of_model.unwrap_or(&command.argv);
    is_acceptable(words).then(|| words.to_vec())
}

/// Whether a prefix is short enough and says what will run.
pub(super) fn is_acceptable(words: &[String]) -> bool {
    let bytes: usize = words.iter().map(|word| word.len() + 1).sum();
    let Some(program) = words.first().map(|word| name(word)) else { return false };
    if bytes > MOST_BYTES || program.is_empty() || program.contains('=') {
        return false;
    }
    let argument = |at: usize| words.get(at).map_or("", String::as_str);
    if HAS_COMMANDS.contains(&program) {
        return !argument(1).is_empty()
            && !argument(1).starts_with('-')
            // `npm run build` says what it runs, `docker run -it x` does not.
            && (!RUNS.contains(&argument(1)) || is_run_of_script(program, words));
    }
    if is_shell(program) || is_wrapper(program) || RUNS_ANYTHING.contains(&program) {
        return false;
    }
    if is_interpreter(program) {
        let is_module = argument(1) == "-m" && MODULES.contains(&argument(2));
        return is_module || !argument(1).is_empty() && !argument(1).starts_with('-');
    }
    true
}

/// `npm run NAME` and the like, which run a script of the project.
fn is_run_of_script(program: &str, words: &[String]) -> bool {
    matches!(program, "npm" | "pnpm" | "yarn" | "bun")
        && words[1] == "run"
        && words.get(2).is_some_and(|word| !word.starts_with('-'))
}
