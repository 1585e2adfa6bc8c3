//! A command while it is read, word by word.

use super::expand;
use super::nesting::{Meaning, Nesting};
use super::seen::Seen;

/// Words behind which a command begins.
const KEYWORDS: [&str; 13] =
    ["{", "}", "!", "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "time"];

/// Builtins whose operands are assignments.
const DECLARE: [&str; 5] = ["export", "declare", "typeset", "local", "readonly"];

/// What the next word is, if not an argument.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// A file to read.
    Read,
    /// A file to write.
    Written,
    /// The text of the standard input.
    Fed,
}

/// What the next word can be.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Position {
    /// A keyword or the first word of a command.
    #[default]
    First,
    /// A name behind `function`.
    Function,
    /// A name behind `for` or `select`.
    Variable,
    /// `in` or `do` behind that name.
    In,
    /// Only an argument, an assignment, or a program behind those.
    Argument,
}

#[derive(Default)]
pub(super) struct Command {
    /// What is open around it, from one command to the next.
    pub(super) nesting: Nesting,
    argv: Vec<String>,
    position: Position,
    word: Vec<u8>,
    /// A word has begun, though it may be empty.
    in_word: bool,
    /// Something of the word was quoted or expanded.
    is_quoted: bool,
    has_braces: bool,
    /// It begins like an assignment.
    assigns: bool,
    /// Something of the word is the value of a variable, or not known now.
    is_expanded: bool,
    is_unknown: bool,
    /// The same of the program's name, and of any word.
    has_expanded_name: bool,
    computed: bool,
    pub(super) target: Option<Target>,
}

impl Command {
    pub(super) fn is_in_word(&self) -> bool {
        self.in_word
    }

    /// Whether the word so far ends in `=`, behind which `(` begins a list.
    pub(super) fn is_assignment(&self) -> bool {
        self.in_word && !self.is_quoted && self.word.ends_with(b"=")
    }

    pub(super) fn push_bare(&mut self, byte: u8) {
        self.in_word = true;
        self.has_braces |= byte == b'{';
        self.assigns |= byte == b'=' && !self.is_quoted;
        self.word.push(byte);
    }

    pub(super) fn push_quoted(&mut self, text: &[u8]) {
        (self.in_word, self.is_quoted) = (true, true);
        self.word.extend_from_slice(text);
    }

    /// Something that is not known now belongs to the word.
    pub(super) fn compute(&mut self) {
        (self.in_word, self.is_quoted) = (true, true);
        (self.is_expanded, self.is_unknown, self.computed) = (true, true, true);
    }

    /// Appends the value of a variable.
    pub(super) fn expand(&mut self, name: &str, is_quoted: bool, seen: &mut Seen) {
        let value = if name == "IFS" { Some(" ".to_owned()) } else { seen.variable(name).map(str::to_owned) };
        if value.is_none() {
            self.compute();
        }
        self.push_expanded(&value.unwrap_or_default(), is_quoted, seen);
    }

    /// Appends text of an expansion, which blanks divide into words where no quotes are around it.
    pub(super) fn push_expanded(&mut self, text: &str, is_quoted: bool, seen: &mut Seen) {
        if !seen.may_read(text.len()) {
            return;
        }
        // Behind `>` and `<` stands one word.
        let is_quoted = is_quoted || self.target.is_some();
        self.in_word |= is_quoted || !text.is_empty();
        for byte in text.bytes() {
            if !is_quoted && byte.is_ascii_whitespace() {
                (self.is_quoted, self.is_expanded) = (true, true);
                self.end_word(seen);
            } else {
                self.in_word = true;
                self.word.push(byte);
            }
        }
        (self.is_quoted, self.is_expanded) = (true, true);
    }

    /// The text of all words.
    pub(super) fn text(mut self) -> String {
        let last = String::from_utf8_lossy(&self.word).into_owned();
        self.argv.push(last);
        self.argv.join(" ")
    }

