//! Formats JSON for people. The order of members and the notation of numbers are kept.

const KEY: &str = "\x1b[36m";
const STRING: &str = "\x1b[32m";
const LITERAL: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";
const INDENT: &str = "  ";

/// Formats `json`, a valid JSON text without terminal escape sequences.
pub fn pretty(json: &str, colour: bool) -> String {
    let mut page = Page { text: String::with_capacity(json.len() * 2), colour, depth: 0 };
    let mut rest = json.trim();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => string_length(rest),
            '{' | '[' | '}' | ']' | ',' | ':' => 1,
            _ => rest.find(|c: char| matches!(c, ',' | '}' | ']') || c.is_ascii_whitespace()).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        rest = after.trim_start();
        match first {
            '{' | '[' if rest.starts_with(['}', ']']) => {
                page.text.push(first);
                page.text.push_str(&rest[..1]);
                rest = rest[1..].trim_start();
            }
            '{' | '[' => {
                page.text.push(first);
                page.depth += 1;
                page.new_line();
            }
            '}' | ']' => {
                page.depth = page.depth.saturating_sub(1);
                page.new_line();
                page.text.push(first);
            }
            ',' => {
                page.text.push(first);
                page.new_line();
            }
            ':' => page.text.push_str(": "),
            '"' => page.paint(if rest.starts_with(':') { KEY } else { STRING }, token),
            _ => page.paint(LITERAL, token),
        }
    }
    page.text
}

/// Length of the string at the start of `text` including its quotes, in bytes.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

struct Page {
    text: String,
    colour: bool,
    depth: usize,
}

impl Page {
    fn new_line(&mut self) {
        self.text.push('\n');
        for _ in 0..self.depth {
            self.text.push_str(INDENT);
        }
    }

    fn paint(&mut self, colour: &str, token: &str) {
        if self.colour {
            self.text.push_str(colour);
        }
        self.text.push_str(token);
        if self.colour {
            self.text.push_str(PLAIN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_numbers_stay() {
        let json = r#"{"b":1.50,"a":[true,{}, [ ],"x,\"}"],"c":{"d":null}}"#;
        let expected = "{\n  \"b\": 1.50,\n  \"a\": [\n    true,\n    {},\n    [],\n    \"x,\\\"}\"\n  ],\n  \"c\": {\n    \"d\": null\n  }\n}";
        assert_eq!(pretty(json, false), expected);
        for json in ["{}", "null", "\"x\"", "-1.5e3"] {
            assert_eq!(pretty(json, false), json);
        }
    }

    #[test]
    fn keys_strings_and_literals_differ_in_colour() {
        let expected = "{\n  \x1b[36m\"a\"\x1b[0m: \x1b[32m\"b\"\x1b[0m,\n  \x1b[36m\"c\"\x1b[0m: \x1b[33m1\x1b[0m\n}";
        assert_eq!(pretty(r#"{"a":"b","c":1}"#, true), expected);
    }
}
