//! Reading WebSocket messages: judged by the frame header before a byte of the payload is kept (RFC 6455 5.2, 5.4).

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_http::ws::{CloseCode, CloseReason, Codec, Frame, Item, ProtocolError};
use actix_web::error::PayloadError;
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use futures_util::Stream;
use tokio_util::codec::Decoder;

use crate::limits::Limits;

/// A read buffer larger than this is given back once it is empty.
const KEPT_BUFFER_BYTES: usize = 64 * 1024;

/// What a peer sent.
#[derive(Debug, PartialEq)]
pub(super) enum Incoming {
    /// A whole text message.
    Text(ByteString),
    /// A binary message, which this protocol does not have. The last item.
    Binary,
    /// To be answered by a pong with the same payload.
    Ping(Bytes),
    /// The peer says goodbye. The last item.
    Close(Option<CloseReason>),
    /// The peer broke the protocol or a limit. The last item.
    Violation { code: CloseCode, text: &'static str },
}

/// The messages of one peer. Ends after the first violation or close, and when the peer sends no more.
pub(super) struct IncomingMessages<P> {
    payload: P,
    codec: Codec,
    buffer: BytesMut,
    /// The text message whose frames are being collected.
    message: BytesMut,
    frame_bytes: usize,
    message_bytes: usize,
    ended: bool,
}

impl<P> IncomingMessages<P> {
    pub(super) fn new(payload: P, limits: &Limits) -> Self {
        Self {
            payload,
            codec: Codec::new().max_size(limits.websocket_frame_bytes),
            buffer: BytesMut::new(),
            message: BytesMut::new(),
            frame_bytes: limits.websocket_frame_bytes,
            message_bytes: limits.message_bytes,
            ended: false,
        }
    }

    /// The next message in the buffer; `None` when more bytes are needed.
    fn decode(&mut self) -> Option<Incoming> {
        loop {
            if let Some(declared) = declared_length(&self.buffer) {
                let frame_fits = declared <= self.frame_bytes as u64;
                let message_fits = self.message.len() as u64 + declared <= self.message_bytes as u64;
                if !frame_fits || !message_fits {
                    return Some(violation(CloseCode::Size, "the message is larger than this server takes"));
                }
            }
            let frame = match self.codec.decode(&mut self.buffer) {
                Ok(Some(frame)) => frame,
                Ok(None) => return None,
                Err(ProtocolError::Overflow) => {
                    return Some(violation(CloseCode::Size, "the message is larger than this server takes"));
                }
                Err(_) => return Some(violation(CloseCode::Protocol, "the frame is not valid")),
            };
            if let Some(incoming) = self.assemble(frame) {
                return Some(incoming);
            }
        }
    }

    fn assemble(&mut self, frame: Frame) -> Option<Incoming> {
        match frame {
            Frame::Text(text) => Some(text_message(text)),
            Frame::Continuation(Item::FirstText(part) | Item::Continue(part)) => {
                self.message.extend_from_slice(&part);
                None
            }
            Frame::Continuation(Item::Last(part)) => {
                self.message.extend_from_slice(&part);
                Some(text_message(std::mem::take(&mut self.message).freeze()))
            }
            Frame::Binary(_) | Frame::Continuation(Item::FirstBinary(_)) => Some(Incoming::Binary),
            Frame::Ping(payload) => Some(Incoming::Ping(payload)),
            Frame::Pong(_) => None,
            Frame::Close(reason) => Some(Incoming::Close(reason)),
        }
    }
}

impl<P: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Stream for IncomingMessages<P> {
    type Item = Incoming;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let this = self.get_mut();
        loop {
            if this.ended {
                return Poll::Ready(None);
            }
            if let Some(incoming) = this.decode() {
                this.ended = !matches!(incoming, Incoming::Text(_) | Incoming::Ping(_));
                return Poll::Ready(Some(incoming));
            }
            if this.buffer.is_empty() && this.buffer.capacity() > KEPT_BUFFER_BYTES {
                this.buffer = BytesMut::new();
            }
            match ready!(Pin::new(&mut this.payload).poll_next(cx)) {
                Some(Ok(bytes)) => this.buffer.extend_from_slice(&bytes),
                Some(Err(_)) | None => this.ended = true,
            }
        }
    }
}

fn text_message(bytes: Bytes) -> Incoming {
    match ByteString::try_from(bytes) {
        Ok(text) => Incoming::Text(text),
        Err(_) => violation(CloseCode::Invalid, "the text is not UTF-8"),
    }
}

fn violation(code: CloseCode, text: &'static str) -> Incoming {
    Incoming::Violation { code, text }
}

/// The payload length that the frame at the start of `buffer` claims, as soon as enough of its header is there.
fn declared_length(buffer: &[u8]) -> Option<u64> {
    match buffer.get(1)? & 0x7f {
        126 => Some(u64::from(u16::from_be_bytes(buffer.get(2..4)?.try_into().ok()?))),
        127 => Some(u64::from_be_bytes(buffer.get(2..10)?.try_into().ok()?)),
        short => Some(u64::from(short)),
    }
}