    /// Before `>` or `<`: a number is no argument.
    pub(super) fn drop_descriptor(&mut self) {
        if !self.is_quoted && !self.word.is_empty() && self.word.iter().all(u8::is_ascii_digit) {
            self.word.clear();
            self.in_word = false;
        }
    }

    pub(super) fn end_word(&mut self, seen: &mut Seen) {
        let is_bare = !std::mem::take(&mut self.is_quoted);
        let is_expanded = std::mem::take(&mut self.is_expanded);
        let is_known = !std::mem::take(&mut self.is_unknown);
        let has_braces = std::mem::take(&mut self.has_braces);
        let assigns = std::mem::take(&mut self.assigns);
        if !std::mem::take(&mut self.in_word) {
            return;
        }
        let word = String::from_utf8_lossy(&std::mem::take(&mut self.word)).into_owned();
        if let Some(target) = self.target.take() {
            self.position = Position::Argument;
            match target {
                Target::Read => {}
                Target::Written => seen.written.push(word),
                Target::Fed => seen.fed.push((seen.statement, word)),
            }
            return;
        }
        match self.nesting.word(&word, is_bare) {
            Meaning::OfCase => return,
            Meaning::Unexpected => seen.lost = true,
            Meaning::OfCommand => {}
        }
        if self.is_keyword(&word, is_bare, seen) {
            return;
        }
        // What an expansion makes is no assignment.
        if self.argv.is_empty() && assigns && seen.assign(&word, is_known) {
            return;
        }
        self.has_expanded_name |= is_expanded && self.argv.is_empty();
        if has_braces {
            self.argv.extend(expand::braces(&word));
        } else {
            self.argv.push(word);
        }
    }

    /// Whether a word is not one of a command's, and what follows from that.
    fn is_keyword(&mut self, word: &str, is_bare: bool, seen: &mut Seen) -> bool {
        match (self.position, word) {
            (Position::Function, name) => {
                seen.define(name);
                self.position = Position::First;
            }
            (Position::Variable, _) => self.position = Position::In,
            (Position::In, "do" | "{") if is_bare => self.position = Position::First,
            (Position::In, _) => {
                // Its words are no command.
                self.argv.push("for".to_owned());
                self.position = Position::Argument;
            }
            (Position::First, _) if is_bare && self.nesting.has_keywords() => match word {
                "case" => self.nesting.begin_case(),
                "esac" => seen.lost |= !self.nesting.end_case(),
                "function" => self.position = Position::Function,
                "for" | "select" => self.position = Position::Variable,
                // What follows may or may not be its name.
                "coproc" => seen.lost = true,
                word if KEYWORDS.contains(&word) || word == "-p" => {}
                _ => {
                    self.position = Position::Argument;
                    return false;
                }
            },
            _ => {
                self.position = Position::Argument;
                return false;
            }
        }
        true
    }

    /// `name()` has ended.
    pub(super) fn end_function(&mut self, seen: &mut Seen) {
        self.end_word(seen);
        if let Some(name) = self.argv.last() {
            seen.define(name);
        }
    }

    /// The command has ended.
    pub(super) fn end(&mut self, seen: &mut Seen) {
        self.end_word(seen);
        let nesting = std::mem::take(&mut self.nesting);
        let command = std::mem::replace(self, Self { nesting, ..Self::default() });
        let Some(name) = command.argv.first() else { return };
        if DECLARE.contains(&name.as_str()) {
            for word in &command.argv[1..] {
                seen.assign(word, !command.computed);
            }
        }
        // What a variable holds may be something else when it runs.
        if command.has_expanded_name && seen.may_read(command.argv.iter().map(|word| word.len() + 24).sum()) {
            let mut argv = command.argv.clone();
            argv[0].clear();
            seen.push(argv, true);
        }
        seen.push(command.argv, command.computed);
    }
}
