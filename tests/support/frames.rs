//! WebSocket frames by hand (RFC 6455 5.2), so that they can be as wrong as a promise wants them.

use std::io::ErrorKind;
use std::time::Instant;

use super::wire::{Socket, patient};
use super::{PATIENCE, http};

pub const CONTINUATION: u8 = 0x0;
pub const TEXT: u8 = 0x1;
pub const BINARY: u8 = 0x2;
pub const CLOSE: u8 = 0x8;
pub const PING: u8 = 0x9;
pub const PONG: u8 = 0xa;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// A frame of the server.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub opcode: u8,
    pub payload: Vec<u8>,
}

impl Frame {
    /// The payload as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.payload).expect("the payload is text")
    }

    /// The code of a close frame.
    pub fn close_code(&self) -> u16 {
        assert_eq!(self.opcode, CLOSE, "not a close frame: {self:?}");
        u16::from_be_bytes([self.payload[0], self.payload[1]])
    }
}

/// An upgraded connection.
pub struct Frames<S: Socket>(pub S);

impl<S: Socket> Frames<S> {
    /// Upgrades `stream`.
    pub fn upgrade(stream: S) -> Self {
        let mut stream = patient(stream);
        let response = http::exchange(&mut stream, &http::request("GET", "/", http::UPGRADE)).expect("an answer");
        assert_eq!(response.status, 101, "{response:?}");
        Self(stream)
    }

    /// Upgrades `stream` and shakes hands.
    pub fn initialized(stream: S) -> Self {
        let mut frames = Self::upgrade(stream);
        frames.text(r#"{"id":0,"method":"initialize","params":{"clientInfo":{"name":"frames","version":"1"}}}"#);
        let answer = frames.read_until(|frame| frame.text().contains(r#""id":0"#));
        assert!(answer.text().contains("userAgent"), "{answer:?}");
        frames
    }

    /// Sends one whole text message.
    pub fn text(&mut self, text: &str) {
        self.send(true, TEXT, text.as_bytes());
    }

    /// Sends one frame.
    pub fn send(&mut self, last: bool, opcode: u8, payload: &[u8]) {
        self.send_bytes(&encode(last, opcode, payload));
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the frame is sent");
    }

    /// The next frame; `None` when the server has closed the connection.
    pub fn read(&mut self) -> Option<Frame> {
        self.read_before(Instant::now() + PATIENCE)
    }

    fn read_before(&mut self, deadline: Instant) -> Option<Frame> {
        let left = deadline.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "waited {PATIENCE:?} for a frame in vain; others came");
        self.0.limit_reads(left);
        let mut head = [0; 2];
        self.fill(&mut head)?;
        assert_eq!(head[0] & !0x0f, FIN, "the server sends whole messages without extensions: {head:?}");
        assert_eq!(head[1] & MASKED, 0, "the server does not mask");
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.fill(&mut length)?;
                u16::from_be_bytes(length).into()
            }
            127 => {
                let mut length = [0; 8];
                self.fill(&mut length)?;
                u64::from_be_bytes(length)
            }
            short => short.into(),
        };
        let mut payload = vec![0; usize::try_from(length).expect("it fits into memory")];
        self.fill(&mut payload)?;
        Some(Frame { opcode: head[0] & 0x0f, payload })
    }

    /// The first frame that `wanted` recognises; those before it are dropped.
    pub fn read_until(&mut self, wanted: impl Fn(&Frame) -> bool) -> Frame {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let frame = self.read_before(deadline).expect("the server closed the connection");
            if wanted(&frame) {
                return frame;
            }
        }
    }

    /// Waits for the close frame: its code. The connection must end after it.
    pub fn close_code(&mut self) -> u16 {
        let code = self.read_until(|frame| frame.opcode == CLOSE).close_code();
        // The other half of the closing handshake; the server may have gone already.
        let _ = self.0.write_all(&encode(true, CLOSE, &code.to_be_bytes()));
        assert_eq!(self.read(), None, "nothing follows a close frame");
        code
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Option<()> {
        match self.0.read_exact(buffer) {
            Ok(()) => Some(()),
            Err(e) if matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => None,
            Err(e) => panic!("waited {PATIENCE:?} for a frame in vain: {e}"),
        }
    }
}

/// A masked frame. The mask is zero, so the payload stands as it is.
pub fn encode(last: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(last, opcode, payload.len() as u64);
    frame.extend_from_slice(payload);
    frame
}

/// The header of a masked frame whose payload has `length` bytes.
pub fn header(last: bool, opcode: u8, length: u64) -> Vec<u8> {
    let mut header = vec![if last { FIN | opcode } else { opcode }];
    match length {
        0..126 => header.push(MASKED | length as u8),
        126..0x1_0000 => {
            header.push(MASKED | 126);
            header.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            header.push(MASKED | 127);
            header.extend_from_slice(&length.to_be_bytes());
        }
    }
    header.extend_from_slice(&[0; 4]);
    header
}
