//! The open streams (spec: remote control 9).

use std::collections::HashMap;
use std::rc::Rc;

use tokio::time::Instant;
use uuid::Uuid;

use super::outbound::StreamKey;

/// The open streams. Each has a pipe `P` to its connection, which ends when the pipe is dropped.
pub(super) struct Streams<P> {
    live: HashMap<StreamKey, Stream<P>>,
    /// The unnamed stream of each controller.
    unnamed: HashMap<Rc<str>, Rc<str>>,
    generations: u64,
}

/// An open stream.
pub(super) struct Stream<P> {
    /// The last delivered sequence number; messages up to it are duplicates.
    pub(super) mark: Option<u64>,
    /// When its controller last sent something.
    pub(super) heard: Instant,
    /// Distinguishes this stream from an earlier one of the same name.
    pub(super) generation: u64,
    /// Whether a ping waits for room for its answer.
    pub(super) owes_pong: bool,
    pub(super) pipe: P,
}

impl<P> Streams<P> {
    pub(super) fn new() -> Self {
        Self { live: HashMap::new(), unnamed: HashMap::new(), generations: 0 }
    }

    /// Ends all streams. Their generations are not reused.
    pub(super) fn clear(&mut self) {
        self.live.clear();
        self.unnamed.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.live.len()
    }

    /// The streams of a controller.
    pub(super) fn of(&self, client: &str) -> usize {
        self.live.keys().filter(|key| *key.client == *client).count()
    }

    /// The keys of the streams of a controller.
    pub(super) fn keys_of(&self, client: &str) -> Vec<StreamKey> {
        self.live.keys().filter(|key| *key.client == *client).cloned().collect()
    }

    /// The key of the stream that an envelope names; `None` for an unknown unnamed stream.
    pub(super) fn key(&self, client: &str, stream: Option<&str>) -> Option<StreamKey> {
        let stream = match stream {
            Some(stream) => stream.into(),
            None => self.unnamed.get(client)?.clone(),
        };
        Some(StreamKey { client: client.into(), stream })
    }

    /// Creates a name for the unnamed stream of a controller.
    pub(super) fn name(&mut self, client: &str) -> StreamKey {
        let key = Self::unknown(client);
        self.unnamed.insert(key.client.clone(), key.stream.clone());
        key
    }

    /// Creates an unused name.
    pub(super) fn unknown(client: &str) -> StreamKey {
        StreamKey { client: client.into(), stream: Uuid::now_v7().to_string().into() }
    }

    pub(super) fn get_mut(&mut self, key: &StreamKey) -> Option<&mut Stream<P>> {
        self.live.get_mut(key)
    }

    pub(super) fn is_live(&self, key: &StreamKey) -> bool {
        self.live.contains_key(key)
    }

    pub(super) fn is_generation(&self, key: &StreamKey, generation: u64) -> bool {
        self.live.get(key).is_some_and(|stream| stream.generation == generation)
    }

    /// An unused generation.
    pub(super) fn next_generation(&mut self) -> u64 {
        self.generations += 1;
        self.generations
    }

    /// Adds a stream. An earlier one with the same key ends.
    pub(super) fn insert(&mut self, key: StreamKey, stream: Stream<P>) {
        self.live.insert(key, stream);
    }

    /// Ends a stream. Returns false if it does not exist.
    pub(super) fn remove(&mut self, key: &StreamKey) -> bool {
        if self.unnamed.get(&key.client) == Some(&key.stream) {
            self.unnamed.remove(&key.client);
        }
        self.live.remove(key).is_some()
    }

    /// The streams whose controllers have been silent since `then`.
    pub(super) fn silent_since(&self, then: Instant) -> Vec<StreamKey> {
        self.live.iter().filter(|(_, stream)| stream.heard <= then).map(|(key, _)| key.clone()).collect()
    }

    /// The streams that owe a pong.
    pub(super) fn debtors(&self) -> Vec<StreamKey> {
        self.live.iter().filter(|(_, stream)| stream.owes_pong).map(|(key, _)| key.clone()).collect()
    }
}
