use std::sync::LazyLock;

use app_server_actors::limits::Limits;
use app_server_actors::wire::reader::{Binary, Incoming, MessageReader};

/// Small enough that a fuzzer reaches them.
static LIMITS: LazyLock<Limits> =
    LazyLock::new(|| Limits { websocket_frame_bytes: 256, message_bytes: 512, ..super::LIMITS.clone() });

/// Any bytes of a peer mean the same however they arrive, and nothing exceeds the limits. The first byte says how many
/// bytes arrive at a time, and whether binary messages are taken.
pub fn continuation_reassembly(bytes: &[u8]) {
    let Some((how, bytes)) = bytes.split_first() else { return };
    let binary = if how & 0x80 == 0 { Binary::Refused } else { Binary::Taken };
    let step = usize::from(how & 0x7f).max(1);
    let read = read(bytes, step, binary);
    assert_eq!(read, self::read(bytes, bytes.len().max(1), binary), "{step} bytes at a time");
    let mut refused = false;
    for incoming in read {
        assert!(!refused || matches!(incoming, Incoming::Close(_) | Incoming::Violation(_)), "{incoming:?}");
        match incoming {
            Incoming::Text(text) => assert!(text.len() <= LIMITS.message_bytes),
            Incoming::Binary(bytes) => {
                assert!(bytes.len() <= LIMITS.message_bytes);
                refused = binary == Binary::Refused;
            }
            Incoming::Ping(payload) => assert!(payload.len() <= 125),
            Incoming::Close(_) | Incoming::Violation(_) => refused = true,
        }
    }
}

fn read(bytes: &[u8], step: usize, binary: Binary) -> Vec<Incoming> {
    let mut reader = MessageReader::new(&LIMITS, binary);
    let mut read = Vec::new();
    for piece in bytes.chunks(step) {
        reader.push(piece);
        while let Some(incoming) = reader.next() {
            read.push(incoming);
        }
    }
    read
}

/// One frame of a text message, and the ping that comes before it, if one does.
#[derive(Clone, Debug)]
pub struct Part {
    /// Bytes of the message in this frame, as far as there are so many left.
    pub bytes: usize,
    pub key: [u8; 4],
    pub ping: Option<Vec<u8>>,
}

/// A text comes out as it went in, however it is cut into frames and whatever pings come between.
pub fn reassembles(text: &str, parts: &[Part], step: usize) {
    let (mut wire, mut expected, mut rest) = (Vec::new(), Vec::new(), text.as_bytes());
    for (at, part) in parts.iter().enumerate() {
        if let Some(ping) = &part.ping {
            wire.extend(frame(0x89, ping, part.key));
            expected.push(Incoming::Ping(ping.clone().into()));
        }
        let last = at + 1 == parts.len();
        let (its, others) = rest.split_at(if last { rest.len() } else { part.bytes.min(rest.len()) });
        rest = others;
        let (last, first) = (if last { 0x80 } else { 0 }, u8::from(at == 0));
        wire.extend(frame(last | first, its, part.key));
    }
    expected.push(Incoming::Text(text.into()));
    assert_eq!(read(&wire, step, Binary::Refused), expected);
}

fn frame(first: u8, payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a test's frame is short");
    let mut frame = match u8::try_from(length) {
        Ok(short) if short < 126 => vec![first, 0x80 | short],
        _ => [&[first, 0x80 | 126][..], &length.to_be_bytes()].concat(),
    };
    frame.extend(key);
    frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    frame
}
