//! Text of the agent in a question: every character of it is visible, and no line of it can pass for one of ours.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::terminal::shown;

/// What begins each line of foreign text.
const MARGIN: &str = "  | ";

/// Columns in which foreign text is shown at least, however narrow the terminal is.
const FEWEST_COLUMNS: usize = 20;

/// The lines of `text` behind a margin, broken where `columns` of the terminal end. Characters that a terminal obeys, that
/// take no room, or that look like a space are shown as in `\u{200b}`.
pub fn block(text: &str, columns: usize) -> Vec<String> {
    let room = columns.saturating_sub(MARGIN.len() + 1).max(FEWEST_COLUMNS);
    text.split('\n').flat_map(|line| broken(&exact(line), room)).map(|line| format!("{MARGIN}{line}")).collect()
}

/// `label` and `value` in a line, or the value in lines of its own behind a margin if it is too long for that.
pub fn labelled(label: &str, value: &str, columns: usize) -> Vec<String> {
    let line = format!("{label} {}", exact(value));
    if line.width() < columns && !value.contains('\n') {
        return vec![line];
    }
    std::iter::once(label.to_owned()).chain(block(value, columns)).collect()
}

/// `text` in one line, with every such character and every line end shown.
pub fn exact(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '\t' => seen.push_str("\\t"),
            '\n' => seen.push_str("\\n"),
            ' ' => seen.push(c),
            _ if c.is_whitespace() || hides(c) => seen.extend(c.escape_unicode()),
            _ => seen.push(c),
        }
    }
    seen
}

/// Whether a terminal may show nothing for `c`.
fn hides(c: char) -> bool {
    c.width().unwrap_or_default() == 0 || matches!(c, '\u{115f}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}' | '\u{ad}')
}

/// A line in pieces that take at most `room` columns.
fn broken(line: &str, room: usize) -> Vec<String> {
    let (mut pieces, mut used) = (vec![String::new()], 0);
    for c in line.chars() {
        let width = c.width().unwrap_or_default();
        if used + width > room {
            pieces.push(String::new());
            used = 0;
        }
        used += width;
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_is_shown() {
        assert_eq!(exact("ls\u{200b}\u{a0}-l\t\u{1b}[2K\u{e0041}\r"), r"ls\u{200b}\u{a0}-l\t\u{1b}[2K\u{e0041}\u{d}");
        assert_eq!(exact("größer 日本 -x"), "größer 日本 -x");
    }

    #[test]
    fn no_line_is_without_a_margin_and_nothing_is_left_out() {
        let text = "echo one\nrm -rf / # a comment that is longer than the terminal is wide 日本語日本語日本語";
        let lines = block(text, 30);
        assert!(lines.iter().all(|line| line.starts_with(MARGIN)), "{lines:?}");
        let joined: String = lines[1..].iter().map(|line| &line[MARGIN.len()..]).collect();
        assert_eq!(joined, text.split_once('\n').unwrap().1);
        let columns = |line: &String| line.chars().filter_map(unicode_width::UnicodeWidthChar::width).sum::<usize>();
        assert!(lines.iter().all(|line| columns(line) < 30), "{lines:?}");
        assert_eq!(labelled("In:", "/a b", 20), ["In: /a b"]);
        assert_eq!(labelled("In:", "/a\nIn: /b", 20), ["In:", "  | /a", "  | In: /b"]);
        assert_eq!(labelled("In:", "/23456789012345678901234", 24), ["In:", "  | /2345678901234567890", "  | 1234"]);
    }
}
