//! Dotted keys, in `-c` and in `keyPath` alike.

use super::layers::DEEPEST_KEY;

/// Why an edit is impossible; the texts are the reference program's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EditRefused(String);

pub(super) fn refused<T>(reason: impl Into<String>) -> Result<T, EditRefused> {
    Err(EditRefused(reason.into()))
}

impl EditRefused {
    /// A refusal for this reason.
    pub(super) fn because(reason: String) -> Self {
        Self(reason)
    }
}

/// The names that lead to a setting; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPath(pub Vec<String>);

impl KeyPath {
    /// Parses a dotted path. A part in quotes may contain dots; in double quotes a backslash escapes the next character.
    ///
    /// # Errors
    /// An empty part, misplaced quotes, or more parts than [`DEEPEST_KEY`].
    pub fn parse(text: &str) -> Result<Self, EditRefused> {
        if text.is_empty() {
            return refused("keyPath must not be empty");
        }
        let mut parts = Vec::new();
        let mut rest = Some(text);
        while let Some(text) = rest {
            if parts.len() == DEEPEST_KEY {
                return refused(format!("keyPath has more than {DEEPEST_KEY} segments"));
            }
            let (part, behind) = match text.chars().next() {
                Some(quote @ ('"' | '\'')) => read_quoted(quote, &text[1..])?,
                _ => read_plain(text)?,
            };
            if part.is_empty() {
                return refused("keyPath segments must not be empty");
            }
            parts.push(part);
            rest = behind;
        }
        Ok(Self(parts))
    }
}

/// The first part, and the rest behind its dot.
type Part<'a> = (String, Option<&'a str>);

fn read_plain(text: &str) -> Result<Part<'_>, EditRefused> {
    let (part, behind) = text.split_once('.').map_or((text, None), |(part, behind)| (part, Some(behind)));
    if part.contains('"') {
        return refused("invalid quoted keyPath segment");
    }
    Ok((part.to_owned(), behind))
}

fn read_quoted(quote: char, text: &str) -> Result<Part<'_>, EditRefused> {
    let mut part = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next() {
            None => return refused("unterminated quoted keyPath segment"),
            Some(character) if character == quote => break,
            Some('\\') if quote == '"' => part.extend(characters.next()),
            Some(character) => part.push(character),
        }
    }
    match characters.as_str() {
        "" => Ok((part, None)),
        behind => match behind.strip_prefix('.') {
            Some(behind) => Ok((part, Some(behind))),
            None => refused("invalid quoted keyPath segment"),
        },
    }
}

/// Splits `KEY=VALUE` at the first `=` outside quotes, and trims both; `None` if there is no such `=`.
pub fn split_assignment(text: &str) -> Option<(&str, &str)> {
    let (mut quote, mut escaped) = (None, false);
    for (at, character) in text.char_indices() {
        match (quote, character) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), character) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '=') => return Some((text[..at].trim(), text[at + 1..].trim())),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<String> {
        KeyPath::parse(text).unwrap().0
    }

    #[test]
    fn a_quoted_part_may_contain_anything() {
        assert_eq!(parts("a.b c.d"), ["a", "b c", "d"]);
        assert_eq!(parts(r#"projects."/tmp/a.b".x"#), ["projects", "/tmp/a.b", "x"]);
        assert_eq!(parts(r#"'a.\"'."c\"d\\""#), ["a.\\\"", "c\"d\\"]);
        for wrong in ["'a", "'a'b", "a'b'.\"", "''"] {
            assert!(KeyPath::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_assignment_is_split_outside_quotes() {
        assert_eq!(split_assignment(" a.b = x=\"y\" "), Some(("a.b", "x=\"y\"")));
        assert_eq!(split_assignment(r#"p."a=\"=".'b='=1"#), Some((r#"p."a=\"=".'b='"#, "1")));
        for none in ["model", "\"a=b\"", "'a=b"] {
            assert_eq!(split_assignment(none), None, "{none}");
        }
    }
}
