//! Reads a script as bash would, as far as finding its commands needs it. It does not refuse: what it does not
//! understand it marks as lost. Its time is linear, its depth bounded.

use super::command::{Command, Target};
use super::seen::Seen;

/// How deep substitutions may be nested. Each level needs some hundred bytes of stack.
pub(super) const MOST_DEPTH: usize = 48;

pub(super) struct Reader<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
    pub(super) seen: &'a mut Seen,
    pub(super) depth: usize,
    /// Heredocs whose text begins at the next line.
    pub(super) heredocs: Vec<Heredoc>,
}

pub(super) struct Heredoc {
    pub(super) delimiter: Vec<u8>,
    /// Tabs at the beginning of lines do not count.
    pub(super) strips_tabs: bool,
    /// Its text is taken as it is.
    pub(super) is_literal: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a [u8], seen: &'a mut Seen) -> Self {
        Self { text, at: 0, seen, depth: 0, heredocs: Vec::new() }
    }

    pub(super) fn read(mut self) {
        self.list(false);
        // Its text was never reached.
        self.seen.lost |= !self.heredocs.is_empty();
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn skip(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Leaves the rest unread.
    pub(super) fn give_up(&mut self) {
        self.seen.lost = true;
        self.at = self.text.len();
    }

    /// Reads commands to the end of the text or, if it `closes`, to the `)` that ends them.
    pub(super) fn list(&mut self, closes: bool) {
        if self.depth >= MOST_DEPTH {
            return self.give_up();
        }
        self.depth += 1;
        let mut command = Command::default();
        // How deep arithmetic began.
        let mut arithmetic = None;
        while let Some(byte) = self.next() {
            match byte {
                b' ' | b'\t' => command.end_word(self.seen),
                b'&' if self.peek() == Some(b'>') => self.redirection(b'&', &mut command),
                b'\n' | b';' | b'&' | b'|' => self.operator(byte, &mut command),
                b'(' => {
                    self.parenthesis(&mut command);
                    if self.at >= 2 && self.text[self.at - 2] == b'(' {
                        arithmetic.get_or_insert(command.nesting.depth());
                    }
                }
                b')' => {
                    command.end(self.seen);
                    match command.nesting.close() {
                        Some(false) if closes => {
                            self.depth -= 1;
                            return;
                        }
                        closed => self.seen.lost |= closed != Some(true),
                    }
                    arithmetic = arithmetic.filter(|level| command.nesting.depth() >= *level);
                }
                // In arithmetic, these may mean something else: `(( # ))`, `((1<<2))`.
                b'#' | b'\'' | b'"' if arithmetic.is_some() && !(byte == b'#' && command.is_in_word()) => {
                    self.give_up()
                }
                b'<' if arithmetic.is_some() && self.peek() == Some(b'<') => self.give_up(),
                b'#' if !command.is_in_word() => {
                    while self.peek().is_some_and(|byte| byte != b'\n') {
                        self.at += 1;
                    }
                }
                b'<' | b'>' => self.redirection(byte, &mut command),
                _ => self.piece(byte, &mut command),
            }
        }
        command.end(self.seen);
        self.seen.lost |= closes || command.nesting.depth() > 0;
        self.depth -= 1;
    }

    /// Reads an operator that ends a command; its first byte, `byte`, is read.
    fn operator(&mut self, byte: u8, command: &mut Command) {
        command.end(self.seen);
        self.seen.lost |= !command.nesting.may_end(byte);
        match byte {
            b'\n' => self.read_heredocs(),
            b';' if self.skip(b';') => {
                self.skip(b'&');
                self.seen.lost |= !command.nesting.next_pattern();
            }
            b';' if self.skip(b'&') => self.seen.lost |= !command.nesting.next_pattern(),
            b'|' if !self.skip(b'|') => {
                self.skip(b'&');
                return;
            }
            _ => {
                self.skip(b'&');
            }
        }
        // Commands behind this do not read what those before it write, unless both stand in something larger.
        if self.depth == 1 && command.nesting.depth() == 0 {
            self.seen.statement += 1;
        }
    }

    /// A `(` is read. It may stand behind a function's name or `=`, or begin a command.
    fn parenthesis(&mut self, command: &mut Command) {
        let is_list = command.is_assignment();
        let is_function = !is_list && self.peek() == Some(b')');
        // A pattern such as `@(a|b)`.
        self.seen.lost |= command.is_in_word() && !is_list && !is_function;
        if is_function {
            command.end_function(self.seen);
        }
        command.end(self.seen);
        let is_arithmetic = self.peek() == Some(b'(') || self.at >= 2 && self.text[self.at - 2] == b'(';
        command.nesting.open(!is_list && !is_arithmetic);
    }

    fn redirection(&mut self, byte: u8, command: &mut Command) {
        command.drop_descriptor();
        command.end_word(self.seen);
        if byte == b'<' && self.skip(b'<') {
            if self.skip(b'<') {
                command.target = Some(Target::Fed);
            } else {
                self.heredoc();
            }
            return;
        }
        if byte != b'&' && self.skip(b'(') {
            self.list(true);
            return command.compute();
        }
        command.target = Some(if byte == b'<' && self.peek() != Some(b'>') { Target::Read } else { Target::Written });
        while self.peek().is_some_and(|byte| matches!(byte, b'>' | b'&' | b'|')) {
            self.at += 1;
        }
    }

    fn heredoc(&mut self) {
        let strips_tabs = self.skip(b'-');
        while self.skip(b' ') || self.skip(b'\t') {}
        let (mut delimiter, mut is_literal, mut quote) = (Vec::new(), false, None);
        while let Some(byte) = self.peek() {
            match (byte, quote) {
                (b'\'' | b'"', None) => (quote, is_literal) = (Some(byte), true),
                (_, Some(open)) if open == byte => quote = None,
                (b'\n', _) => break,
                (b' ' | b'\t' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')', None) => break,
                // What these mean inside quotes is too subtle.
                (b'$' | b'`', _) | (b'\\', Some(_)) => return self.give_up(),
                (b'\\', None) => {
                    is_literal = true;
                    if !self.text.get(self.at + 1).is_some_and(u8::is_ascii_alphanumeric) {
                        return self.give_up();
                    }
                }
                _ => delimiter.push(byte),
            }
            self.at += 1;
        }
        self.seen.lost |= quote.is_some();
        self.heredocs.push(Heredoc { delimiter, strips_tabs, is_literal });
    }

    /// Reads the texts of the heredocs of the line that has ended.
    fn read_heredocs(&mut self) {
        for heredoc in std::mem::take(&mut self.heredocs) {
            let begin = self.at;
            let mut continues = false;
            let end = loop {
                let line = &self.text[self.at..];
                if line.is_empty() {
                    self.seen.lost = true;
                    break self.at;
                }
                let length = memchr::memchr(b'\n', line).unwrap_or(line.len());
                let (start, line) = (self.at, &line[..length]);
                self.at = (self.at + length + 1).min(self.text.len());
                let tabs = line.iter().take_while(|byte| heredoc.strips_tabs && **byte == b'\t').count();
                let line = &line[tabs..];
                // A line behind a backslash is no end, or is one together with the line before it.
                self.seen.lost |= continues && heredoc.delimiter.ends_with(line);
                if line == heredoc.delimiter {
                    break start;
                }
                let backslashes = line.iter().rev().take_while(|byte| **byte == b'\\').count();
                continues = !heredoc.is_literal && backslashes % 2 == 1;
            };
            let text = &self.text[begin..end];
            if !self.seen.may_read(text.len()) {
                return;
            }
            self.seen.fed.push((self.seen.statement, String::from_utf8_lossy(text).into_owned()));
            if !heredoc.is_literal {
                let depth = self.depth;
                let mut inner = Reader { text, at: 0, seen: self.seen, depth, heredocs: Vec::new() };
                inner.quoted(&mut Command::default(), false);
            }
        }
    }
}
