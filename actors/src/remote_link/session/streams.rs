//! Which streams there are (spec: remote control 9).

use std::collections::HashMap;
use std::rc::Rc;

use tokio::time::Instant;
use uuid::Uuid;

use super::outbound::StreamKey;

/// The live streams. Each has a pipe `P` to its connection, which ends when it is dropped.
pub(super) struct Streams<P> {
    live: HashMap<StreamKey, Stream<P>>,
    /// The one stream of each controller that names none.
    unnamed: HashMap<Rc<str>, Rc<str>>,
    generations: u64,
}

/// One live stream.
pub(super) struct Stream<P> {
    /// The last number that was delivered: messages up to it came before.
    pub(super) mark: Option<u64>,
    /// When its controller last said something.
    pub(super) heard: Instant,
    /// Tells this stream from an earlier one of the same name.
    pub(super) generation: u64,
    /// A ping waits for room to be answered.
    pub(super) owes_pong: bool,
    pub(super) pipe: P,
}

impl<P> Streams<P> {
    pub(super) fn new() -> Self {
        Self { live: HashMap::new(), unnamed: HashMap::new(), generations: 0 }
    }

    /// Ends all. Their generations are not given again.
    pub(super) fn clear(&mut self) {
        self.live.clear();
        self.unnamed.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.live.len()
    }

    /// The streams of one controller.
    pub(super) fn of(&self, client: &str) -> usize {
        self.live.keys().filter(|key| *key.client == *client).count()
    }

    /// The name of a stream as an envelope gives it; `None` for an unnamed one that is not known.
    pub(super) fn key(&self, client: &str, stream: Option<&str>) -> Option<StreamKey> {
        let stream = match stream {
            Some(stream) => stream.into(),
            None => self.unnamed.get(client)?.clone(),
        };
        Some(StreamKey { client: client.into(), stream })
    }

    /// A new name for the unnamed stream of a controller.
    pub(super) fn name(&mut self, client: &str) -> StreamKey {
        let key = Self::unknown(client);
        self.unnamed.insert(key.client.clone(), key.stream.clone());
        key
    }

    /// A new name that nothing is known by.
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

    /// A number that no stream had before.
    pub(super) fn next_generation(&mut self) -> u64 {
        self.generations += 1;
        self.generations
    }

    /// Puts a stream in the place of an earlier one, which ends.
    pub(super) fn insert(&mut self, key: StreamKey, stream: Stream<P>) {
        self.live.insert(key, stream);
    }

    /// Ends a stream. False if there is none.
    pub(super) fn remove(&mut self, key: &StreamKey) -> bool {
        if self.unnamed.get(&key.client) == Some(&key.stream) {
            self.unnamed.remove(&key.client);
        }
        self.live.remove(key).is_some()
    }

    /// The streams whose controllers were last heard at `then` or before.
    pub(super) fn silent_since(&self, then: Instant) -> Vec<StreamKey> {
        self.live.iter().filter(|(_, stream)| stream.heard <= then).map(|(key, _)| key.clone()).collect()
    }

    /// The streams that owe a pong.
    pub(super) fn debtors(&self) -> Vec<StreamKey> {
        self.live.iter().filter(|(_, stream)| stream.owes_pong).map(|(key, _)| key.clone()).collect()
    }
}
