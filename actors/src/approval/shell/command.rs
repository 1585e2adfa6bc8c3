//! A command while it is read, word by word.

use super::expand;
use super::seen::Seen;

/// Words that may stand before a command.
const KEYWORDS: [&str; 15] =
    ["{", "}", "!", "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "esac", "time", "coproc"];

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

#[derive(Default)]
pub(super) struct Command {
    argv: Vec<String>,
    word: Vec<u8>,
    /// A word has begun, though it may be empty.
    in_word: bool,
    has_quotes: bool,
    has_braces: bool,
    computed: bool,
    pub(super) target: Option<Target>,
}

impl Command {
    pub(super) fn is_in_word(&self) -> bool {
        self.in_word
    }

    pub(super) fn push_bare(&mut self, byte: u8) {
        self.in_word = true;
        self.has_braces |= byte == b'{';
        self.word.push(byte);
    }

    pub(super) fn push_quoted(&mut self, text: &[u8]) {
        (self.in_word, self.has_quotes) = (true, true);
        self.word.extend_from_slice(text);
    }

    /// Something that is not known now belongs to the word.
    pub(super) fn compute(&mut self) {
        (self.in_word, self.computed) = (true, true);
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
        self.in_word |= is_quoted || !text.is_empty();
        for byte in text.bytes() {
            if !is_quoted && byte.is_ascii_whitespace() {
                self.end_word(seen);
            } else {
                self.in_word = true;
                self.word.push(byte);
            }
        }
    }

    /// The text of all words.
    pub(super) fn text(mut self) -> String {
        let last = String::from_utf8_lossy(&self.word).into_owned();
        self.argv.push(last);
        self.argv.join(" ")
    }

    /// Before `>` or `<`: a number is no argument.
    pub(super) fn drop_descriptor(&mut self) {
        if !self.has_quotes && !self.word.is_empty() && self.word.iter().all(u8::is_ascii_digit) {
            self.word.clear();
            self.in_word = false;
        }
    }

    pub(super) fn end_word(&mut self, seen: &mut Seen) {
        if !std::mem::take(&mut self.in_word) {
            return;
        }
        let word = String::from_utf8_lossy(&std::mem::take(&mut self.word)).into_owned();
        let has_braces = std::mem::take(&mut self.has_braces);
        self.has_quotes = false;
        match self.target.take() {
            Some(Target::Read) => {}
            Some(Target::Written) => seen.written.push(word),
            Some(Target::Fed) => seen.fed.push((seen.statement, word)),
            None if has_braces => self.argv.extend(expand::braces(&word)),
            None => self.argv.push(word),
        }
    }

    /// The command ends before `(`, which begins a function's `()`, a list of words, or other commands.
    pub(super) fn end_before_parenthesis(&mut self, seen: &mut Seen, cases: &mut usize, is_function: bool) {
        self.end_word(seen);
        if let (true, Some(name)) = (is_function, self.argv.last()) {
            seen.define(name);
        }
        self.end(seen, cases);
    }

    /// The command has ended. `cases` counts the `case` that are open.
    pub(super) fn end(&mut self, seen: &mut Seen, cases: &mut usize) {
        self.end_word(seen);
        let command = std::mem::take(self);
        let mut argv = command.argv;
        match argv.first().map(String::as_str) {
            Some("case") => *cases += 1,
            Some("function") => {
                if let Some(name) = argv.get(1) {
                    seen.define(name);
                }
                argv.drain(..argv.len().min(2));
            }
            _ => {}
        }
        if argv.first().is_some_and(|word| word == "esac") || argv.last().is_some_and(|word| word == "esac") {
            *cases = cases.saturating_sub(1);
        }
        let mut first = 0;
        while let Some(word) = argv.get(first) {
            if !KEYWORDS.contains(&word.as_str()) && !seen.assign(word) && (first == 0 || word != "-p") {
                break;
            }
            first += 1;
        }
        argv.drain(..first);
        let Some(name) = argv.first() else { return };
        if DECLARE.contains(&name.as_str()) {
            for word in &argv[1..] {
                seen.assign(word);
            }
        }
        seen.push(argv, command.computed);
    }
}
