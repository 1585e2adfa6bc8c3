//! Faults of a configuration and their positions.

use std::fmt;
use std::io;
use std::ops::Range;
use std::path::Path;

use crate::protocol::config::{ConfigWarning, TextPosition, TextRange};

/// A fault that makes a configuration invalid, displayed as `<path>:<line>:<column>: <message>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    message: String,
    path: Option<String>,
    range: Option<TextRange>,
}

impl Fault {
    /// A fault of the configuration as a whole.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), path: None, range: None }
    }

    /// The file cannot be read.
    pub fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self { path: Some(path.display().to_string()), ..Self::new(error.to_string()) }
    }

    /// The file is invalid at the bytes `span` of its `text`.
    pub fn in_file(path: &Path, text: &str, span: Option<Range<usize>>, message: impl Into<String>) -> Self {
        let range = span.map(|span| range(text, span));
        Self { message: message.into(), path: Some(path.display().to_string()), range }
    }

    /// The warning for clients while the server runs without the configuration.
    pub fn warning(&self) -> ConfigWarning {
        ConfigWarning {
            summary: "Invalid configuration; using defaults.".to_owned(),
            details: Some(self.to_string()),
            path: self.path.clone(),
            range: self.range,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{path}:")?;
            if let Some(TextRange { start, .. }) = self.range {
                write!(f, "{}:{}:", start.line, start.column)?;
            }
            write!(f, " ")?;
        }
        write!(f, "{}", self.message)
    }
}

fn range(text: &str, span: Range<usize>) -> TextRange {
    let last = text[..span.end].char_indices().next_back().map_or(0, |(start, _)| start);
    TextRange { start: position(text, span.start), end: position(text, last.max(span.start)) }
}

fn position(text: &str, byte: usize) -> TextPosition {
    let before = &text[..byte];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    TextPosition { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, column: usize) -> TextPosition {
        TextPosition { line, column }
    }

    #[test]
    fn places_are_counted_in_characters() {
        assert_eq!(range("x=\"é\" y\n", 7..8), TextRange { start: at(1, 7), end: at(1, 7) });
        assert_eq!(range("a\n\"sometimes\"\n", 2..13), TextRange { start: at(2, 1), end: at(2, 11) });
        assert_eq!(range("a\n[x\n", 4..4), TextRange { start: at(2, 3), end: at(2, 3) });
        assert_eq!(range("", 0..0), TextRange { start: at(1, 1), end: at(1, 1) });
    }

    #[test]
    fn the_text_says_as_much_as_is_known() {
        let path = Path::new("/h/config.toml");
        assert_eq!(Fault::new("no").to_string(), "no");
        assert_eq!(Fault::in_file(path, "a\nb", Some(2..3), "no").to_string(), "/h/config.toml:2:1: no");
        assert_eq!(Fault::in_file(path, "a\nb", None, "no").to_string(), "/h/config.toml: no");
    }
}
