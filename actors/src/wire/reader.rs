//! Parses bytes into messages (RFC 6455) as they arrive: sizes are checked by the headers, UTF-8 piece by piece. It has
//! no sockets and no timers.

use std::task::Poll;

use bytes::{Buf, Bytes, BytesMut};
use bytestring::ByteString;

use super::close::{self, CloseReason};
use super::header::{Header, Opcode, Side, unmask};
use crate::limits::Limits;

/// A read buffer above this size is freed once it is empty.
const KEPT_BUFFER_BYTES: usize = 64 * 1024;

/// A message or an event from the peer.
#[derive(Debug, PartialEq, Eq)]
pub enum Incoming {
    /// A complete text message.
    Text(ByteString),
    /// A complete binary message. If they are refused: an empty one as soon as it begins, after which only a close
    /// follows.
    Binary(Bytes),
    /// A ping; answer it with a pong of the same payload.
    Ping(Bytes),
    /// A close frame with its code, if it has one. Always the last item.
    Close(Option<u16>),
    /// The peer violated the protocol or a limit. Only a close follows.
    Violation(CloseReason),
}

impl Incoming {
    /// Size of the payload in bytes, where it can be large.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

/// How binary messages are handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// They are collected like text.
    Taken,
    /// They are refused by the header of their first frame.
    Refused,
}

/// Parses the bytes of one peer: [`Self::push`] the received bytes, then call [`Self::next`] until it returns `None`.
///
/// Memory is bounded by [`Limits::message_bytes`], one read of the socket, and the slack of a growing buffer. A length
/// claimed by a header costs nothing until the bytes arrive.
pub struct MessageReader {
    from: Side,
    frame_bytes: u64,
    message_bytes: u64,
    binary: Binary,
    /// Received bytes, still masked.
    buffer: BytesMut,
    /// The data frame that has arrived in part.
    frame: Option<Partial>,
    /// Kind of the message being collected; `None` between messages.
    kind: Option<Kind>,
    /// Payload of that message so far.
    message: BytesMut,
    /// Number of its bytes that are known to be valid UTF-8.
    text_bytes: usize,
    pongs: u64,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// Data is discarded; only the peer's close frame is awaited.
    Skipping,
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

struct Partial {
    last: bool,
    /// Bytes that have not arrived yet.
    left: u64,
    /// Masking key, rotated so that its first byte applies to the next byte.
    key: [u8; 4],
}

impl Partial {
    /// How many of `bytes` received bytes belong to the frame.
    fn missing(&self, bytes: usize) -> usize {
        usize::try_from(self.left).map_or(bytes, |left| left.min(bytes))
    }
}

impl MessageReader {
    /// Creates a reader of a client's frames.
    pub fn new(limits: &Limits, binary: Binary) -> Self {
        Self::of(Side::Client, limits.websocket_frame_bytes, limits.message_bytes, binary)
    }

    /// Creates a reader of a server's frames. Servers of this protocol send each message in one frame of any length.
    pub fn of_server(limits: &Limits) -> Self {
        Self::of(Side::Server, limits.message_bytes, limits.message_bytes, Binary::Refused)
    }

    /// Creates a reader of a remote-control backend's frames: text, and binary messages that are accepted and ignored.
    pub fn of_backend(frame_bytes: usize, message_bytes: usize) -> Self {
        Self::of(Side::Server, frame_bytes, message_bytes, Binary::Taken)
    }

    /// Creates a reader of the frames of a peer of the relay, with up to `message_bytes` in a message.
    pub fn of_peer(message_bytes: usize) -> Self {
        Self::of(Side::Client, message_bytes, message_bytes, Binary::Refused)
    }

    fn of(from: Side, frame_bytes: usize, message_bytes: usize, binary: Binary) -> Self {
        Self {
            from,
            frame_bytes: frame_bytes as u64,
            message_bytes: message_bytes as u64,
            binary,
            buffer: BytesMut::new(),
            frame: None,
            kind: None,
            message: BytesMut::new(),
            text_bytes: 0,
            pongs: 0,
            state: State::Open,
        }
    }

