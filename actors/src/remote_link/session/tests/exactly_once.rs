//! Whenever the socket is lost, and whichever acknowledgement is lost, every request of every stream is answered
//! exactly once and in order.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;

use super::*;

const STREAMS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// A controller asks; its message has so many bytes more than it needs.
    Ask { stream: usize, bytes: usize },
    /// The backend passes on so many envelopes.
    PassOn(usize),
    /// A connection answers what it was asked, with so many bytes more than it needs.
    Answer { stream: usize, bytes: usize },
    /// The host sends so many envelopes; the backend has them, and acknowledges the last one or not.
    Send { envelopes: usize, acknowledged: bool },
    /// The controller pings.
    Ping(usize),
    /// The socket is lost, and so many envelopes with it that the host has sent; and there is a new one. The backend
    /// goes on behind the cursor, or so many envelopes before.
    Cut { lost: usize, again: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let stream = 0..STREAMS;
    let step = prop_oneof![
        4 => (stream.clone(), 0..1500_usize).prop_map(|(stream, bytes)| Step::Ask { stream, bytes }),
        4 => (1..6_usize).prop_map(Step::PassOn),
        4 => (stream.clone(), 0..1500_usize).prop_map(|(stream, bytes)| Step::Answer { stream, bytes }),
        4 => (1..6_usize, any::<bool>()).prop_map(|(envelopes, acknowledged)| Step::Send { envelopes, acknowledged }),
        1 => stream.prop_map(Step::Ping),
        1 => (0..6_usize, 0..4_usize).prop_map(|(lost, again)| Step::Cut { lost, again }),
    ];
    prop::collection::vec(step, 1..120)
}

/// A backend, its controllers, and the connections of the host behind the session.
struct World {
    test: Harness,
    /// What the backend has for the host, in order. The cursor of each is its place.
    log: Vec<Value>,
    position: usize,
    /// The last number, and how many requests, of each stream.
    asked: [(u64, u64); STREAMS],
    /// What the connections were asked and did not answer yet.
    pending: [VecDeque<u64>; STREAMS],
    /// What arrived, by stream and number: a message, or its segments. The same may arrive twice.
    arrived: BTreeMap<(String, u64), BTreeMap<u64, Value>>,
}

