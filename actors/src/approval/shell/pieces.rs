//! Reads the pieces of words: quotes, escapes and expansions.

use super::command::Command;
use super::expand;
use super::reader::{MOST_DEPTH, Reader};

impl Reader<'_> {
    /// Reads a piece of a word; its first byte, `byte`, is read.
    pub(super) fn piece(&mut self, byte: u8, command: &mut Command) {
        match byte {
            b'\\' => match self.next() {
                None | Some(b'\n') => {}
                Some(escaped) => command.push_quoted(&[escaped]),
            },
            b'\'' => {
                let rest = &self.text[self.at..];
                match memchr::memchr(b'\'', rest) {
                    Some(length) => {
                        command.push_quoted(&rest[..length]);
                        self.at += length + 1;
                    }
                    None => self.give_up(),
                }
            }
            b'"' => self.quoted(command, true),
            b'$' => self.dollar(command, false),
            b'`' => self.backticks(command),
            _ => command.push_bare(byte),
        }
    }

    /// Reads text in which only `$`, backticks and backslashes are special, to the `"` that ends it if it `closes`.
    pub(super) fn quoted(&mut self, command: &mut Command, closes: bool) {
        command.push_quoted(b"");
        while let Some(byte) = self.next() {
            match byte {
                b'"' if closes => return,
                b'$' => self.dollar(command, true),
                b'`' => self.backticks(command),
                b'\\' => match self.next() {
                    None | Some(b'\n') => {}
                    Some(escaped @ (b'$' | b'`' | b'\\' | b'"')) => command.push_quoted(&[escaped]),
                    Some(escaped) => command.push_quoted(&[b'\\', escaped]),
                },
                _ => command.push_quoted(&[byte]),
            }
        }
        self.seen.lost |= closes;
    }

    /// Reads what `$` begins.
    fn dollar(&mut self, command: &mut Command, is_quoted: bool) {
        match self.peek() {
            Some(b'(') => {
                self.at += 1;
                command.compute();
                self.list(true);
            }
            Some(b'{') => {
                self.at += 1;
                self.parameter(command, is_quoted);
            }
            Some(b'\'') if !is_quoted => match expand::ansi_c(&self.text[self.at + 1..]) {
                Some((decoded, read)) => {
                    // Shells that do not know `$'…'` see an end here.
                    self.seen.lost |= decoded.contains(&b'\'');
                    command.push_quoted(&decoded);
                    self.at += 1 + read;
                }
                None => self.give_up(),
            },
            Some(b'"') if !is_quoted => {
                self.at += 1;
                self.quoted(command, true);
            }
            // Arithmetic of old, in which `<<` and `#` mean something else.
            Some(b'[') if !is_quoted => {
                self.seen.lost = true;
                command.compute();
            }
            Some(b'@' | b'*' | b'#' | b'?' | b'$' | b'!' | b'-' | b'0'..=b'9') => {
                self.at += 1;
                command.compute();
            }
            _ => {
                let name = self.name();
                if name.is_empty() {
                    command.push_quoted(b"$");
                } else {
                    command.expand(&name, is_quoted, self.seen);
                }
            }
        }
    }

    /// Reads a name of a variable, if one begins here.
    fn name(&mut self) -> String {
        let rest = &self.text[self.at..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        self.at += length;
        String::from_utf8_lossy(&rest[..length]).into_owned()
    }

    /// Reads the inside of `${…}` and its end. Of what it does with a value, only defaults are understood.
    fn parameter(&mut self, command: &mut Command, is_quoted: bool) {
        let name = self.name();
        if self.skip(b'}') {
            return command.expand(&name, is_quoted, self.seen);
        }
        if !name.is_empty() {
            self.skip(b':');
        }
        let replaces = !name.is_empty() && self.skip(b'+');
        let has_default = replaces || !name.is_empty() && (self.skip(b'-') || self.skip(b'='));
        if self.depth >= MOST_DEPTH {
            return self.give_up();
        }
        self.depth += 1;
        let mut inside = Command::default();
        let mut has_ended = false;
        while let Some(byte) = self.next() {
            match byte {
                b'}' => {
                    has_ended = true;
                    break;
                }
                // Whether this is a quote depends on the operator, and on the shell.
                b'\'' if is_quoted => self.seen.lost = true,
                _ => self.piece(byte, &mut inside),
            }
        }
        self.depth -= 1;
        self.seen.lost |= !has_ended;
        command.compute();
        let value = self.seen.variable(&name).filter(|_| !replaces).map(str::to_owned);
        let text = if has_default { value.unwrap_or_else(|| inside.text()) } else { String::new() };
        command.push_expanded(&text, is_quoted, self.seen);
    }

    /// Reads a substitution between backticks, of which the first is read.
    fn backticks(&mut self, command: &mut Command) {
        let mut script = Vec::new();
        loop {
            match self.next() {
                None => return self.give_up(),
                Some(b'`') => break,
                Some(b'\\') => match self.next() {
                    Some(escaped @ (b'`' | b'\\' | b'$')) => script.push(escaped),
                    Some(escaped) => script.extend([b'\\', escaped]),
                    None => {}
                },
                Some(byte) => script.push(byte),
            }
        }
        command.compute();
        if self.seen.may_read(script.len()) {
            let mut inner = Reader { text: &script, at: 0, seen: self.seen, depth: self.depth, heredocs: Vec::new() };
            inner.list(false);
        }
    }
}
