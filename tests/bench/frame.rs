//! Messages on a wire: text frames of a WebSocket client, or lines.
//!
//! Written by hand because the load must cost less than the served side: a client that is the bottleneck measures
//! itself.

use std::ops::Range;

/// How messages are told apart on a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// RFC 6455, client to server masked.
    WebSocket,
    /// One message a line.
    Lines,
}

/// Where the first whole message lies in a buffer.
pub struct Found {
    /// The bytes of the message itself.
    pub payload: Range<usize>,
    /// The bytes that it takes on the wire, counted from the start of the buffer.
    pub length: usize,
    /// What it is.
    pub kind: Kind,
}

/// The kinds of message that a client has to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A JSON-RPC message.
    Text,
    /// The server says goodbye.
    Close,
    /// A ping, a pong: nothing for a benchmark.
    Other,
}

impl Framing {
    /// `text` as it goes out. The masking key is zero, which every server must unmask like any other; the text
    /// stays readable in the frame, so that a request can be sent again with nothing but its id changed.
    pub fn encode(self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(text.len() + 14);
        if self == Self::WebSocket {
            bytes.push(0x81);
            match text.len() {
                length @ 0..=125 => bytes.push(0x80 | length as u8),
                length @ 126..=0xffff => {
                    bytes.push(0x80 | 126);
                    bytes.extend((length as u16).to_be_bytes());
                }
                length => {
                    bytes.push(0x80 | 127);
                    bytes.extend((length as u64).to_be_bytes());
                }
            }
            bytes.extend([0; 4]);
        }
        bytes.extend(text.as_bytes());
        if self == Self::Lines {
            bytes.push(b'\n');
        }
        bytes
    }

    /// The first message of `bytes`, if all of it is there.
    pub fn find(self, bytes: &[u8]) -> Option<Found> {
        match self {
            Self::WebSocket => find_frame(bytes),
            Self::Lines => {
                let end = bytes.iter().position(|&byte| byte == b'\n')?;
                Some(Found { payload: 0..end, length: end + 1, kind: Kind::Text })
            }
        }
    }
}

/// The first frame of `bytes`. The mask bit is looked at because the floor sends back what it got.
fn find_frame(bytes: &[u8]) -> Option<Found> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (length, mut start) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?, 10),
        length => (usize::from(length), 2),
    };
    if second & 0x80 != 0 {
        start += 4;
    }
    let kind = match first & 0x0f {
        0x1 => Kind::Text,
        0x8 => Kind::Close,
        _ => Kind::Other,
    };
    let end = start + length;
    (bytes.len() >= end).then_some(Found { payload: start..end, length: end, kind })
}

/// Whether the first bytes of `text`, where a message says what it is, contain `mark`.
pub fn bears(text: &[u8], mark: &[u8]) -> bool {
    let head = &text[..text.len().min(48)];
    head.windows(mark.len()).any(|window| window == mark)
}

/// A request, encoded once and sent many times, each time with an id of its own.
pub struct Numbered {
    bytes: Vec<u8>,
    id: Range<usize>,
    next: u32,
}

impl Numbered {
    /// The first id; all of them have as many digits, so that they fit in the same place.
    const FIRST: u32 = 1_000_000;
    const LAST: u32 = 9_999_999;

    /// `thread/loaded/list`: the cheapest request that goes the whole way to the threads and back.
    pub fn cheap(framing: Framing) -> Self {
        Self::new(framing, "thread/loaded/list", "{}")
    }

    /// A request for `method` with `params` as JSON.
    pub fn new(framing: Framing, method: &str, params: &str) -> Self {
        let first = Self::FIRST;
        let text = format!(r#"{{"id":{first},"method":"{method}","params":{params}}}"#);
        let bytes = framing.encode(&text);
        let start = bytes.len() - usize::from(framing == Framing::Lines) - text.len() + r#"{"id":"#.len();
        Self { bytes, id: start..start + 7, next: first }
    }

    /// The next request as it goes out.
    pub fn next(&mut self) -> &[u8] {
        let mut rest = self.next;
        for digit in self.bytes[self.id.clone()].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.next = if self.next == Self::LAST { Self::FIRST } else { self.next + 1 };
        &self.bytes
    }

    /// The digits of the id that went out last.
    pub fn id(&self) -> &[u8] {
        &self.bytes[self.id.clone()]
    }
}
