//! A phone: a client on the stream of a relay.

use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Device, Relay};
use crate::support::PATIENCE;
use crate::support::client::Client;
use crate::support::wire::{Received, Wire, Ws};

/// Bytes of a message in one envelope.
const SEGMENT_BYTES: usize = 72_000;

/// A phone on one socket.
pub struct Phone {
    socket: Ws<TcpStream>,
    /// What the relay has said first.
    pub welcome: Value,
    state: Arc<Mutex<State>>,
}

/// What a phone remembers from one socket to the next.
#[derive(Default)]
struct State {
    sent: u64,
    heard: (u64, u64),
    part: Vec<u8>,
}

impl Phone {
    /// Opens a stream to the machine of `device`.
    pub fn open(relay: &Relay, device: &Device) -> Self {
        Self::on(relay, device, None, Arc::default())
    }

    /// The same device comes back on another socket, and goes on with the stream of this one.
    pub fn again(&self, relay: &Relay, device: &Device) -> Self {
        Self::on(relay, device, self.welcome["stream_id"].as_str(), Arc::clone(&self.state))
    }

    fn on(relay: &Relay, device: &Device, stream: Option<&str>, state: Arc<Mutex<State>>) -> Self {
        let query = stream.map(|stream| format!("?stream={stream}")).unwrap_or_default();
        let path = format!("/api/machines/{}/socket{query}", device.environment);
        let bearer = format!("Bearer {}", device.token);
        let mut socket = Ws::upgrade_at(relay.stream(), &path, &[("authorization", &bearer)]);
        let Received::Message(text) = socket.receive(Instant::now() + PATIENCE) else { panic!("no welcome") };
        let welcome: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(welcome["type"], "welcome", "{welcome}");
        if welcome["resumed"] == false {
            *state.lock().expect("nobody panicked") = State::default();
        }
        Self { socket, welcome, state }
    }

    /// A client that talks over this stream, on which nothing was said yet.
    pub fn client(self) -> Client {
        Client::new(Box::new(self))
    }

    /// Sends a text message as it is.
    pub fn send_text(&mut self, text: &str) {
        self.socket.send(text);
    }

    /// Sends a message under the next number.
    pub fn say(&mut self, message: &Value) {
        let seq = {
            let mut state = self.state.lock().expect("nobody panicked");
            state.sent += 1;
            state.sent
        };
        self.say_as(seq, message);
    }

    /// Sends a message under this number, in segments if it is long.
    pub fn say_as(&mut self, seq: u64, message: &Value) {
        let text = message.to_string();
        if text.len() > SEGMENT_BYTES {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(SEGMENT_BYTES).collect();
            for (segment, piece) in pieces.iter().enumerate() {
                let envelope = json!({"type": "client_message_chunk", "client_id": "", "seq_id": seq, "segment_id": segment,
                    "segment_count": pieces.len(), "message_size_bytes": text.len(),
                    "message_chunk_base64": STANDARD.encode(piece)});
                self.send_text(&envelope.to_string());
            }
            return;
        }
        self.send_text(
            &json!({"type": "client_message", "client_id": "", "seq_id": seq, "message": message}).to_string(),
        );
    }

    /// The next text message, whatever it is; `Err` with the close code at the end.
    pub fn next(&mut self) -> Result<Value, Option<u16>> {
        match self.socket.receive(Instant::now() + PATIENCE) {
            Received::Message(text) => Ok(serde_json::from_str(&text).expect("JSON")),
            Received::Closed(code) => Err(code),
            Received::Nothing => panic!("nothing came"),
        }
    }

    /// Reads until something of this type comes.
    pub fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next().unwrap_or_else(|code| panic!("closed with {code:?}"));
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// Reads until the relay closes: the close code.
    pub fn closed(&mut self) -> Option<u16> {
        loop {
            if let Err(code) = self.next() {
                return code;
            }
        }
    }

    /// Acknowledges everything up to this number.
    pub fn acknowledge(&mut self, seq: u64) {
        self.send_text(&json!({"type": "ack", "client_id": "", "seq_id": seq}).to_string());
    }

    /// What an envelope of the machine says, once it is whole and new; it is acknowledged.
    fn take(&mut self, envelope: &Value) -> Option<String> {
        let seq = envelope["seq_id"].as_u64()?;
        let segment = envelope["segment_id"].as_u64();
        let place = (seq, segment.unwrap_or(u64::MAX));
        self.send_text(&json!({"type": "ack", "client_id": "", "seq_id": seq, "segment_id": segment}).to_string());
        let mut state = self.state.lock().expect("nobody panicked");
        if place <= state.heard {
            return None;
        }
        state.heard = place;
        let Some(segment) = segment else {
            return envelope.get("message").map(Value::to_string);
        };
        let piece = STANDARD.decode(envelope["message_chunk_base64"].as_str().expect("base64")).expect("base64");
        state.part.extend(piece);
        let whole = segment + 1 == envelope["segment_count"].as_u64().expect("a count");
        whole.then(|| String::from_utf8(std::mem::take(&mut state.part)).expect("text"))
    }
}

impl Wire for Phone {
    fn send(&mut self, message: &str) {
        let message: &RawValue = serde_json::from_str(message).expect("JSON");
        self.say(&serde_json::from_str(message.get()).expect("JSON"));
    }

    fn receive(&mut self, deadline: Instant) -> Received {
        loop {
            match self.socket.receive(deadline) {
                Received::Message(text) => {
                    let envelope: Value = serde_json::from_str(&text).expect("JSON");
                    if let Some(message) = self.take(&envelope) {
                        return Received::Message(message);
                    }
                }
                other => return other,
            }
        }
    }

    fn close(&mut self) {
        self.socket.close();
    }
}
