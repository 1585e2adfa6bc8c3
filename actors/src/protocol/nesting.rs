//! Checks the nesting and the number of values of a JSON text without parsing it, using no stack and no memory. For text
//! that is not JSON the results are arbitrary, because it is rejected afterwards.

use memchr::{memchr2_iter, memchr3_iter};

/// Whether arrays and objects of `text` are nested deeper than `levels`.
pub(super) fn is_deeper_than(levels: usize, text: &str) -> bool {
    // Most messages have fewer brackets than allowed levels, and counting them is many times faster.
    if memchr2_iter(b'[', b'{', text.as_bytes()).nth(levels).is_none() {
        return false;
    }
    let mut depth = 0_usize;
    outside_of_strings(text).any(|byte| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > levels
    })
}

/// Whether the arrays and objects of `text` have more than `most` elements and members. An empty one counts as one.
pub(crate) fn has_more_values_than(most: usize, text: &str) -> bool {
    // A value has at least one byte; most messages are shorter. Counting in strings, too, is many times faster.
    if text.len() <= most || memchr3_iter(b'[', b'{', b',', text.as_bytes()).nth(most).is_none() {
        return false;
    }
    outside_of_strings(text).filter(|byte| matches!(byte, b'[' | b'{' | b',')).nth(most).is_some()
}

/// The bytes of `text` outside of its strings and their first quotes.
fn outside_of_strings(text: &str) -> impl Iterator<Item = u8> {
    let (mut in_string, mut escaped) = (false, false);
    text.bytes().filter(move |byte| {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            return false;
        }
        in_string = *byte == b'"';
        !in_string
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_counted_and_strings_are_not() {
        assert!(!is_deeper_than(2, "[{}]"));
        assert!(is_deeper_than(2, "[{\"a\":[]}]"));
        assert!(!is_deeper_than(2, "[[],[],[],{},{}]"), "side by side");
        assert!(!is_deeper_than(2, r#"["[[[[", "\"[[[[", "\\"]"#));
        assert!(is_deeper_than(2, r#"["\\",[[]]]"#), "the string ends behind its two backslashes");
        assert!(!is_deeper_than(2, "]]]][[]]"), "not JSON, and not too deep");
    }

    #[test]
    fn values_are_counted_and_commas_in_strings_are_not() {
        assert!(!has_more_values_than(3, "[0,0,0]"));
        assert!(has_more_values_than(3, "[0,0,0,0]"));
        assert!(has_more_values_than(3, r#"{"a":[0],"b":{"c":1}}"#));
        assert!(!has_more_values_than(3, r#"["a,[{b,c","\",,,,"]"#));
        assert!(has_more_values_than(3, "[[],[],[]]"));
    }
}
