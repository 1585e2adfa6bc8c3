//! Checks the nesting of a JSON text without parsing it, using no stack and no memory.

use memchr::memchr2_iter;

/// Whether arrays and objects of `text` are nested deeper than `levels`. For text that is not JSON the result is
/// arbitrary, because it is rejected afterwards.
pub(super) fn is_deeper_than(levels: usize, text: &str) -> bool {
    // Most messages have fewer brackets than allowed levels, and counting them is many times faster.
    if memchr2_iter(b'[', b'{', text.as_bytes()).nth(levels).is_none() {
        return false;
    }
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte == b'"' {
            in_string = true;
        } else if byte == b'[' || byte == b'{' {
            depth += 1;
            if depth > levels {
                return true;
            }
        } else if byte == b']' || byte == b'}' {
            depth = depth.saturating_sub(1);
        }
    }
    false
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
}
