//! The queue of messages to write to a socket.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actix_http::ws::{self, Codec, Message};
use actix_web::Error;
use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use futures_util::Stream;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::codec::Encoder;

use crate::connection::kill::Kill;
use crate::relay::end::End;
use crate::relay::exchange::Wire;
use crate::wire::write_text_header;

/// Bytes that are encoded at a time; about as many as the socket's own buffer holds.
const CHUNK_BYTES: usize = 32 * 1024;

/// What each message counts besides its text, so that many short ones do not take a multiple of their budget.
const MESSAGE_BYTES: usize = 128;

/// See the module's documentation. Filled by actors, emptied by the body of the response.
pub struct Outbox {
    most_bytes: usize,
    /// Senders wait above so many bytes.
    waiting_bytes: usize,
    state: Mutex<State>,
    /// Signals that there may be room.
    room: Notify,
    /// Signals that the socket is to end.
    ended: Notify,
}

struct State {
    queue: VecDeque<Message>,
    bytes: usize,
    /// The rest of a message that was taken in part.
    rest: Bytes,
    pong: Option<Bytes>,
    waker: Option<Waker>,
    end: End,
    phase: Phase,
    kill: Option<Kill>,
    /// Since when something waits and nothing was taken.
    waiting_since: Option<Instant>,
    heard_at: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Only what is queued is still written, and a close frame.
    Ending,
    /// The close frame was taken, or the body is gone.
    Gone,
}

impl Outbox {
    /// Takes up to `most_bytes`. Whoever waits for [`Self::room`] does so above `waiting_bytes`.
    pub fn new(most_bytes: usize, waiting_bytes: usize) -> Arc<Self> {
        let state = State {
            queue: VecDeque::new(),
            bytes: 0,
            rest: Bytes::new(),
            pong: None,
            waker: None,
            end: End::Replaced,
            phase: Phase::Open,
            kill: None,
            waiting_since: None,
            heard_at: Instant::now(),
        };
        Arc::new(Self {
            most_bytes,
            waiting_bytes,
            state: Mutex::new(state),
            room: Notify::new(),
            ended: Notify::new(),
        })
    }