#[cfg(test)]
mod tests {
    use actix_http::ws::Message;
    use futures_util::{StreamExt, stream};
    use tokio_util::codec::Encoder;

    use super::*;

    /// What a client's codec makes of `messages`, as bytes.
    fn encode(messages: Vec<Message>) -> BytesMut {
        let (mut codec, mut bytes) = (Codec::new().client_mode(), BytesMut::new());
        for message in messages {
            codec.encode(message, &mut bytes).unwrap();
        }
        bytes
    }

    /// Reads `bytes`, which arrive `step` at a time, under limits of 1,024 bytes a frame and 2,048 a message.
    async fn read(bytes: &[u8], step: usize) -> Vec<Incoming> {
        let pieces: Vec<_> = bytes.chunks(step).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        IncomingMessages::new(stream::iter(pieces), &Limits::tiny()).collect().await
    }

    async fn read_messages(messages: Vec<Message>) -> Vec<Incoming> {
        let bytes = encode(messages);
        let whole = read(&bytes, bytes.len()).await;
        assert_eq!(whole, read(&bytes, 1).await, "byte by byte gives the same");
        whole
    }

    fn text(text: &str) -> Incoming {
        Incoming::Text(text.into())
    }

    fn part(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    fn code(incoming: &[Incoming]) -> Option<CloseCode> {
        match incoming.last() {
            Some(Incoming::Violation { code, .. }) => Some(*code),
            _ => None,
        }
    }

    #[actix_rt::test]
    async fn whole_and_fragmented_messages_with_a_ping_between() {
        let messages = vec![
            Message::Text("one".into()),
            Message::Continuation(Item::FirstText(part("t"))),
            Message::Ping(part("p")),
            Message::Continuation(Item::Continue(part("w"))),
            Message::Continuation(Item::Last(part("o"))),
            Message::Pong(part("unasked")),
            Message::Text("three".into()),
        ];
        let expected = [text("one"), Incoming::Ping(part("p")), text("two"), text("three")];
        assert_eq!(read_messages(messages).await, expected);
    }

    #[actix_rt::test]
    async fn nothing_is_read_after_a_close() {
        let close = Message::Close(Some(CloseReason { code: CloseCode::Normal, description: Some("bye".into()) }));
        let read = read_messages(vec![close, Message::Text("late".into())]).await;
        assert!(matches!(read.as_slice(), [Incoming::Close(Some(_))]), "{read:?}");
    }

    #[actix_rt::test]
    async fn binary_is_told_apart() {
        assert_eq!(read_messages(vec![Message::Binary(part("x"))]).await, [Incoming::Binary]);
        let first = Message::Continuation(Item::FirstBinary(part("x")));
        assert_eq!(read_messages(vec![first]).await, [Incoming::Binary]);
    }

    #[actix_rt::test]
    async fn sizes_are_judged_by_the_header() {
        let fits = "x".repeat(1024);
        assert_eq!(read_messages(vec![Message::Text(fits.as_str().into())]).await, [text(&fits)]);
        let header_only = |length: u64| [&[0x81, 0x80 | 127][..], &length.to_be_bytes()].concat();
        assert_eq!(code(&read(&header_only(1025), 3).await), Some(CloseCode::Size));
        assert_eq!(code(&read(&header_only(1 << 40), 3).await), Some(CloseCode::Size));
    }

    #[actix_rt::test]
    async fn a_fragmented_message_is_bounded_as_a_whole() {
        let piece = || part(&"x".repeat(1000));
        let ending_with = |bytes: usize| {
            let last = part(&"x".repeat(bytes));
            [Item::FirstText(piece()), Item::Continue(piece()), Item::Last(last)].map(Message::Continuation).into()
        };
        assert_eq!(read_messages(ending_with(48)).await, [text(&"x".repeat(2048))]);
        assert_eq!(code(&read_messages(ending_with(49)).await), Some(CloseCode::Size));
    }

    #[actix_rt::test]
    async fn text_that_is_no_utf8_and_frames_that_are_no_frames() {
        let mut bytes = encode(vec![Message::Text("abcd".into())]);
        let last = bytes.len() - 1;
        bytes[last] ^= 0x80;
        assert_eq!(code(&read(&bytes, 4).await), Some(CloseCode::Invalid));
        let unmasked = [0x81, 0x01, b'x'];
        let reserved_opcode = [0x83, 0x80, 0, 0, 0, 0];
        let stray_continuation = [0x80, 0x80, 0, 0, 0, 0];
        for bytes in [&unmasked[..], &reserved_opcode, &stray_continuation] {
            assert_eq!(code(&read(bytes, 16).await), Some(CloseCode::Protocol), "{bytes:x?}");
        }
    }
}
