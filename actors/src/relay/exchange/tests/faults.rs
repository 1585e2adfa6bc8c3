//! Random faults: whatever is cut, each message of a stream arrives once and in order, or the stream ends with a reason.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{List, StreamKey, acknowledged, answered, exchange, key, phone, said};
use crate::relay::exchange::Exchange;

#[derive(Clone, Copy, Debug)]
enum Step {
    PhoneSays,
    ServerSays,
    PhoneReads,
    ServerReads,
    CutPhone,
    CutServer,
    ServerPongs,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Step::*;
    let step = prop_oneof![
        4 => Just(PhoneSays),
        4 => Just(ServerSays),
        5 => Just(PhoneReads),
        5 => Just(ServerReads),
        1 => Just(CutPhone),
        1 => Just(CutServer),
        1 => Just(ServerPongs),
    ];
    proptest::collection::vec(step, 0..80)
}

/// A phone and a server that keep to the protocol, and what each has received.
struct Scene {
    exchange: Exchange<List>,
    key: StreamKey,
    phone: List,
    phone_sent: Vec<u64>,
    phone_read: Vec<u64>,
    server: List,
    server_sent: Vec<u64>,
    server_acknowledged: u64,
    server_read: Vec<u64>,
    cursor: Option<String>,
    lost: bool,
}

impl Scene {
    fn new() -> Self {
        let (mut exchange, key, server) = (exchange(), key("cl", "st"), List::default());
        exchange.server_came(server.clone(), None);
        let phone = phone(&mut exchange, &key);
        Self {
            exchange,
            key,
            phone,
            phone_sent: Vec::new(),
            phone_read: Vec::new(),
            server,
            server_sent: Vec::new(),
            server_acknowledged: 0,
            server_read: Vec::new(),
            cursor: None,
            lost: false,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::PhoneSays => {
                let seq = self.phone_sent.len() as u64 + 1;
                self.phone_sent.push(seq);
                self.exchange.take_from_phone(&self.key, &said(seq, &json!(seq)));
            }
            // A server stops a stream that acknowledges nothing.
            Step::ServerSays if self.server_sent.len() as u64 - self.server_acknowledged >= 4 => {}
            Step::ServerSays => {
                let seq = self.server_sent.len() as u64 + 1;
                self.server_sent.push(seq);
                self.exchange.take_from_server(&answered(&self.key, seq, &json!(seq)));
            }
            Step::PhoneReads => self.phone_reads(),
            Step::ServerReads => self.server_reads(),
            Step::CutPhone => {
                self.exchange.phone_left(&self.key, &self.phone);
                self.phone = phone(&mut self.exchange, &self.key);
            }
            Step::CutServer => {
                self.exchange.server_left(0);
                self.server = List::default();
                self.exchange.server_came(self.server.clone(), self.cursor.as_deref());
                for seq in self.server_acknowledged + 1..=self.server_sent.len() as u64 {
                    self.exchange.take_from_server(&answered(&self.key, seq, &json!(seq)));
                }
            }
            Step::ServerPongs => {
                // Its socket keeps the order: everything before the ping was read.
                let cursor = self.exchange.latest_cursor();
                while !self.server.is_empty() {
                    self.server_reads();
                }
                self.exchange.server_ponged(cursor);
            }
        }
        self.lost |= !self.exchange.knows(&self.key);
    }

    fn phone_reads(&mut self) {
        let Some(message) = self.phone.next() else { return };
        if message["type"] != "server_message" {
            return;
        }
        let seq = message["seq_id"].as_u64().unwrap();
        if self.phone_read.last().is_none_or(|last| seq > *last) {
            self.phone_read.push(seq);
        }
        self.exchange.take_from_phone(&self.key, &acknowledged(seq));
    }

    fn server_reads(&mut self) {
        let Some(message) = self.server.next() else { return };
        let seq = message["seq_id"].as_u64().unwrap_or_default();
        match message["type"].as_str() {
            Some("ack") => self.server_acknowledged = self.server_acknowledged.max(seq),
            Some("client_message") => {
                if self.server_read.last().is_none_or(|last| seq > *last) {
                    self.server_read.push(seq);
                }
                self.cursor = Some(message["cursor"].as_str().unwrap().to_owned());
            }
            _ => {}
        }
    }
}

impl List {
    fn is_empty(&self) -> bool {
        self.0.queue.borrow().is_empty()
    }
}

proptest! {
    #[test]
    fn each_message_arrives_once_and_in_order_or_the_stream_ends(steps in steps()) {
        let mut scene = Scene::new();
        for step in steps {
            scene.step(step);
            if scene.lost {
                break;
            }
        }
        let in_order = |read: &[u64], sent: &[u64]| sent.starts_with(read);
        prop_assert!(in_order(&scene.phone_read, &scene.server_sent), "{:?}", scene.phone_read);
        prop_assert!(in_order(&scene.server_read, &scene.phone_sent), "{:?}", scene.server_read);
        if !scene.lost {
            // When both are back and read, nothing is missing.
            for step in [Step::CutPhone, Step::CutServer] {
                scene.step(step);
            }
            for _ in 0..200 {
                scene.step(Step::PhoneReads);
                scene.step(Step::ServerReads);
            }
            if !scene.lost {
                prop_assert_eq!(&scene.phone_read, &scene.server_sent);
                prop_assert_eq!(&scene.server_read, &scene.phone_sent);
            }
        }
    }
}

#[test]
fn the_oracle_sees_what_is_missing() {
    let mut scene = Scene::new();
    scene.step(Step::PhoneSays);
    assert_eq!((scene.server_read.len(), scene.phone_sent.len()), (0, 1));
    scene.step(Step::ServerReads);
    assert_eq!(scene.server_read, [1]);
    let text: Value = json!(1);
    assert!(said(1, &text).contains("client_message"));
}
