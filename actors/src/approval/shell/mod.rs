//! What a shell script does, as far as its words show.
//!
//! Two readers look at each script. The strict one answers whether the script does what its words say and nothing
//! else; only such a script can be harmless or match what a person allowed. The generous one collects every command
//! that the text shows, in search of those that destroy something. Both are written here, because what exists as a
//! library either refuses what it does not know, which hides the rest of the script, or has no bounds of depth.

mod command;
mod expand;
mod nesting;
mod pieces;
mod plain;
pub(super) mod programs;
mod reader;
mod search;
mod seen;
mod wrappers;

pub use seen::Seen;
pub(super) use seen::SeenCommand;

/// A command of a plain script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimpleCommand {
    /// The program and its arguments, at least one word.
    pub argv: Vec<String>,
}

/// What is known of a script before it runs.
#[derive(Debug, PartialEq, Eq)]
pub enum Script {
    /// Every word is literal, and the commands are joined by `&&`, `||`, `;`, `|` or line breaks only. They can only
    /// write files that their words name.
    Plain {
        /// The commands, at least one.
        commands: Vec<SimpleCommand>,
        /// The same commands and those inside of their words.
        seen: Seen,
    },
    /// Anything else, also what is no script.
    Complex {
        /// The commands that could be seen.
        seen: Seen,
    },
}

impl Script {
    /// Reads the script that `shell` will run. It is plain only in shells whose words are understood here: bash, sh,
    /// dash and zsh of the system.
    pub fn of_text(shell: &str, text: &str) -> Self {
        let seen = if programs::is_shell(programs::name(shell)) {
            search::in_script(text)
        } else {
            search::in_argv(&[shell.to_owned(), "-c".to_owned(), text.to_owned()])
        };
        let is_known = matches!(programs::name(shell), "bash" | "sh" | "dash" | "zsh") && is_of_the_system(shell);
        match plain::plain(text).filter(|_| is_known) {
            Some(commands) => Self::Plain { commands, seen },
            None => Self::Complex { seen },
        }
    }

    /// Reads a command whose words are known. The script of `bash -lc SCRIPT` takes the place of the command.
    pub fn of_argv(argv: &[String]) -> Self {
        match argv {
            [shell, flag, text] if programs::is_shell(programs::name(shell)) && matches!(&**flag, "-c" | "-lc") => {
                Self::of_text(shell, text)
            }
            [program, ..] if !program.is_empty() => {
                let commands = vec![SimpleCommand { argv: argv.to_vec() }];
                Self::Plain { commands, seen: search::in_argv(argv) }
            }
            _ => Self::Complex { seen: search::in_argv(argv) },
        }
    }

    /// The commands of a plain script.
    pub fn plain(&self) -> Option<&[SimpleCommand]> {
        match self {
            Self::Plain { commands, .. } => Some(commands),
            Self::Complex { .. } => None,
        }
    }

    /// The commands that could be seen.
    pub fn seen(&self) -> &Seen {
        match self {
            Self::Plain { seen, .. } | Self::Complex { seen } => seen,
        }
    }
}

/// Whether a program is found where the system has its programs, or by its name alone.
pub(super) fn is_of_the_system(program: &str) -> bool {
    let bare = program.strip_prefix("/bin/").or_else(|| program.strip_prefix("/usr/bin/")).unwrap_or(program);
    !bare.contains('/')
}