fn name(stream: usize) -> String {
    format!("c{stream}")
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            test: Harness::new(),
            log: Vec::new(),
            position: 0,
            asked: [(0, 0); STREAMS],
            pending: Default::default(),
            arrived: BTreeMap::new(),
        };
        for stream in 0..STREAMS {
            world.tell(stream, &json!({"id": 0, "method": "initialize"}));
        }
        world.pass_on(usize::MAX);
        world
    }

    /// Puts a message of a controller into the log, in segments where it is long.
    fn tell(&mut self, stream: usize, message: &Value) {
        let (client, text) = (name(stream), message.to_string());
        self.asked[stream].0 += 1;
        let head = json!({"client_id": client, "stream_id": "s", "seq_id": self.asked[stream].0});
        let bodies = if text.len() < 600 {
            vec![json!({"type": "client_message", "message": message})]
        } else {
            let parts: Vec<_> = text.as_bytes().chunks(400).collect();
            let whole = json!({
                "type": "client_message_chunk", "segment_count": parts.len(), "message_size_bytes": text.len(),
            });
            let segments = parts.iter().enumerate().map(|(index, part)| {
                joined(&whole, &json!({"segment_id": index, "message_chunk_base64": BASE64.encode(part)}))
            });
            segments.collect()
        };
        for body in bodies {
            let cursor = json!({"cursor": self.log.len().to_string()});
            self.log.push(joined(&joined(&head, &body), &cursor));
        }
    }

    fn pass_on(&mut self, envelopes: usize) {
        for _ in 0..envelopes.min(self.log.len() - self.position) {
            self.test.receive(&self.log[self.position]);
            self.position += 1;
        }
        for (client, message) in self.test.delivered() {
            let stream = (0..STREAMS).find(|stream| client == format!("{}/s", name(*stream))).unwrap();
            self.pending[stream].push_back(message["id"].as_u64().unwrap());
        }
    }

    fn answer(&mut self, stream: usize, bytes: usize) {
        if self.test.has_room(&name(stream), "s")
            && let Some(id) = self.pending[stream].pop_front()
        {
            self.test.say(&name(stream), "s", &json!({"id": id, "result": "x".repeat(bytes)}));
        }
    }

    fn send(&mut self, envelopes: usize, arrive: bool, acknowledged: bool) {
        for _ in 0..envelopes {
            let Some(text) = self.test.session.next() else { return };
            if !arrive {
                continue;
            }
            let envelope: Value = serde_json::from_str(&text).unwrap();
            let (client, seq) =
                (envelope["client_id"].as_str().unwrap().to_owned(), envelope["seq_id"].as_u64().unwrap());
            let segment = envelope.get("segment_id").cloned();
            let place = segment.as_ref().and_then(Value::as_u64).unwrap_or(0);
            let known = self.arrived.entry((client.clone(), seq)).or_default().insert(place, envelope.clone());
            assert!(known.is_none_or(|known| known == envelope), "an envelope never changes");
            if acknowledged {
                let mut ack = json!({"type": "ack", "client_id": client, "stream_id": "s", "seq_id": seq});
                if let Some(segment) = segment {
                    ack["segment_id"] = segment;
                }
                self.test.receive(&ack);
            }
        }
    }

    fn cut(&mut self, lost: usize, again: usize) {
        self.send(lost, false, false);
        self.test.session.replay();
        // Never before what began the streams: initialize is the one message that is not told apart when it comes
        // again.
        let behind = self.test.session.cursor().map_or(0, |cursor| cursor.parse::<usize>().unwrap() + 1);
        self.position = behind.saturating_sub(again).max(STREAMS).min(behind);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Ask { stream, bytes } => {
                self.asked[stream].1 += 1;
                let id = self.asked[stream].1;
                self.tell(stream, &json!({"id": id, "method": "m", "params": "x".repeat(bytes)}));
            }
            Step::PassOn(envelopes) => self.pass_on(envelopes),
            Step::Answer { stream, bytes } => self.answer(stream, bytes),
            Step::Send { envelopes, acknowledged } => self.send(envelopes, true, acknowledged),
            Step::Ping(stream) => self.test.about("ping", &name(stream), "s"),
            Step::Cut { lost, again } => self.cut(lost, again),
        }
    }

    /// Lets everything come to its end over a socket that holds.
    fn settle(&mut self) {
        self.cut(0, 0);
        while self.position < self.log.len() || self.pending.iter().any(|pending| !pending.is_empty()) {
            self.pass_on(1);
            (0..STREAMS).for_each(|stream| self.answer(stream, 10));
            self.send(usize::MAX, true, true);
        }
        self.send(usize::MAX, true, true);
    }

    /// The ids that were answered to a stream, in the order of the numbers.
    fn answered(&self, stream: usize) -> Vec<u64> {
        let of_stream = self.arrived.iter().filter(|((client, _), _)| *client == name(stream));
        let messages = of_stream.filter_map(|(_, segments)| match &segments[&0] {
            whole if whole["type"] == "server_message" => Some(whole["message"].clone()),
            first if first["type"] == "server_message_chunk" => {
                assert_eq!(segments.len() as u64, first["segment_count"].as_u64().unwrap(), "no segment is missing");
                let bytes: Vec<u8> = (segments.values())
                    .flat_map(|segment| BASE64.decode(segment["message_chunk_base64"].as_str().unwrap()).unwrap())
                    .collect();
                Some(serde_json::from_slice(&bytes).unwrap())
            }
            _pong => None,
        });
        messages.map(|message: Value| message["id"].as_u64().unwrap()).collect()
    }

    fn numbers(&self, stream: usize) -> BTreeSet<u64> {
        self.arrived.keys().filter(|(client, _)| *client == name(stream)).map(|(_, seq)| *seq).collect()
    }
}

fn joined(one: &Value, other: &Value) -> Value {
    let mut both = one.clone();
    both.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    both
}

proptest! {
    #[test]
    fn every_request_of_every_stream_is_answered_exactly_once_and_in_order(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
        world.settle();
        for stream in 0..STREAMS {
            let expected: Vec<u64> = (0..=world.asked[stream].1).collect();
            prop_assert_eq!(world.answered(stream), expected);
            let numbers = world.numbers(stream);
            let last = numbers.last().copied().unwrap();
            prop_assert_eq!(numbers, (1..=last).collect(), "no number is left out");
        }
        prop_assert_eq!(world.test.session.outbound.retained(), (0, 0));
    }
}
