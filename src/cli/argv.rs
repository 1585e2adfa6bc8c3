//! Prepares the command line for clap, so that the program can stand in for `codex app-server …`.

use std::{ffi::OsString, path::Path};

/// Options of the reference program that take a value and may precede the word `app-server`.
const OPTIONS_WITH_VALUE: [&str; 6] =
    ["-c", "--config", "--enable", "--disable", "--remote", "--remote-auth-token-env"];

/// The command line without the word `app-server`.
pub struct Called {
    /// Called as `codex` or with the word `app-server`: the caller expects the reference program.
    pub as_codex: bool,
    /// The words for clap; the first is the program's name.
    pub words: Vec<OsString>,
}

/// Removes the word `app-server` if it is the first positional word, so that `codex -c model=o3 app-server --listen …`
/// means `codex-app-server -c model=o3 --listen …`.
pub fn read(mut words: Vec<OsString>) -> Called {
    let named_codex = words.first().is_some_and(|name| Path::new(name).file_stem().is_some_and(|stem| stem == "codex"));
    let position = first_plain_word(&words).filter(|&at| words[at] == "app-server");
    if let Some(at) = position {
        words.remove(at);
    }
    Called { as_codex: named_codex || position.is_some(), words }
}

fn first_plain_word(words: &[OsString]) -> Option<usize> {
    let mut is_value_of_option = false;
    for (at, word) in words.iter().enumerate().skip(1) {
        if is_value_of_option {
            is_value_of_option = false;
        } else if OPTIONS_WITH_VALUE.iter().any(|option| word == option) {
            is_value_of_option = true;
        } else if !word.as_encoded_bytes().starts_with(b"-") {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words_after(line: &str) -> Vec<String> {
        let called = read(line.split(' ').map(OsString::from).collect());
        called.words.into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn takes_out_the_first_plain_word_only() {
        assert_eq!(words_after("codex --strict-config app-server --stdio"), ["codex", "--strict-config", "--stdio"]);
        assert_eq!(words_after("x -c app-server --stdio"), ["x", "-c", "app-server", "--stdio"]);
        assert_eq!(words_after("x config app-server"), ["x", "config", "app-server"]);
        assert_eq!(words_after("x app-server app-server"), ["x", "app-server"]);
    }

    #[test]
    fn a_process_without_a_name_is_not_codex() {
        assert!(!read(Vec::new()).as_codex);
    }
}
