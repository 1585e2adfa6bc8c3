//! Parses event streams (WHATWG HTML, "Server-sent events").
//!
//! Pure and incremental: the bytes may be cut anywhere. More lenient than the standard in one point: a last event
//! without its blank line counts.

use memchr::memchr2;

/// Bytes of the start of a stream that are kept, to report what was sent instead.
const OPENING: usize = 256;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SseEvent {
    /// Name; empty if it has none.
    pub name: String,
    /// Data; invalid UTF-8 is replaced by U+FFFD.
    pub data: String,
}

/// An event is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream has more than {0} bytes")]
pub struct EventTooLong(pub usize);

/// The incremental parser of a stream.
#[derive(Debug)]
pub struct Sse {
    event_bytes: usize,
    line: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// Whether the last byte was CR: an LF after it belongs to the same line end.
    after_return: bool,
    opening: Vec<u8>,
    events: u64,
}

impl Sse {
    /// Creates an empty parser. An event may have `event_bytes` bytes.
    pub fn new(event_bytes: usize) -> Self {
        Self {
            event_bytes,
            line: Vec::new(),
            name: Vec::new(),
            data: Vec::new(),
            has_data: false,
            after_return: false,
            opening: Vec::new(),
            events: 0,
        }
    }

    /// Parses more bytes and appends the completed events to `events`.
    ///
    /// # Errors
    /// An event is too long. Nothing can be parsed after that.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<SseEvent>) -> Result<(), EventTooLong> {
        let kept = OPENING.saturating_sub(self.opening.len()).min(bytes.len());
        self.opening.extend_from_slice(&bytes[..kept]);
        let mut rest = bytes;
        while !rest.is_empty() {
            if std::mem::take(&mut self.after_return) && rest[0] == b'\n' {
                rest = &rest[1..];
                continue;
            }
            let end = memchr2(b'\n', b'\r', rest);
            let part = &rest[..end.unwrap_or(rest.len())];
            if self.line.len() + self.data.len() + part.len() > self.event_bytes {
                return Err(EventTooLong(self.event_bytes));
            }
            self.line.extend_from_slice(part);
            let Some(end) = end else { break };
            self.after_return = rest[end] == b'\r';
            rest = &rest[end + 1..];
            self.end_line(events);
        }
        Ok(())
    }

    /// The stream has ended: completes the open event.
    pub fn finish(&mut self, events: &mut Vec<SseEvent>) {
        self.end_line(events);
        self.end_event(events);
    }

    /// The beginning of the stream, if it is not an event.
    pub fn opening(&self) -> Option<String> {
        (self.events == 0).then(|| String::from_utf8_lossy(&self.opening).into_owned())
    }

    fn end_line(&mut self, events: &mut Vec<SseEvent>) {
        let mut line = std::mem::take(&mut self.line);
        let text = line.strip_prefix(b"\xef\xbb\xbf".as_slice()).filter(|_| self.events == 0).unwrap_or(&line);
        if text.is_empty() {
            self.end_event(events);
        } else {
            let colon = memchr::memchr(b':', text);
            let (field, value) = text.split_at(colon.unwrap_or(text.len()));
            let value = value.strip_prefix(b":".as_slice()).unwrap_or(value);
            let value = value.strip_prefix(b" ".as_slice()).unwrap_or(value);
            match field {
                b"data" => {
                    if self.has_data {
                        self.data.push(b'\n');
                    }
                    self.has_data = true;
                    self.data.extend_from_slice(value);
                }
                b"event" => {
                    self.name.clear();
                    self.name.extend_from_slice(value);
                }
                // Comments, `id`, `retry`, and unknown fields.
                _ => {}
            }
        }
        line.clear();
        self.line = line;
    }

    fn end_event(&mut self, events: &mut Vec<SseEvent>) {
        if std::mem::take(&mut self.has_data) {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            events.push(SseEvent { name: text(&self.name), data: text(&self.data) });
            self.events += 1;
        }
        self.name.clear();
        self.data.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_in(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let (mut sse, mut events) = (Sse::new(1000), Vec::new());
        for piece in pieces {
            sse.push(piece, &mut events).unwrap();
        }
        sse.finish(&mut events);
        events.into_iter().map(|event| (event.name, event.data)).collect()
    }

    fn read(bytes: &[u8]) -> Vec<(String, String)> {
        read_in(&[bytes])
    }

    fn event(name: &str, data: &str) -> (String, String) {
        (name.to_owned(), data.to_owned())
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        let two = [event("x", "1"), event("", "2")];
        assert_eq!(read(b"event: x\ndata: 1\n\ndata: 2\n\n"), two);
        assert_eq!(read(b"event: x\r\ndata: 1\r\n\r\ndata:2\r\n\r\n"), two);
        assert_eq!(read(b"event: x\rdata: 1\r\rdata: 2\r\r"), two);
        assert_eq!(read(b"\xef\xbb\xbfevent: x\ndata: 1\n\ndata: 2\n\n"), two);
        assert_eq!(read(b": hello\nevent: x\n:\ndata: 1\nid: 7\nretry: 1\n\n\n\ndata: 2\n\n"), two);
        assert_eq!(read(b"data: a\ndata:  b\ndata\n\n"), [event("", "a\n b\n")]);
        assert_eq!(read(b"event: x\n\ndata: 2\n\n"), [event("", "2")]);
        assert_eq!(read(b"data:\n\n"), [event("", "")]);
    }

    #[test]
    fn the_last_event_needs_no_blank_line() {
        for end in ["", "\n", "\r", "\r\n", "\n\n"] {
            assert_eq!(
                read(format!("data: 1\n\ndata: 2{end}").as_bytes()),
                [event("", "1"), event("", "2")],
                "{end:?}"
            );
        }
        assert_eq!(read(b""), []);
    }

    #[test]
    fn what_is_no_utf_8_becomes_visible() {
        assert_eq!(read(b"data: a\xff\xc3\n\n"), [event("", "a\u{fffd}\u{fffd}")]);
        assert_eq!(read_in(&[b"data: \xc3", b"\xa4\n\n"]), [event("", "\u{e4}")]);
    }

    #[test]
    fn a_stream_that_is_none_tells_how_it_began() {
        let (mut sse, mut events) = (Sse::new(10_000), Vec::new());
        sse.push(b"<html>", &mut events).unwrap();
        sse.push(&[b'x'; 1000], &mut events).unwrap();
        sse.finish(&mut events);
        assert!(events.is_empty());
        let opening = sse.opening().unwrap();
        assert!(opening.starts_with("<html>xxx") && opening.len() == OPENING, "{opening}");
        sse.push(b"data: 1\n\n", &mut events).unwrap();
        assert_eq!(sse.opening(), None);
    }

    #[test]
    fn an_event_is_bounded_however_it_is_built() {
        for endless in ["data: xxxxxxxxxxxxxxxx", "data: xxxxxxxx\n", ": xxxxxxxxxxxxxxx", "event: xxxxxxxxxxxx"] {
            let (mut sse, mut events) = (Sse::new(64), Vec::new());
            let fed =
                endless.as_bytes().iter().cycle().take(10_000).try_for_each(|byte| sse.push(&[*byte], &mut events));
            assert_eq!(fed, Err(EventTooLong(64)), "{endless}");
            assert!(events.is_empty());
        }
        let (mut sse, mut events) = (Sse::new(64), Vec::new());
        for _ in 0..1000 {
            sse.push(b": a comment of some length\ndata: 1\n\n", &mut events).unwrap();
        }
        assert_eq!(events.len(), 1000);
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_bytes_are_cut(
            lines in prop::collection::vec("(data|event|id|)(: ?)?[a-z\u{e4}:]{0,8}(\n|\r|\r\n){0,2}", 0..20),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        ) {
            let bytes = lines.concat().into_bytes();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.extend([0, bytes.len()]);
            places.sort_unstable();
            let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read_in(&pieces), read(&bytes));
        }
    }
}
