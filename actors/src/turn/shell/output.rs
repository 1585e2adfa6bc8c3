//! The output of a command as text, of which the beginning and the end are kept.

use encoding_rs::{Decoder, UTF_8};

/// Makes text of bytes that are cut anywhere. What is not UTF-8 becomes U+FFFD.
pub(super) struct Text(Decoder);

impl Text {
    pub(super) fn new() -> Self {
        Self(UTF_8.new_decoder_without_bom_handling())
    }

    /// The text of `bytes`; `last` says that no more bytes follow.
    pub(super) fn push(&mut self, bytes: &[u8], last: bool) -> String {
        let most = self.0.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len());
        let mut text = String::with_capacity(most);
        let (_, read, _) = self.0.decode_to_string(bytes, &mut text, last);
        debug_assert_eq!(read, bytes.len(), "the text has room for the worst case");
        text
    }
}

/// The beginning and the end of a text, with a note in place of what was between them.
pub(super) struct Kept {
    /// Bytes of the beginning, and of the end.
    half: usize,
    head: String,
    head_is_full: bool,
    /// Up to twice `half` bytes; only the last `half` count.
    tail: String,
    bytes: u64,
    line_ends: u64,
    /// The last line has no end yet.
    inside_line: bool,
}

impl Kept {
    /// Nothing yet; of what comes, up to `most` bytes are kept.
    pub(super) fn new(most: usize) -> Self {
        Self {
            half: most / 2,
            head: String::new(),
            head_is_full: false,
            tail: String::new(),
            bytes: 0,
            line_ends: 0,
            inside_line: false,
        }
    }

    /// Adds text, and returns how many of its bytes belong to the beginning.
    pub(super) fn push(&mut self, text: &str) -> usize {
        self.bytes += text.len() as u64;
        self.line_ends += text.bytes().filter(|byte| *byte == b'\n').count() as u64;
        self.inside_line = text.bytes().last().map_or(self.inside_line, |last| last != b'\n');
        let room = if self.head_is_full { 0 } else { self.half - self.head.len() };
        let (first, rest) = text.split_at(text.floor_char_boundary(room));
        self.head.push_str(first);
        self.head_is_full |= !rest.is_empty();
        if rest.len() > self.half {
            // Only its last part can count, and nothing before it.
            self.tail.clear();
            self.tail.push_str(&rest[rest.ceil_char_boundary(rest.len() - self.half)..]);
        } else {
            self.tail.push_str(rest);
        }
        if self.tail.len() > 2 * self.half {
            self.tail.drain(..self.tail.len() - self.end().len());
        }
        first.len()
    }

    /// Bytes of the whole text.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lines of the whole text; the last one counts also without its end.
    pub(super) fn lines(&self) -> u64 {
        self.line_ends + u64::from(self.inside_line)
    }

    /// What follows the beginning: the end, behind the words of `note` about the bytes that are left out, if any are.
    pub(super) fn rest(&self, note: impl FnOnce(u64) -> String) -> String {
        let end = self.end();
        let left_out = self.bytes - (self.head.len() + end.len()) as u64;
        if left_out == 0 { end.to_owned() } else { note(left_out) + end }
    }

    /// The whole text, with a note in place of what is left out.
    pub(super) fn text(&self, note: impl FnOnce(u64) -> String) -> String {
        self.head.clone() + &self.rest(note)
    }

    /// The text in at most `most` bytes and a note, and whether it was shortened.
    pub(super) fn excerpt(&self, most: usize) -> (String, bool) {
        let whole = self.text(|_| String::new());
        let half = most / 2;
        if self.bytes == whole.len() as u64 && whole.len() <= most {
            return (whole, false);
        }
        let first = &whole[..whole.floor_char_boundary(half)];
        let end = &whole[whole.ceil_char_boundary(whole.len().saturating_sub(half)).max(first.len())..];
        let left_out = self.bytes - (first.len() + end.len()) as u64;
        (format!("{first}…{left_out} chars truncated…{end}"), true)
    }

    fn end(&self) -> &str {
        &self.tail[self.tail.ceil_char_boundary(self.tail.len().saturating_sub(self.half))..]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn note(bytes: u64) -> String {
        format!("<{bytes}>")
    }

    #[test]
    fn bytes_become_text_wherever_they_are_cut() {
        let bytes = "a\u{e9}\u{1f600}z".as_bytes();
        for cut in 0..bytes.len() {
            let mut text = Text::new();
            let joined = text.push(&bytes[..cut], false) + &text.push(&bytes[cut..], true);
            assert_eq!(joined, "a\u{e9}\u{1f600}z");
        }
        let mut text = Text::new();
        assert_eq!(text.push(b"x\xff\xc3", false) + &text.push(b"", true), "x\u{fffd}\u{fffd}");
    }

    #[test]
    fn the_beginning_and_the_end_are_kept() {
        let mut kept = Kept::new(8);
        assert_eq!(kept.push("abc"), 3);
        assert_eq!(kept.push("defg"), 1);
        assert_eq!(kept.text(note), "abcdefg");
        for _ in 0..100 {
            assert_eq!(kept.push("01\n"), 0);
        }
        assert_eq!(kept.text(note), "abcd<299>\n01\n");
        assert_eq!((kept.bytes(), kept.lines()), (307, 100));
        kept.push("x");
        assert_eq!(kept.lines(), 101);
    }

    #[test]
    fn an_excerpt_has_the_beginning_and_the_end() {
        let mut kept = Kept::new(20);
        kept.push("0123456789");
        assert_eq!(kept.excerpt(10), ("0123456789".to_owned(), false));
        assert_eq!(kept.excerpt(6), ("012…4 chars truncated…789".to_owned(), true));
        kept.push(&"x".repeat(100));
        kept.push("yz");
        assert_eq!(kept.excerpt(6), ("012…106 chars truncated…xyz".to_owned(), true));
        assert_eq!(kept.excerpt(0), ("…112 chars truncated…".to_owned(), true));
        assert_eq!(Kept::new(0).excerpt(0), (String::new(), false));
    }

    proptest! {
        #[test]
        fn it_is_the_same_however_the_text_arrives(pieces in prop::collection::vec("[aé😀\n]{0,9}", 0..20), most in 0..20_usize) {
            let whole = pieces.concat();
            let (mut at_once, mut in_pieces) = (Kept::new(most), Kept::new(most));
            at_once.push(&whole);
            let mut begun = String::new();
            for piece in &pieces {
                let first = in_pieces.push(piece);
                begun.push_str(&piece[..first]);
            }
            prop_assert_eq!(begun + &in_pieces.rest(note), in_pieces.text(note));
            prop_assert_eq!(in_pieces.lines(), whole.lines().count() as u64);
            prop_assert_eq!(at_once.text(note), in_pieces.text(note));
            prop_assert!(in_pieces.tail.len() <= most, "{} bytes of at most {}", in_pieces.tail.len(), most);
        }
    }
}
