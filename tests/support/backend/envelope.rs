//! The envelopes of a controller, written by hand so that they can be as wrong as a promise wants them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Whose envelope it is.
#[derive(Clone, Debug)]
pub struct Sender {
    pub client_id: String,
    /// Controllers of the first days had none.
    pub stream_id: Option<String>,
}

impl Sender {
    fn envelope(&self, kind: &str) -> Value {
        let mut envelope = json!({"type": kind, "client_id": self.client_id});
        if let Some(stream_id) = &self.stream_id {
            envelope["stream_id"] = json!(stream_id);
        }
        envelope
    }

    /// A whole JSON-RPC message.
    pub fn message(&self, seq_id: u64, message: &Value) -> Value {
        let mut envelope = self.envelope("client_message");
        envelope["seq_id"] = json!(seq_id);
        envelope["message"] = message.clone();
        envelope
    }

    /// `text` in pieces of so many bytes.
    pub fn chunks(&self, seq_id: u64, text: &str, bytes: usize) -> Vec<Value> {
        let pieces = text.as_bytes().chunks(bytes);
        let count = pieces.len();
        let chunk = |(at, piece): (usize, &[u8])| {
            let mut envelope = self.envelope("client_message_chunk");
            envelope["seq_id"] = json!(seq_id);
            envelope["segment_id"] = json!(at);
            envelope["segment_count"] = json!(count);
            envelope["message_size_bytes"] = json!(text.len());
            envelope["message_chunk_base64"] = json!(STANDARD.encode(piece));
            envelope
        };
        pieces.enumerate().map(chunk).collect()
    }

    /// Everything up to this envelope was received.
    pub fn ack(&self, seq_id: u64, segment_id: Option<u64>) -> Value {
        let mut envelope = self.envelope("ack");
        envelope["seq_id"] = json!(seq_id);
        if let Some(segment_id) = segment_id {
            envelope["segment_id"] = json!(segment_id);
        }
        envelope
    }

    /// "Are you there?"
    pub fn ping(&self) -> Value {
        self.envelope("ping")
    }

    /// "I am gone."
    pub fn closed(&self) -> Value {
        self.envelope("client_closed")
    }
}
