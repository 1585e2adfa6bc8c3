//! What can be seen of a script, whether it is plain or not: each command that its text shows, also those inside
//! substitutions, loops, functions, and in strings that a shell will read. It is a search for what is dangerous: it
//! may see more commands than will run. What it had to leave out makes it [`Seen::lost`].

use std::collections::{HashMap, HashSet, VecDeque};

/// Most bytes of text that are read for one script, with the scripts inside it.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Most commands that are kept.
const MOST_COMMANDS: usize = 16 * 1024;

/// How deep scripts may stand in strings of scripts.
const MOST_LEVELS: usize = 8;

/// Most variables that are known, and the longest value of one, in bytes.
const MOST_VARIABLES: usize = 64;
const LONGEST_VALUE: usize = 16 * 1024;

/// What can be seen of a script.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The commands, each wrapper followed by what it runs.
    pub(in crate::approval) commands: Vec<SeenCommand>,
    /// Files to which redirections write.
    pub(in crate::approval) written: Vec<String>,
    /// Texts that commands read from their standard input, with the statement.
    pub(in crate::approval) fed: Vec<(usize, String)>,
    /// There is more than was looked at, or something was not understood.
    pub(in crate::approval) lost: bool,
    pub(super) statement: usize,
    /// `None` if the value is not known.
    variables: HashMap<String, Option<String>>,
    functions: HashSet<String>,
    /// Scripts inside of this one, with their level.
    waiting: VecDeque<(String, usize)>,
    read_bytes: usize,
}

/// A command that a script shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::approval) struct SeenCommand {
    /// Its words. What is known only when it runs is left out of them.
    pub argv: Vec<String>,
    /// Some of a word is known only when it runs.
    pub computed: bool,
    /// Commands of one statement may feed each other.
    pub statement: usize,
}

impl Seen {
    /// The next script to be read, with its level.
    pub(super) fn next_waiting(&mut self) -> Option<(String, usize)> {
        self.waiting.pop_front()
    }

    /// Keeps a script to be read; `level` is that of the script in which it stands.
    pub(super) fn queue(&mut self, script: String, level: usize) {
        if level >= MOST_LEVELS {
            self.lost = true;
        } else if self.may_read(script.len()) {
            self.waiting.push_back((script, level + 1));
        }
    }

    /// Counts text to be read or copied. If that is too much, it is lost.
    pub(super) fn may_read(&mut self, bytes: usize) -> bool {
        self.read_bytes = self.read_bytes.saturating_add(bytes);
        self.lost |= self.read_bytes > MOST_BYTES;
        self.read_bytes <= MOST_BYTES
    }

    /// Keeps a command of the present statement.
    pub(super) fn push(&mut self, argv: Vec<String>, computed: bool) {
        self.push_to(self.statement, argv, computed);
    }

    pub(super) fn push_to(&mut self, statement: usize, argv: Vec<String>, computed: bool) {
        if self.commands.len() >= MOST_COMMANDS {
            self.lost = true;
        } else {
            self.commands.push(SeenCommand { argv, computed, statement });
        }
    }

    /// The value of a variable, if the script sets it once, to something that is known.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.as_deref()
    }

    /// If `word` is an assignment, keeps the value. It may be a command.
    pub(super) fn assign(&mut self, word: &str, is_known: bool) -> bool {
        let Some((name, value)) = word.split_once('=') else { return false };
        let (name, adds) = name.strip_suffix('+').map_or((name, false), |name| (name, true));
        // `x[1]=…` assigns, too.
        let plain = name.split('[').next().unwrap_or_default();
        let is_name = |it: char| it.is_ascii_alphanumeric() || it == '_';
        if plain.is_empty() || plain.starts_with(|it: char| it.is_ascii_digit()) || !plain.chars().all(is_name) {
            return false;
        }
        if value.contains(|it: char| it.is_ascii_whitespace()) && self.may_read(value.len()) {
            self.push(value.split_ascii_whitespace().map(str::to_owned).collect(), !is_known);
        }
        let is_new = !self.variables.contains_key(plain);
        if value.len() > LONGEST_VALUE || self.variables.len() >= MOST_VARIABLES {
            self.lost = true;
        } else {
            // Which of several values it has is not known.
            let value = (is_new && is_known && !adds && plain == name).then(|| value.to_owned());
            self.variables.insert(plain.to_owned(), value);
        }
        true
    }

    /// Keeps the name of a function.
    pub(super) fn define(&mut self, name: &str) {
        if self.functions.len() < MOST_VARIABLES {
            self.functions.insert(name.to_owned());
        } else {
            self.lost = true;
        }
    }

    /// The names of the functions that the script defines.
    pub(in crate::approval) fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().map(String::as_str)
    }

    /// Whether the script defines such a function. It may run its words.
    pub(super) fn is_function(&self, name: &str) -> bool {
        self.functions.contains(name)
    }
}
