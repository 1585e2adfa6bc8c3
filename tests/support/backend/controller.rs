//! A virtual controller: a client that connects through the backend.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::value::RawValue;

use super::envelope::{Envelope, Sender};
use super::link::Link;
pub use super::stream::Acks;
use super::stream::{Ears, Stream};
use crate::support::PATIENCE;
use crate::support::client::Client;
use crate::support::wire::{Received, Wire};

/// Larger messages are sent in chunks of this many bytes, as long as nobody says otherwise (spec 8: 100 KiB).
const CHUNK_BYTES: usize = 102_400;

/// A controller. It is a [`Client`] and can do what only a controller can.
pub struct Controller {
    client: Client,
    line: Arc<Line>,
}

/// The controller's end of the backend.
struct Line {
    link: Arc<Link>,
    stream: Arc<Stream>,
    seq_id: AtomicU64,
    chunk_bytes: AtomicUsize,
    messages: Mutex<Receiver<Result<String, String>>>,
    pongs: Mutex<Receiver<String>>,
}

impl Controller {
    /// A controller with these ids, on which nothing was said yet.
    pub(super) fn new(link: Arc<Link>, client_id: &str, stream_id: Option<&str>) -> Self {
        let ((to_messages, messages), (to_pongs, pongs)) = (mpsc::channel(), mpsc::channel());
        let ears = Ears { messages: to_messages, pongs: to_pongs };
        let sender = Sender { client_id: client_id.to_owned(), stream_id: stream_id.map(str::to_owned) };
        let stream = Arc::new(Stream::new(sender, ears));
        link.join(Arc::clone(&stream));
        let line = Arc::new(Line {
            link,
            stream,
            seq_id: AtomicU64::new(1),
            chunk_bytes: AtomicUsize::new(CHUNK_BYTES),
            messages: Mutex::new(messages),
            pongs: Mutex::new(pongs),
        });
        Self { client: Client::new(Box::new(Arc::clone(&line))), line }
    }

    /// Only the client.
    pub fn into_client(self) -> Client {
        self.client
    }

    /// Acknowledges by this policy from now on.
    pub fn set_acks(&self, acks: Acks) {
        for ack in self.line.stream.set_acks(acks) {
            self.line.link.send_once(&ack);
        }
    }

    /// Messages of more bytes are sent in chunks of this size from now on.
    pub fn set_chunk_bytes(&self, bytes: usize) {
        self.line.chunk_bytes.store(bytes, Ordering::SeqCst);
    }

    /// How many envelopes the host has sent again.
    pub fn duplicates(&self) -> usize {
        self.line.stream.duplicates()
    }

    /// How many chunks the host has sent.
    pub fn chunks(&self) -> usize {
        self.line.stream.chunks()
    }

    /// Whose envelopes these are, to make others.
    pub fn sender(&self) -> &Sender {
        &self.line.stream.sender
    }

    /// The number of the next envelope.
    pub fn next_seq_id(&self) -> u64 {
        self.line.seq_id.fetch_add(1, Ordering::SeqCst)
    }

    /// Sends any envelope, with a cursor.
    pub fn send_envelope(&self, envelope: Envelope) {
        self.line.link.send(envelope);
    }

    /// Asks whether the host knows this stream: `active` or `unknown`.
    pub fn ping(&self) -> String {
        self.line.link.send_once(&self.sender().ping());
        self.line.pongs.lock().expect("nobody panicked").recv_timeout(PATIENCE).expect("a pong")
    }
}

impl Deref for Controller {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Controller {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

impl Wire for Arc<Line> {
    /// What is no JSON can only travel in a chunk.
    fn send(&mut self, message: &str) {
        let seq_id = self.seq_id.fetch_add(1, Ordering::SeqCst);
        let bytes = self.chunk_bytes.load(Ordering::SeqCst);
        match serde_json::from_str::<&RawValue>(message) {
            Ok(json) if message.len() <= bytes => self.link.send(self.stream.sender.message(seq_id, json)),
            _ => {
                for chunk in self.stream.sender.chunks(seq_id, message, bytes) {
                    self.link.send(chunk);
                }
            }
        }
    }

    fn receive(&mut self, deadline: Instant) -> Received {
        let messages = self.messages.lock().expect("nobody panicked");
        match messages.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Ok(text)) => Received::Message(text),
            Ok(Err(complaint)) => panic!("the host does not keep to the protocol: {complaint}"),
            Err(RecvTimeoutError::Timeout) => Received::Nothing,
            Err(RecvTimeoutError::Disconnected) => Received::Closed(None),
        }
    }

    fn close(&mut self) {
        self.link.send(self.stream.sender.closed());
    }
}
