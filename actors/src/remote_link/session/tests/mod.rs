//! The session against a backend that says what the test wants, over pipes that only remember.

mod acknowledgements;
mod end_to_end;
mod exactly_once;
mod new_devices;
mod phone;
mod segments;
mod streams;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;

/// Connections as the session sees them: by stream, the lines that were handed to the latest one.
#[derive(Clone, Default)]
pub(super) struct Connections {
    opened: Rc<RefCell<Vec<(String, u64)>>>,
    scopes: Rc<RefCell<Vec<Option<Scopes>>>>,
    lines: Rc<RefCell<Vec<(String, u64, String)>>>,
    /// How many more lines any connection takes.
    room: Rc<RefCell<Option<usize>>>,
    ended: Rc<RefCell<Vec<u64>>>,
}

pub(super) struct TestPipe {
    stream: String,
    generation: u64,
    connections: Connections,
}

impl Pipe for TestPipe {
    type Opener = Connections;

    fn open(opener: &Connections, key: &StreamKey, generation: u64, scopes: Option<Scopes>) -> Self {
        opener.scopes.borrow_mut().push(scopes);
        let stream = format!("{}/{}", key.client, key.stream);
        opener.opened.borrow_mut().push((stream.clone(), generation));
        Self { stream, generation, connections: opener.clone() }
    }

    fn offer(&self, line: String) -> bool {
        if let Some(room) = self.connections.room.borrow_mut().as_mut() {
            if *room == 0 {
                return false;
            }
            *room -= 1;
        }
        self.connections.lines.borrow_mut().push((self.stream.clone(), self.generation, line));
        true
    }
}

impl Drop for TestPipe {
    fn drop(&mut self) {
        self.connections.ended.borrow_mut().push(self.generation);
    }
}

pub(super) struct Harness {
    session: Session<TestPipe>,
    connections: Connections,
    now: Instant,
}

impl Harness {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut RemoteLinkLimits)) -> Self {
        let mut limits = RemoteLinkLimits::small();
        change(&mut limits);
        let connections = Connections::default();
        let session = Session::new(Rc::new(limits), 4096, connections.clone());
        Self { session, connections, now: Instant::now() }
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    pub(super) fn receive(&mut self, envelope: &Value) {
        self.session.receive(&envelope.to_string(), self.now);
    }

    pub(super) fn initialize(&mut self, client: &str, stream: &str, seq: u64) {
        self.message(client, stream, seq, &json!({"id": 0, "method": "initialize"}));
    }

    pub(super) fn message(&mut self, client: &str, stream: &str, seq: u64, message: &Value) {
        self.receive(&json!({
            "type": "client_message", "client_id": client, "stream_id": stream, "seq_id": seq, "message": message,
        }));
    }

    pub(super) fn request(&mut self, client: &str, stream: &str, seq: u64) {
        self.message(client, stream, seq, &json!({"id": seq, "method": "m"}));
    }

    pub(super) fn about(&mut self, kind: &str, client: &str, stream: &str) {
        self.receive(&json!({"type": kind, "client_id": client, "stream_id": stream}));
    }

    pub(super) fn ack(&mut self, client: &str, stream: &str, seq: u64) {
        self.receive(&json!({"type": "ack", "client_id": client, "stream_id": stream, "seq_id": seq}));
    }

    /// The connection of a stream says something.
    pub(super) fn say(&mut self, client: &str, stream: &str, message: &Value) {
        let (key, generation) = self.latest(client, stream);
        assert!(self.session.has_room(&key), "the stream rests");
        self.session.say(&key, generation, &message.to_string(), self.now).unwrap();
    }

    pub(super) fn has_room(&self, client: &str, stream: &str) -> bool {
        self.session.has_room(&StreamKey { client: client.into(), stream: stream.into() })
    }

    fn latest(&self, client: &str, stream: &str) -> (StreamKey, u64) {
        let name = format!("{client}/{stream}");
        let opened = self.connections.opened.borrow();
        let generation = opened.iter().rev().find(|(opened, _)| *opened == name).map(|(_, it)| *it);
        (StreamKey { client: client.into(), stream: stream.into() }, generation.unwrap())
    }

    /// Everything that is to be sent now.
    pub(super) fn sent(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.session.next()).map(|text| serde_json::from_str(&text).unwrap()).collect()
    }

    /// The sequence numbers of everything that is to be sent now.
    pub(super) fn sent_numbers(&mut self) -> Vec<u64> {
        self.sent().iter().map(|envelope| envelope["seq_id"].as_u64().unwrap()).collect()
    }

    /// The ids and methods of what was handed to the connections since the last call.
    pub(super) fn delivered(&self) -> VecDeque<(String, Value)> {
        let lines = self.connections.lines.take();
        lines.into_iter().map(|(stream, _, line)| (stream, serde_json::from_str(&line).unwrap())).collect()
    }

    /// The ids of what was handed to the connections since the last call.
    pub(super) fn delivered_ids(&self) -> Vec<u64> {
        self.delivered().iter().filter_map(|(_, message)| message["id"].as_u64()).collect()
    }
}