    /// The body of the response, which writes what is queued.
    pub fn body(self: &Arc<Self>, kill: Kill) -> Body {
        self.state().kill = Some(kill);
        Body(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A queue that a panic has poisoned still holds whole messages.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a ping.
    pub fn ping(&self) {
        self.queue(Message::Ping(Bytes::new()), 0);
    }

    /// Answers a ping. Only the latest one needs an answer (RFC 6455 5.5.3).
    pub fn pong(&self, payload: Bytes) {
        let mut state = self.state();
        state.pong = Some(payload);
        state.wake();
    }

    fn queue(&self, message: Message, bytes: usize) -> bool {
        let mut state = self.state();
        let bytes = bytes + MESSAGE_BYTES;
        // An empty queue takes a message of any size.
        if state.phase != Phase::Open || state.bytes > 0 && state.bytes + bytes > self.most_bytes {
            return false;
        }
        state.bytes += bytes;
        state.queue.push_back(message);
        state.waiting_since.get_or_insert_with(Instant::now);
        state.wake();
        true
    }

    /// Waits until less waits here than senders may let wait, or until the socket has ended.
    pub async fn room(&self) {
        loop {
            // Registered before the check, so that room after it is noticed.
            let mut room = std::pin::pin!(self.room.notified());
            room.as_mut().enable();
            if self.has_room() {
                return;
            }
            room.await;
        }
    }

    fn has_room(&self) -> bool {
        let state = self.state();
        state.bytes < self.waiting_bytes || state.phase != Phase::Open
    }

    /// Resolves when the socket is to end.
    pub async fn ended(&self) {
        loop {
            let mut ended = std::pin::pin!(self.ended.notified());
            ended.as_mut().enable();
            if self.state().phase != Phase::Open {
                return;
            }
            ended.await;
        }
    }

    /// Whether the socket is to end, or has ended.
    pub fn has_ended(&self) -> bool {
        self.state().phase != Phase::Open
    }

    /// Something has come from the peer.
    pub fn hear(&self) {
        self.state().heard_at = Instant::now();
    }

    /// For how long nothing has come from the peer.
    pub fn silence(&self) -> Duration {
        self.state().heard_at.elapsed()
    }

    /// For how long something waits while the peer takes nothing.
    pub fn stalled(&self) -> Duration {
        self.state().waiting_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Ends the connection at once; what is queued is lost.
    pub fn cut(&self) {
        let mut state = self.state();
        state.phase = Phase::Gone;
        if let Some(kill) = &state.kill {
            kill.cut();
        }
        state.wake();
        drop(state);
        self.room.notify_waiters();
        self.ended.notify_waiters();
    }

    /// The next bytes for the socket; `None` if there is nothing to write.
    fn chunk(&self) -> Option<Bytes> {
        let chunk = self.state().chunk();
        self.room.notify_waiters();
        chunk
    }
}

impl Wire for Arc<Outbox> {
    fn push(&self, text: ByteString) -> bool {
        let bytes = text.len();
        self.queue(Message::Text(text), bytes)
    }

    fn end(&self, why: End) {
        let mut state = self.state();
        if state.phase == Phase::Open {
            state.phase = Phase::Ending;
            state.end = why;
            state.waiting_since.get_or_insert_with(Instant::now);
            state.wake();
        }
        drop(state);
        self.room.notify_waiters();
        self.ended.notify_waiters();
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(self, other)
    }
}

impl State {
    /// Called with every change, so that the body looks again.
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn chunk(&mut self) -> Option<Bytes> {
        if !self.rest.is_empty() {
            let piece = self.rest.split_to(self.rest.len().min(CHUNK_BYTES));
            return Some(self.taken(piece));
        }
        let mut chunk = BytesMut::new();
        let mut codec = Codec::new();
        if let Some(payload) = self.pong.take() {
            encode(&mut codec, Message::Pong(payload), &mut chunk);
        }
        while chunk.len() < CHUNK_BYTES
            && let Some(message) = self.queue.pop_front()
        {
            self.bytes -= MESSAGE_BYTES;
            match message {
                Message::Text(text) => {
                    self.bytes -= text.len();
                    write_text_header(text.len(), &mut chunk);
                    if text.len() > CHUNK_BYTES {
                        self.rest = text.into_bytes();
                        break;
                    }
                    chunk.extend_from_slice(text.as_bytes());
                }
                control => encode(&mut codec, control, &mut chunk),
            }
        }
        if chunk.is_empty() {
            if self.phase != Phase::Ending {
                return None;
            }
            self.phase = Phase::Gone;
            let reason = ws::CloseReason { code: self.end.code().into(), description: Some(self.end.text()) };
            encode(&mut codec, Message::Close(Some(reason)), &mut chunk);
        }
        if self.queue.is_empty() {
            // An idle connection keeps no memory of a burst.
            self.queue.shrink_to(4);
        }
        Some(self.taken(chunk.freeze()))
    }

    fn taken(&mut self, chunk: Bytes) -> Bytes {
        let nothing_left = self.queue.is_empty() && self.rest.is_empty() && self.phase == Phase::Open;
        self.waiting_since = (!nothing_left).then(Instant::now);
        chunk
    }
}

fn encode(codec: &mut Codec, message: Message, into: &mut BytesMut) {
    if let Err(error) = codec.encode(message, into) {
        log::error!("a frame of the relay could not be encoded: {error}");
    }
}

/// The body of the 101 response. When it is dropped, the socket is gone.
pub struct Body(Arc<Outbox>);

impl Stream for Body {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.state().waker = Some(cx.waker().clone());
        match self.0.chunk() {
            Some(chunk) => Poll::Ready(Some(Ok(chunk))),
            None if self.0.state().phase == Phase::Gone => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.phase = Phase::Gone;
        // Nobody else keeps what nobody can be sent.
        (state.queue, state.bytes, state.rest, state.kill) = (VecDeque::new(), 0, Bytes::new(), None);
        drop(state);
        self.0.room.notify_waiters();
        self.0.ended.notify_waiters();
    }
}
