//! Text from elsewhere on somebody's terminal. A file name, a thread's title or the error of a backend may hold
//! characters that a terminal obeys, or that make text read differently from what it is. They are shown escaped.

use std::{borrow::Cow, fmt::Write as _};

/// Whether `c` is an order to a terminal (C0 and C1 controls, DEL), or changes the direction or the lines of the text
/// around it. Line ends and tabs are neither.
fn is_order(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => c.is_control(),
    }
}

/// `text` for people, with every such character written as in `\u{9b}`.
pub fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, |out, c| write!(out, "\\u{{{:x}}}", u32::from(c)))
}

/// The same in one line: line ends and tabs become spaces.
pub fn shown_in_one_line(text: &str) -> String {
    shown(text).replace(['\n', '\t'], " ")
}

/// The JSON text `json`, with every such character written as in `\u009b`: to a program, it says the same as before.
pub fn shown_json(json: &str) -> Cow<'_, str> {
    escaped(json, |out, c| write!(out, "\\u{:04x}", u32::from(c)))
}

fn escaped(text: &str, escape: fn(&mut String, char) -> std::fmt::Result) -> Cow<'_, str> {
    let Some(first) = text.find(is_order) else { return text.into() };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        if is_order(c) {
            // Writing into a String cannot fail.
            let _ = escape(&mut out, c);
        } else {
            out.push(c);
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\x1b[2Jb\u{9b}2Jc\u{7f}\u{85}\u{202e}d\u{2066}\u{61c}\u{200f}\u{2028}e\r";

    #[test]
    fn every_order_is_shown_and_none_is_left() {
        let text = shown(HOSTILE);
        assert_eq!(text, "a\\u{1b}[2Jb\\u{9b}2Jc\\u{7f}\\u{85}\\u{202e}d\\u{2066}\\u{61c}\\u{200f}\\u{2028}e\\u{d}");
        assert!(!text.contains(is_order));
        assert_eq!(shown_in_one_line("a\nb\tc\u{9b}"), "a b c\\u{9b}");
    }

    #[test]
    fn json_says_the_same_as_before() {
        let json = serde_json::to_string(HOSTILE).unwrap();
        let text = shown_json(&json);
        assert!(!text.contains(is_order), "{text}");
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), HOSTILE);
    }

    #[test]
    fn ordinary_text_of_any_alphabet_stays_as_it_is() {
        for text in ["plain", "zwei\nZeilen\t", "日本語 🦀 é ש ع", "👩\u{200d}💻"] {
            assert!(matches!(shown(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }
}
