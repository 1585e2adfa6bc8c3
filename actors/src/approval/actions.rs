//! What a command does, as clients show it: reads a file, lists files, searches, or something else.

use super::shell::programs::name_of;
use super::shell::{Script, SimpleCommand};
use crate::protocol::item::CommandAction;

/// Programs that show a file.
const READS: &[&str] = &["cat", "head", "tail", "nl", "bat", "less", "more", "sed", "tac"];

/// Programs that only shape what comes through a pipe, if they name no file.
const SHAPES: &[&str] =
    &["cat", "head", "tail", "nl", "sort", "uniq", "wc", "cut", "tr", "column", "less", "more", "sed", "true", "cd"];

/// What the parts of a command do. `text` is the whole script. A script that is not plain is one unknown part.
pub fn command_actions(script: &Script, text: &str) -> Vec<CommandAction> {
    let Some(commands) = script.plain() else {
        return vec![CommandAction::Unknown { command: text.to_owned() }];
    };
    let mut telling: Vec<&SimpleCommand> = commands.iter().filter(|command| !only_shapes(command)).collect();
    if telling.is_empty() {
        telling.extend(commands);
    }
    telling.into_iter().map(action).collect()
}

fn only_shapes(command: &SimpleCommand) -> bool {
    let name = name_of(&command.argv);
    SHAPES.contains(&name) && (name == "cd" || files(command).is_empty())
}

fn action(simple: &SimpleCommand) -> CommandAction {
    // Words of plain scripts hold no NUL, which is what cannot be quoted.
    let command = shlex::try_join(simple.argv.iter().map(String::as_str)).unwrap_or_else(|_| simple.argv.join(" "));
    let operands = operands(simple);
    let operand = |at: usize| operands.get(at).map(|word| (*word).to_owned());
    match name_of(&simple.argv) {
        "ls" | "tree" | "eza" | "exa" | "du" => CommandAction::ListFiles { command, path: operand(0) },
        "find" => {
            let path = simple.argv.get(1).filter(|word| !word.starts_with(['-', '(', '!'])).cloned();
            let names = ["-name", "-iname", "-path", "-ipath", "-regex"];
            let query =
                simple.argv.windows(2).find(|pair| names.contains(&pair[0].as_str())).map(|pair| pair[1].clone());
            match query {
                Some(query) => CommandAction::Search { command, query: Some(query), path },
                None => CommandAction::ListFiles { command, path },
            }
        }
        "rg" if simple.argv.iter().any(|word| word == "--files") => {
            CommandAction::ListFiles { command, path: operand(0) }
        }
        "fd" | "fdfind" | "grep" | "egrep" | "fgrep" | "rg" | "ag" | "ack" => {
            CommandAction::Search { command, query: operand(0), path: operand(1) }
        }
        "git" => of_git(simple, command),
        name if READS.contains(&name) => match files(simple)[..] {
            [path] => {
                let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
                CommandAction::Read { name: name.to_owned(), path: path.to_owned(), command }
            }
            _ => CommandAction::Unknown { command },
        },
        _ => CommandAction::Unknown { command },
    }
}

fn of_git(simple: &SimpleCommand, command: String) -> CommandAction {
    let words = operands(simple);
    match words.first().copied() {
        Some("grep") => {
            let word = |at: usize| words.get(at).map(|word| (*word).to_owned());
            CommandAction::Search { command, query: word(1), path: word(2) }
        }
        Some("ls-files") => CommandAction::ListFiles { command, path: words.get(1).map(|word| (*word).to_owned()) },
        _ => CommandAction::Unknown { command },
    }
}

/// The files that a program which shows files names.
fn files(simple: &SimpleCommand) -> Vec<&str> {
    let operands = operands(simple);
    match name_of(&simple.argv) {
        // The first is a script.
        "sed" => operands.into_iter().skip(1).collect(),
        "tr" => Vec::new(),
        _ => operands,
    }
}

/// The words behind the program that are no options, and no values of the usual options that have some.
fn operands(simple: &SimpleCommand) -> Vec<&str> {
    let valued: &[&str] = match name_of(&simple.argv) {
        "head" | "tail" => &["-n", "-c"],
        "grep" | "egrep" | "fgrep" => &["-A", "-B", "-C", "-m"],
        "rg" => &["-A", "-B", "-C", "-m", "-g", "-t", "-T", "-M", "-j"],
        "cut" => &["-d", "-f", "-c", "-b"],
        "sort" => &["-k", "-t"],
        "tree" => &["-L", "-I", "-P"],
        "du" => &["-d"],
        _ => &[],
    };
    let mut operands = Vec::new();
    let mut words = simple.argv.iter().skip(1).map(String::as_str);
    while let Some(word) = words.next() {
        if word == "--" {
            operands.extend(words.by_ref());
        } else if valued.contains(&word) {
            words.next();
        } else if !word.starts_with('-') {
            operands.push(word);
        }
    }
    operands
}
