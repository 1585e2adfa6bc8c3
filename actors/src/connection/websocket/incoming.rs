//! Reading WebSocket messages: judged by the frame header before a byte of the payload is kept (RFC 6455 5.2, 5.4).

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_http::ws::{CloseCode, CloseReason, Codec, Frame, Item, ProtocolError};
use actix_web::web::Payload;
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
pub(super) struct IncomingMessages {
    payload: Payload,
    codec: Codec,
    buffer: BytesMut,
    /// The text message whose frames are being collected.
    message: BytesMut,
    frame_bytes: usize,
    message_bytes: usize,
    ended: bool,
}

impl IncomingMessages {
    pub(super) fn new(payload: Payload, limits: &Limits) -> Self {
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

impl Stream for IncomingMessages {
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
