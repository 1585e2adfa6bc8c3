//! Texts that quote what a client sent. A long value is quoted in part, and the long text is never built: an error must
//! not cost more than the message that it is about.

use std::fmt::{self, Display, Write};

use memchr::{memchr, memchr2_iter};

/// Bytes of one value that are quoted.
pub(super) const QUOTED_BYTES: usize = 1024;

/// Bytes of the whole text. The longest text of ours, which lists all methods, is half as long.
const TEXT_BYTES: usize = 8 * 1024;

/// Bytes of a string in a message from which it is cut before anything can quote it.
const LONG_BYTES: usize = 64 * 1024;

/// What stands for the part that is left out.
const LEFT_OUT: &str = "…";

/// The text of `shown`. Of each of its pieces, such as a value in a format string, at most [`QUOTED_BYTES`] are kept: the
/// beginning and the end.
pub(super) fn quoted(shown: impl Display) -> String {
    let mut text = Quoted(String::new());
    // Fails only where the text is full, and then it is complete as it is.
    let _ = write!(text, "{shown}");
    text.0
}

/// At most [`QUOTED_BYTES`] of the beginning of `text`, for where it is shown with escapes.
pub fn beginning(text: &str) -> &str {
    &text[..boundary_before(text, QUOTED_BYTES)]
}

struct Quoted(String);

impl Write for Quoted {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let room = TEXT_BYTES.saturating_sub(self.0.len());
        if piece.len() <= room.min(QUOTED_BYTES) {
            self.0.push_str(piece);
        } else if room < QUOTED_BYTES {
            self.0.push_str(LEFT_OUT);
            return Err(fmt::Error);
        } else {
            // The end, because a parser says there what it expected.
            self.0.push_str(&piece[..boundary_before(piece, QUOTED_BYTES * 3 / 4)]);
            self.0.push_str(LEFT_OUT);
            self.0.push_str(&piece[boundary_after(piece, piece.len() - QUOTED_BYTES / 5)..]);
        }
        Ok(())
    }
}

/// The last position up to `most` at which `text` can be split.
fn boundary_before(text: &str, most: usize) -> usize {
    (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// The first position from `least` on at which `text` can be split.
fn boundary_after(text: &str, least: usize) -> usize {
    (least..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

/// The JSON `text` with each string of more than [`LONG_BYTES`] cut to its beginning; `None` if there is none. A parser
/// that refuses this text quotes no more of it. For text that is not JSON the result is arbitrary.
pub(super) fn abridged(text: &str) -> Option<String> {
    if text.len() <= LONG_BYTES {
        return None;
    }
    let mut short = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(quote) = text.as_bytes().get(at..).and_then(|rest| memchr(b'"', rest)) {
        let start = at + quote + 1;
        let end = end_of_string(text, start);
        if end - start > LONG_BYTES {
            let most = boundary_before(text, start + QUOTED_BYTES / 2);
            // An escape must not be cut in half.
            let kept = memchr(b'\\', &text.as_bytes()[start..most]).map_or(most, |escape| start + escape);
            short.push_str(&text[copied..kept]);
            short.push_str(LEFT_OUT);
            copied = end;
        }
        at = end + 1;
    }
    (copied > 0).then(|| short + &text[copied..])
}

/// The position of the quote that ends the string whose content starts at `start`, or the end of the text.
fn end_of_string(text: &str, start: usize) -> usize {
    let mut escaped = None;
    for at in memchr2_iter(b'"', b'\\', &text.as_bytes()[start..]).map(|at| start + at) {
        if escaped == Some(at) {
            continue;
        }
        if text.as_bytes()[at] == b'"' {
            return at;
        }
        escaped = Some(at + 1);
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_keeps_its_beginning_and_its_end() {
        let long = format!("b{}e", "ü".repeat(1 << 20));
        let text = quoted(format_args!("unknown `{long}`, expected {}", "x"));
        assert!(text.starts_with("unknown `bü") && text.ends_with("üe`, expected x"), "{text}");
        assert!(text.contains("ü…ü") && text.len() <= QUOTED_BYTES + 40, "{}", text.len());
        assert_eq!(quoted("a".repeat(QUOTED_BYTES)).len(), QUOTED_BYTES, "not long");
    }

    #[test]
    fn many_pieces_are_bounded_too() {
        let text = quoted(format_args!("{:?}", "\u{7f}".repeat(1 << 20)));
        assert!(text.len() <= TEXT_BYTES + LEFT_OUT.len(), "{}", text.len());
        assert_eq!(beginning(&"ü".repeat(QUOTED_BYTES)).len(), QUOTED_BYTES);
        assert_eq!(beginning("short"), "short");
    }

    #[test]
    fn only_long_strings_are_abridged() {
        let long = "ä".repeat(LONG_BYTES);
        let escapes = r"\u00e4\\".repeat(LONG_BYTES);
        assert_eq!(abridged(&format!("[{}]", "\"short\",".repeat(LONG_BYTES))), None);
        let message = format!(r#"{{"a":"x\"","b":"{long}","c":["y{escapes}\"","z"]}}"#);
        let short = abridged(&message).unwrap();
        let value: serde_json::Value = serde_json::from_str(&short).unwrap();
        assert_eq!((&value["a"], &value["c"][0], &value["c"][1]), (&"x\"".into(), &"y…".into(), &"z".into()));
        assert!(value["b"].as_str().unwrap().ends_with("ä…") && short.len() < QUOTED_BYTES, "{short}");
    }

    #[test]
    fn what_is_not_json_is_survived() {
        for text in [
            "\"".to_owned(),
            "\\".to_owned() + "\"",
            "ü\"\\".repeat(LONG_BYTES),
            "\"".to_owned() + &"\\".repeat(LONG_BYTES + 2),
        ] {
            abridged(&(text + &"x".repeat(2 * LONG_BYTES)));
        }
    }
}