    /// Adds received bytes.
    pub fn push(&mut self, mut bytes: &[u8]) {
        if self.buffer.is_empty()
            && let Some(mut frame) = self.frame.take()
        {
            // The bulk of a large message goes directly into its payload.
            let (its, rest) = bytes.split_at(frame.missing(bytes.len()));
            self.absorb(&mut frame, its);
            self.frame = Some(frame);
            bytes = rest;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// Number of received pongs.
    pub fn pongs(&self) -> u64 {
        self.pongs
    }

    /// Whether no more items follow, whatever is pushed.
    pub fn has_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// The next item in the pushed bytes; `None` if more bytes are needed.
    #[expect(clippy::should_implement_trait, reason = "there can be more after a None")]
    pub fn next(&mut self) -> Option<Incoming> {
        while !self.has_ended() {
            let step = match self.frame.take() {
                Some(frame) => self.go_on(frame),
                None => self.begin(),
            };
            match step {
                Poll::Ready(Some(incoming)) => return Some(incoming),
                Poll::Ready(None) => {}
                Poll::Pending => break,
            }
        }
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT_BUFFER_BYTES {
            self.buffer = BytesMut::new();
        }
        None
    }

    /// Begins a new frame. Pending if bytes are missing; ready with nothing if the frame yields no item by itself.
    fn begin(&mut self) -> Poll<Option<Incoming>> {
        let header = match Header::read(&self.buffer, self.from) {
            Ok(Some(header)) => header,
            Ok(None) => return Poll::Pending,
            Err(_) => return self.fail(),
        };
        if header.is_control() {
            return self.control(header);
        }
        if self.state == State::Open {
            let (inside, first) = (self.kind.is_some(), header.opcode != Opcode::Continuation);
            if inside == first {
                return self.fail();
            }
            if header.length > self.frame_bytes || self.message.len() as u64 + header.length > self.message_bytes {
                return self.refuse(Incoming::Violation(CloseReason::MessageTooBig));
            }
            if header.opcode == Opcode::Binary && self.binary == Binary::Refused {
                return self.refuse(Incoming::Binary(Bytes::new()));
            }
        }
        let Some(key) = header.key(&self.buffer) else { return Poll::Pending };
        let kind = match header.opcode {
            Opcode::Binary => Kind::Binary,
            _ => Kind::Text,
        };
        let whole = header.last && self.kind.is_none() && self.state == State::Open;
        self.buffer.advance(header.bytes);
        if whole && self.buffer.len() as u64 >= header.length {
            let payload = self.payload(header.length, key);
            return self.whole(kind, payload);
        }
        self.kind.get_or_insert(kind);
        self.frame = Some(Partial { last: header.last, left: header.length, key });
        Poll::Ready(None)
    }

    /// Continues a data frame.
    fn go_on(&mut self, mut frame: Partial) -> Poll<Option<Incoming>> {
        let its = self.buffer.split_to(frame.missing(self.buffer.len()));
        self.absorb(&mut frame, &its);
        let (last, ended) = (frame.last, frame.left == 0);
        if !ended {
            self.frame = Some(frame);
        }
        if self.state == State::Open {
            if ended && last {
                let kind = self.kind.take().unwrap_or(Kind::Text);
                self.text_bytes = 0;
                let message = std::mem::take(&mut self.message).freeze();
                return self.whole(kind, message);
            }
            if self.kind == Some(Kind::Text) && !self.is_text_so_far() {
                return self.refuse(Incoming::Violation(CloseReason::InvalidText));
            }
        }
        if ended { Poll::Ready(None) } else { Poll::Pending }
    }

    /// Takes the next bytes of a data frame.
    fn absorb(&mut self, frame: &mut Partial, bytes: &[u8]) {
        frame.left -= bytes.len() as u64;
        if self.state == State::Open {
            let from = self.message.len();
            self.message.extend_from_slice(bytes);
            unmask(&mut self.message[from..], frame.key);
            frame.key.rotate_left(bytes.len() % 4);
        }
    }

    fn control(&mut self, header: Header) -> Poll<Option<Incoming>> {
        let Some(key) = header.key(&self.buffer) else { return Poll::Pending };
        if ((self.buffer.len() - header.bytes) as u64) < header.length {
            return Poll::Pending;
        }
        self.buffer.advance(header.bytes);
        let payload = self.payload(header.length, key);
        Poll::Ready(match header.opcode {
            Opcode::Close => {
                self.state = State::Ended;
                Some(goodbye(&payload).map_or_else(Incoming::Violation, Incoming::Close))
            }
            Opcode::Ping if self.state == State::Open => Some(Incoming::Ping(payload)),
            Opcode::Pong => {
                self.pongs += 1;
                None
            }
            _ => None,
        })
    }

    /// Takes the next `length` bytes, which must have arrived, and unmasks them.
    fn payload(&mut self, length: u64, key: [u8; 4]) -> Bytes {
        let length = usize::try_from(length).map_or(self.buffer.len(), |length| length.min(self.buffer.len()));
        let mut payload = self.buffer.split_to(length);
        unmask(&mut payload, key);
        payload.freeze()
    }

    fn whole(&mut self, kind: Kind, payload: Bytes) -> Poll<Option<Incoming>> {
        match kind {
            Kind::Binary => Poll::Ready(Some(Incoming::Binary(payload))),
            Kind::Text => match ByteString::try_from(payload) {
                Ok(text) => Poll::Ready(Some(Incoming::Text(text))),
                Err(_) => self.refuse(Incoming::Violation(CloseReason::InvalidText)),
            },
        }
    }

    /// Whether the message is valid UTF-8 so far; the last character may be incomplete.
    fn is_text_so_far(&mut self) -> bool {
        match std::str::from_utf8(&self.message[self.text_bytes..]) {
            Ok(_) => {
                self.text_bytes = self.message.len();
                true
            }
            Err(error) => {
                self.text_bytes += error.valid_up_to();
                error.error_len().is_none()
            }
        }
    }

    /// The framing is still intact, so payloads are discarded until the peer closes.
    fn refuse(&mut self, why: Incoming) -> Poll<Option<Incoming>> {
        self.state = State::Skipping;
        self.message = BytesMut::new();
        Poll::Ready(Some(why))
    }

    /// The framing is lost, so nothing more can be parsed.
    fn fail(&mut self) -> Poll<Option<Incoming>> {
        self.state = State::Ended;
        Poll::Ready(Some(Incoming::Violation(CloseReason::ProtocolError)))
    }
}

/// Parses the code in the payload of a close frame (RFC 6455 5.5.1).
fn goodbye(payload: &[u8]) -> Result<Option<u16>, CloseReason> {
    match payload {
        [] => Ok(None),
        [high, low, text @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !close::may_be_sent(code) {
                Err(CloseReason::ProtocolError)
            } else if std::str::from_utf8(text).is_err() {
                Err(CloseReason::InvalidText)
            } else {
                Ok(Some(code))
            }
        }
        [_] => Err(CloseReason::ProtocolError),
    }
}

#[cfg(test)]
mod tests;
