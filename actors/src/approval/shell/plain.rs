//! Scripts that do exactly what their words say. This reader knows the few characters whose meaning is certain in every
//! Bourne-like shell, and gives up at all others.

use super::SimpleCommand;

/// Longest script that can be plain, in bytes.
const MOST_BYTES: usize = 64 * 1024;

/// Most commands of a plain script.
const MOST_COMMANDS: usize = 64;

/// Words that begin something other than a command when they stand first, without quotes.
const KEYWORDS: [&str; 17] = [
    "if", "then", "elif", "else", "fi", "for", "select", "while", "until", "do", "done", "case", "esac", "in",
    "function", "time", "coproc",
];

/// The commands of `script` if all of its words are literal and only `&&`, `||`, `;`, `|` and line breaks join them.
/// Output may be discarded (`>/dev/null`) or joined (`2>&1`).
pub(super) fn plain(script: &str) -> Option<Vec<SimpleCommand>> {
    if script.len() > MOST_BYTES {
        return None;
    }
    let mut reader = Reader { rest: script, commands: Vec::new(), argv: Vec::new(), joined: false };
    while !reader.rest.is_empty() {
        reader.step()?;
    }
    reader.end_command(false)?;
    (!reader.joined && !reader.commands.is_empty()).then_some(reader.commands)
}

struct Reader<'a> {
    rest: &'a str,
    commands: Vec<SimpleCommand>,
    /// The command so far.
    argv: Vec<String>,
    /// An operator waits for the command behind it.
    joined: bool,
}

impl Reader<'_> {
    /// Reads a word or an operator.
    fn step(&mut self) -> Option<()> {
        let operators: [(&str, bool); 5] = [("&&", true), ("||", true), ("|", true), (";", false), ("\n", false)];
        if self.skip(" ") || self.skip("\t") {
            return Some(());
        }
        for (operator, wants_more) in operators {
            if self.skip(operator) {
                // A line break may follow an operator, and may stand alone.
                return if operator == "\n" && self.argv.is_empty() {
                    Some(())
                } else {
                    self.end_command(wants_more)
                        .filter(|()| operator == "\n" || !self.rest.starts_with([';', '&', '|']))
                };
            }
        }
        for redirection in ["2>&1", "1>&2", ">&2", "2>/dev/null", "2>>/dev/null", ">/dev/null", "</dev/null"] {
            if self.skip(redirection) {
                return self.is_between_words().then_some(());
            }
        }
        for redirection in ["2> /dev/null", "> /dev/null", "&>/dev/null", "&> /dev/null", "< /dev/null"] {
            if self.skip(redirection) {
                return self.is_between_words().then_some(());
            }
        }
        self.word()
    }

    fn skip(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn is_between_words(&self) -> bool {
        self.rest.is_empty() || self.rest.starts_with([' ', '\t', '\n', ';', '|'])
    }

    fn end_command(&mut self, wants_more: bool) -> Option<()> {
        let argv = std::mem::take(&mut self.argv);
        if argv.is_empty() {
            // Nothing is left at the end of the script or behind its last `;`. A command before an operator is missing.
            return (self.rest.is_empty() && !wants_more).then_some(());
        }
        self.joined = wants_more;
        self.commands.push(SimpleCommand { argv });
        (self.commands.len() <= MOST_COMMANDS).then_some(())
    }

    /// Reads a word to the blank or operator behind it.
    fn word(&mut self) -> Option<()> {
        let mut word = String::new();
        let mut bare = true;
        while !self.is_between_words() {
            let first = self.rest.chars().next()?;
            self.rest = &self.rest[first.len_utf8()..];
            match first {
                '\'' => {
                    let (inside, rest) = self.rest.split_once('\'')?;
                    word.push_str(inside);
                    self.rest = rest;
                    bare = false;
                }
                '"' => {
                    self.double_quoted(&mut word)?;
                    bare = false;
                }
                '\\' => {
                    let escaped = self.rest.chars().next().filter(|it| it.is_ascii_graphic() || *it == ' ')?;
                    self.rest = &self.rest[1..];
                    word.push(escaped);
                    bare = false;
                }
                _ if is_literal(first, word.chars().last()) => word.push(first),
                _ => return None,
            }
        }
        let is_first = self.argv.is_empty();
        if word.contains(|it: char| it.is_control() && it != '\n' && it != '\t')
            || is_first && (bare && KEYWORDS.contains(&word.as_str()) || word.contains('=') || word.is_empty())
        {
            return None;
        }
        self.joined = false;
        self.argv.push(word);
        Some(())
    }

    /// Reads what stands between double quotes, of which the first is read.
    fn double_quoted(&mut self, word: &mut String) -> Option<()> {
        loop {
            let end = self.rest.find(['"', '\\', '$', '`'])?;
            let (inside, rest) = self.rest.split_at(end);
            word.push_str(inside);
            if let Some(rest) = rest.strip_prefix('"') {
                self.rest = rest;
                return Some(());
            }
            let escaped = rest.strip_prefix('\\')?.chars().next().filter(char::is_ascii_graphic)?;
            if !matches!(escaped, '"' | '\\' | '$' | '`') {
                word.push('\\');
            }
            word.push(escaped);
            self.rest = &rest[2..];
        }
    }
}

/// Whether `it` stands for itself where nothing quotes it, behind `before` in a word. Tildes name home directories at
/// the beginning of words and behind `=` and `:`.
fn is_literal(it: char, before: Option<char>) -> bool {
    it.is_ascii_alphanumeric()
        || matches!(it, '-' | '_' | '.' | '/' | ',' | ':' | '@' | '%' | '+')
        || matches!(it, '=' | '~' | '^') && before.is_some_and(|before| before.is_ascii_alphanumeric())
}
