//! Commands that are known to read only, with the options that are known to read only. Whatever is not in these tables
//! is not harmless: a new option of a new version is asked about.

mod git;
mod options;
mod programs;

use super::shell::programs::{name, name_of};
use super::shell::{Script, SimpleCommand, is_of_the_system};

/// Whether a script only reads and prints: it is plain, and each of its commands is known to be harmless.
///
/// Such a script still belongs into the sandbox: git, for one, runs what the configuration of a repository names, so
/// this relies on `.git` being protected. After `cd`, which may lead to another repository, git is not harmless.
pub fn harmless(script: &Script) -> bool {
    script.plain().is_some_and(|commands| commands.iter().all(|command| is_harmless_among(command, commands)))
}

/// Whether one of the commands of a plain script is known to be harmless.
pub(super) fn is_harmless_among(command: &SimpleCommand, commands: &[SimpleCommand]) -> bool {
    let moves = commands.iter().any(|command| name_of(&command.argv) == "cd");
    is_harmless(command) && !(moves && name_of(&command.argv) == "git")
}

/// Whether a command is known to be harmless where it stands alone.
fn is_harmless(command: &SimpleCommand) -> bool {
    let Some((program, arguments)) = command.argv.split_first() else { return false };
    if !is_of_the_system(program) {
        return false;
    }
    match name(program) {
        "find" => programs::find(arguments),
        "sed" => programs::sed(arguments),
        "date" => programs::date(arguments),
        "echo" | "true" | "false" => true,
        "printf" => programs::printf(arguments),
        "git" => git::git(arguments),
        "command" | "type" => programs::type_of(name(program), arguments),
        other => options::PROGRAMS.iter().any(|known| known.name == other && known.allows(arguments)),
    }
}
