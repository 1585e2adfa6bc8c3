//! Finds the commands and scripts that stand in the words of other commands: `env X=1 rm`, `bash -c 'rm'`,
//! `find -exec rm`, `eval 'rm'`.

use std::collections::HashSet;
use std::ops::Range;

use super::programs::{is_hidden, is_shell, is_wrapper, may_destroy, name, name_of, reads_stdin};
use super::seen::{Seen, SeenCommand};

/// Looks into the commands from the one with the number `first` on, which belong to a script at `level`.
pub(super) fn unwrap(seen: &mut Seen, first: usize, level: usize) {
    let last = seen.commands.len();
    for number in first..last {
        let command = seen.commands[number].clone();
        if runs_its_words(seen, &command) {
            // Commands inside of one that a wrapper runs are found here as well.
            for at in 1..command.argv.len() {
                let word = &command.argv[at];
                if !is_notable(name(word)) {
                    continue;
                }
                if !seen.may_read(command.argv[at..].iter().map(|word| word.len() + 24).sum()) {
                    break;
                }
                seen.push_to(command.statement, command.argv[at..].to_vec(), command.computed);
            }
        }
    }
    let mut fed_statements = HashSet::new();
    for number in first..seen.commands.len() {
        let command = seen.commands[number].clone();
        for script in scripts(&command.argv) {
            seen.queue(script, level);
        }
        if reads_stdin(&command.argv) && fed_statements.insert(command.statement) {
            feed(seen, first..last, command.statement, level);
        }
    }
}

/// Whether a command runs words behind its first as a command.
fn runs_its_words(seen: &Seen, command: &SeenCommand) -> bool {
    let name = name_of(&command.argv);
    is_wrapper(name) || is_shell(name) || is_hidden(name) || seen.is_function(name)
}

/// Whether a word may be the name of a program that matters.
fn is_notable(name: &str) -> bool {
    is_shell(name) || matches!(name, "eval" | "trap" | "source") || is_hidden(name) || may_destroy(name)
}

/// The scripts among the words of a command.
fn scripts(argv: &[String]) -> Vec<String> {
    let arguments = argv.get(1..).unwrap_or_default();
    let values = |word: &String| word.split_once('=').map(|(_, value)| value.trim_start_matches('!').to_owned());
    match name_of(argv) {
        "eval" => vec![arguments.join(" ")],
        "trap" | "." | "source" => arguments.to_vec(),
        // An alias of git that begins with `!`, and settings that name a program.
        "alias" | "git" | "tar" => arguments.iter().filter_map(values).collect(),
        name if is_shell(name) || is_wrapper(name) => {
            arguments.iter().filter(|word| word.contains([' ', '\t', '\n', ';', '$'])).cloned().collect()
        }
        _ => Vec::new(),
    }
}

/// A shell of `statement` reads a script: it may be any text of the statement.
fn feed(seen: &mut Seen, among: Range<usize>, statement: usize, level: usize) {
    // Statements are numbered in the order of the text.
    let commands = &seen.commands[among];
    let begin = commands.partition_point(|command| command.statement < statement);
    let printed = commands[begin..].iter().take_while(|command| command.statement == statement);
    let printed = printed.filter(|command| matches!(name_of(&command.argv), "echo" | "printf" | "cat" | "print"));
    let mut texts: Vec<String> = printed.map(|command| command.argv[1..].join(" ")).collect();
    let begin = seen.fed.partition_point(|(fed_to, _)| *fed_to < statement);
    texts.extend(seen.fed[begin..].iter().take_while(|(fed_to, _)| *fed_to == statement).map(|(_, text)| text.clone()));
    for text in texts {
        seen.queue(text, level);
    }
}
