//! Lines of JSON (spec: local transports 2). A malformed line is answered with an error and never ends the connection.

use bytes::{Buf, BytesMut};
use bytestring::ByteString;
use tokio_util::codec::Decoder;

use crate::protocol::{ErrorCode, RpcError};

/// A read buffer above this size is freed once it is empty.
const KEPT_BUFFER_BYTES: usize = 64 * 1024;

/// What some programs put in front of a text. At the beginning of the lines it is skipped.
pub const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A line from the peer.
#[derive(Debug, PartialEq)]
pub enum Line {
    /// The text without the newline.
    Text(ByteString),
    /// A line above the limit; its rest is skipped and never stored.
    TooLong,
    /// A line that is not UTF-8.
    NotUtf8,
}

impl Line {
    /// Size of the text, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::TooLong | Self::NotUtf8 => 0,
        }
    }

    /// The text, or the error for an invalid line; `limit` is the limit on the length of lines.
    ///
    /// # Errors
    /// -32600 for a line that is too long, -32700 for a line that is not UTF-8.
    pub fn into_text(self, limit: usize) -> Result<ByteString, RpcError> {
        match self {
            Self::Text(text) => Ok(text),
            Self::TooLong => {
                Err(RpcError::invalid_request(format_args!("Invalid request: the line is longer than {limit} bytes")))
            }
            Self::NotUtf8 => Err(RpcError::new(ErrorCode::Parse, "Parse error: the line is not UTF-8")),
        }
    }
}

/// Splits bytes into lines. Blank lines are ignored; the last line needs no newline.
pub struct JsonLines {
    limit: usize,
    /// Bytes of the buffer that are known to contain no newline.
    scanned: usize,
    /// Inside a line that was rejected for its length.
    skipping: bool,
    /// Before the end of the first line.
    in_first: bool,
}

impl JsonLines {
    /// Splits into lines of at most `limit` bytes, not counting newlines.
    pub fn new(limit: usize) -> Self {
        Self { limit, scanned: 0, skipping: false, in_first: true }
    }

    fn line(&mut self, mut bytes: BytesMut) -> Option<Line> {
        if std::mem::take(&mut self.in_first) && bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.advance(BYTE_ORDER_MARK.len());
        }
        while bytes.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            bytes.truncate(bytes.len() - 1);
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        if bytes.len() > self.limit {
            return Some(Line::TooLong);
        }
        Some(ByteString::try_from(bytes.freeze()).map_or(Line::NotUtf8, Line::Text))
    }
}

impl Decoder for JsonLines {
    type Item = Line;
    type Error = std::io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> std::io::Result<Option<Line>> {
        loop {
            let Some(end) = memchr::memchr(b'\n', &buffer[self.scanned..]) else {
                if self.skipping {
                    buffer.clear();
                }
                self.scanned = buffer.len();
                // Above the limit, because a mark may have come before and a CRLF may still follow.
                if self.scanned > self.limit + BYTE_ORDER_MARK.len() + 2 {
                    self.in_first = false;
                    *buffer = BytesMut::new();
                    self.scanned = 0;
                    self.skipping = true;
                    return Ok(Some(Line::TooLong));
                }
                if buffer.is_empty() && buffer.capacity() > KEPT_BUFFER_BYTES {
                    *buffer = BytesMut::new();
                }
                return Ok(None);
            };
            let length = self.scanned + end + 1;
            self.scanned = 0;
            if std::mem::take(&mut self.skipping) {
                buffer.advance(length);
            } else if let Some(line) = self.line(buffer.split_to(length)) {
                return Ok(Some(line));
            }
        }
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> std::io::Result<Option<Line>> {
        if let Some(line) = self.decode(buffer)? {
            return Ok(Some(line));
        }
        self.scanned = 0;
        Ok(self.line(buffer.split()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(limit: usize, pieces: &[&[u8]]) -> Vec<Line> {
        let (mut decoder, mut buffer, mut lines) = (JsonLines::new(limit), BytesMut::new(), Vec::new());
        for piece in pieces {
            buffer.extend_from_slice(piece);
            while let Some(line) = decoder.decode(&mut buffer).unwrap() {
                lines.push(line);
            }
        }
        while let Some(line) = decoder.decode_eof(&mut buffer).unwrap() {
            lines.push(line);
        }
        lines
    }

    fn text(text: &str) -> Line {
        Line::Text(text.into())
    }

    #[test]
    fn line_ends_and_blank_lines() {
        assert_eq!(lines(10, &[b"a\r\n\n  \nb\nc"]), [text("a"), text("b"), text("c")]);
        assert_eq!(lines(10, &[b"a", b"b", b"\n", b"", b"c\n"]), [text("ab"), text("c")]);
    }

    #[test]
    fn a_long_line_is_refused_once_and_skipped() {
        assert_eq!(lines(4, &[b"1234\r\n"]), [text("1234")]);
        assert_eq!(lines(4, &[b"12345\na\n"]), [Line::TooLong, text("a")]);
        assert_eq!(lines(4, &[b"1234567", b"89", b"0\na\n"]), [Line::TooLong, text("a")]);
        assert_eq!(lines(4, &[b"1234567", b"89"]), [Line::TooLong]);
    }

    #[test]
    fn a_byte_order_mark_is_skipped_at_the_beginning_only() {
        let mark = "\u{feff}";
        assert_eq!(lines(4, &[mark.as_bytes(), b"1234\r\n"]), [text("1234")]);
        assert_eq!(lines(9, &[b"\xef", b"\xbb\xbf\na\n", mark.as_bytes(), b"b"]), [text("a"), text("\u{feff}b")]);
        assert_eq!(lines(4, &[mark.as_bytes()]), []);
    }

    #[test]
    fn bytes_that_are_no_text_cost_one_line() {
        assert_eq!(lines(10, &[b"\xff\xfe\na\n"]), [Line::NotUtf8, text("a")]);
    }
}
