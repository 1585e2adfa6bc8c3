//! The queue of messages to write to a WebSocket peer.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use actix_http::ws::{self, Codec, Message};
use bytes::{Bytes, BytesMut};
use tokio_util::codec::Encoder;

use crate::connection::intake::Intake;
use crate::protocol::Frame;
use crate::wire::close::CloseReason;
use crate::wire::write_text_header;

/// Bytes that are encoded at a time. The socket's own buffer holds about as much, so the rest stays here, where it is
/// counted and shared with the other receivers of a broadcast. That applies to the rest of a large message, too.
const CHUNK_BYTES: usize = 32 * 1024;

/// Length of the header of a server's frame with a payload below 64 KiB, in bytes.
const HEADER_BYTES: usize = 4;

/// Filled by the connection actor and emptied by the response body.
pub(super) struct Outbox {
    intake: Rc<Intake>,
    queue: RefCell<VecDeque<Message>>,
    /// The rest of a message that was taken in part.
    rest: RefCell<Bytes>,
    /// The close frame for a peer that the router has given up was taken.
    goodbye_said: Cell<bool>,
}

impl Outbox {
    pub(super) fn new(intake: Rc<Intake>) -> Self {
        Self { intake, queue: RefCell::default(), rest: RefCell::default(), goodbye_said: Cell::new(false) }
    }

    /// Queues a frame that the router has counted already.
    pub(super) fn push_counted(&self, frame: Frame) {
        self.queue.borrow_mut().push_back(Message::Text(frame.into_text()));
    }

    /// Queues a message of the connection itself. Pongs count like answers, so a peer that pings and never reads is no
    /// longer read.
    pub(super) fn push(&self, message: Message) {
        self.intake.queue(payload_bytes(&message));
        self.queue.borrow_mut().push_back(message);
    }

    /// Whether the router has given up the peer. Of the queue, only the rest of a message that was sent in part is
    /// still written.
    pub(super) fn is_given_up(&self) -> bool {
        self.intake.pulse().is_given_up()
    }

    /// The next bytes for the socket; `None` if there is nothing to write.
    pub(super) fn chunk(&self) -> Option<Bytes> {
        self.piece().or_else(|| self.messages())
    }

    /// The next part of a message that was sent in part.
    fn piece(&self) -> Option<Bytes> {
        let mut rest = self.rest.borrow_mut();
        if rest.is_empty() {
            return None;
        }
        let length = rest.len().min(CHUNK_BYTES);
        let piece = rest.split_to(length);
        if rest.is_empty() {
            *rest = Bytes::new();
            self.intake.written(1, length);
        } else {
            self.intake.written_in_part(length);
        }
        Some(piece)
    }

    /// As many whole messages as fit, and the beginning of one that does not.
    fn messages(&self) -> Option<Bytes> {
        let mut queue = self.queue.borrow_mut();
        if self.is_given_up() {
            queue.clear();
            if !self.goodbye_said.replace(true) {
                queue.push_back(close_frame(CloseReason::Overloaded));
            }
        }
        if queue.is_empty() {
            return None;
        }
        let mut chunk = BytesMut::with_capacity(room(&queue));
        let mut codec = Codec::new();
        let (mut messages, mut bytes) = (0, 0);
        while chunk.len() < CHUNK_BYTES
            && let Some(message) = queue.pop_front()
        {
            let message = match message {
                Message::Text(text) if text.len() > CHUNK_BYTES => {
                    write_text_header(text.len(), &mut chunk);
                    *self.rest.borrow_mut() = text.into_bytes();
                    break;
                }
                short => short,
            };
            messages += 1;
            bytes += payload_bytes(&message);
            if let Err(error) = codec.encode(message, &mut chunk) {
                log::error!("a frame for connection {} could not be encoded: {error}", self.intake.id());
            }
        }
        self.intake.written(messages, bytes);
        if queue.is_empty() {
            // An idle connection keeps no memory of a burst.
            queue.shrink_to(8);
        }
        Some(chunk.freeze())
    }
}

/// Length of the next chunk, so that its buffer need not grow.
fn room(queue: &VecDeque<Message>) -> usize {
    let mut room = 0;
    for message in queue {
        room += HEADER_BYTES + payload_bytes(message);
        if room >= CHUNK_BYTES {
            return CHUNK_BYTES;
        }
    }
    room
}

fn payload_bytes(message: &Message) -> usize {
    match message {
        Message::Text(text) => text.len(),
        Message::Binary(bytes) | Message::Ping(bytes) | Message::Pong(bytes) => bytes.len(),
        _ => 0,
    }
}

pub(super) fn close_frame(reason: CloseReason) -> Message {
    let description = Some(reason.on_the_wire());
    Message::Close(Some(ws::CloseReason { code: reason.code().into(), description }))
}
