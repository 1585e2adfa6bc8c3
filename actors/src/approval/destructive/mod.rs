//! Commands that destroy something for good, or hand the machine to somebody. They are searched for in everything that
//! a script shows, not only where it is plain. It is a net with meshes: what holds is the sandbox. It is there so that a
//! person is asked before what the sandbox allows.

mod code;
mod git;
mod words;

use std::collections::HashSet;

use super::shell::programs::{is_hidden, is_interpreter, is_shell, is_source_of_the_unknown, name_of, reads_stdin};
use super::shell::{Script, Seen, SeenCommand};

/// Why a script is destructive, in words for the person who decides; `None` if nothing of the kind was seen. A script
/// that is too long, too deeply nested or too strange to be searched counts as destructive.
pub fn destructive(script: &Script) -> Option<&'static str> {
    let seen = script.seen();
    let of_commands = seen.commands.iter().find_map(of_command);
    of_commands.or_else(|| of_fed_code(seen)).or_else(|| of_unknown_script(seen)).or_else(|| of_written(seen)).or_else(
        || {
            if calls_itself(seen) {
                Some("starts processes without end")
            } else {
                seen.lost.then_some("cannot be searched for what it destroys: it is too long, too nested or unusual")
            }
        },
    )
}

fn of_command(command: &SeenCommand) -> Option<&'static str> {
    let argv = &command.argv;
    let arguments = argv.get(1..).unwrap_or_default();
    let name = name_of(argv);
    // What a string does not show of its first word is missing in it: `eval "$x -rf y"`.
    // In `[[ -r x && -f y ]]` nothing is.
    let is_missing = words::is_like_rm(name) && (name.len() > 2 || arguments.last().is_none_or(|word| word != "]]"));
    if is_missing || is_hidden(name) && arguments.first().is_some_and(|word| words::is_like_rm(word)) {
        return Some("hides the name of a program that looks like rm");
    }
    if name == "git" {
        return git::of_git(arguments);
    }
    words::of_words(name, arguments).or_else(|| {
        let runs_code = is_interpreter(name) && arguments.iter().any(|word| code::deletes(word));
        runs_code.then_some("runs code that deletes files")
    })
}

/// Code that an interpreter reads from its standard input.
fn of_fed_code(seen: &Seen) -> Option<&'static str> {
    let interpreters = seen.commands.iter().filter(|command| is_interpreter(name_of(&command.argv)));
    let fed: HashSet<usize> = interpreters.map(|command| command.statement).collect();
    let mut texts = seen.fed.iter().filter(|(statement, _)| fed.contains(statement));
    texts.any(|(_, text)| code::deletes(text)).then_some("runs code that deletes files")
}

/// `curl … | sh`, `eval "$(wget …)"`, `base64 -d … | bash`: nobody saw what will run.
fn of_unknown_script(seen: &Seen) -> Option<&'static str> {
    let sources = seen.commands.iter().filter(|command| is_source_of_the_unknown(name_of(&command.argv)));
    let statements: HashSet<usize> = sources.map(|command| command.statement).collect();
    let runs_it = |command: &SeenCommand| {
        let name = name_of(&command.argv);
        let takes_words = is_shell(name) || matches!(name, "eval" | "source" | ".");
        statements.contains(&command.statement) && (reads_stdin(&command.argv) || takes_words && command.computed)
    };
    seen.commands.iter().any(runs_it).then_some("runs a script that comes from elsewhere or is encoded")
}

/// Redirections into devices.
fn of_written(seen: &Seen) -> Option<&'static str> {
    let harmless = ["null", "stdout", "stderr", "tty", "zero", "full", "fd", "shm", "tcp", "udp", "pts"];
    let is_device = |path: &String| {
        let device = path.strip_prefix("/dev/").map(|device| device.split('/').next().unwrap_or_default());
        device.is_some_and(|device| !harmless.contains(&device))
    };
    seen.written.iter().any(is_device).then_some("overwrites a device")
}

/// `f() { f | f & }; f`.
fn calls_itself(seen: &Seen) -> bool {
    let calls = |name: &str| seen.commands.iter().filter(|command| name_of(&command.argv) == name).count();
    // The definition, two calls inside, and one from outside.
    seen.functions().any(|name| calls(name) >= 4) && seen.commands.len() < 12
}
