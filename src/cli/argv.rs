//! Prepares the command line for clap, so that the program can stand in for `codex app-server …`.

use std::{ffi::OsString, path::Path};

/// Options of the reference program that take a value and may precede the word `app-server`.
const OPTIONS_WITH_VALUE: [&str; 6] =
    ["-c", "--config", "--enable", "--disable", "--remote", "--remote-auth-token-env"];

/// Names by which the program applies a patch.
const APPLY_PATCH: [&str; 2] = ["apply_patch", "applypatch"];

/// The command line without the word `app-server`.
pub struct Called {
    /// Called as `codex` or with the word `app-server`: the caller expects the reference program.
    pub as_codex: bool,
    /// The words for clap; the first is the program's name.
    pub words: Vec<OsString>,
}

/// Removes the word `app-server` if it is the first positional word, so that `codex -c model=o3 app-server --listen …`
/// means `codex-app-server -c model=o3 --listen …`. Called `apply_patch`, the program is its own subcommand.
pub fn read(mut words: Vec<OsString>) -> Called {
    let name = words.first().and_then(|name| Path::new(name).file_stem().map(ToOwned::to_owned)).unwrap_or_default();
    if APPLY_PATCH.iter().any(|known| name == *known) {
        words.insert(1, "apply-patch".into());
        return Called { as_codex: false, words };
    }
    let named_codex = name == "codex";
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
    fn a_name_can_stand_for_a_subcommand() {
        assert_eq!(words_after("/run/x/apply_patch app-server"), ["/run/x/apply_patch", "apply-patch", "app-server"]);
        assert_eq!(words_after("applypatch"), ["applypatch", "apply-patch"]);
    }

    #[test]
    fn a_process_without_a_name_is_not_codex() {
        assert!(!read(Vec::new()).as_codex);
    }
}
