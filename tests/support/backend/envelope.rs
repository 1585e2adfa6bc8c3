//! The envelopes on the WebSocket (spec: remote control 6). Defined separately from the server's, so that a misspelt
//! member of the server is found.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// Any envelope, in either direction; members that it does not have are left out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Envelope {
    #[serde(rename = "type")]
    pub kind: String,
    pub client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment_id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_size_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_chunk_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

impl Envelope {
    /// As one text frame.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("an envelope is JSON")
    }
}

/// Who a controller is.
#[derive(Clone, Debug)]
pub struct Sender {
    pub client_id: String,
    /// Controllers of the first days had none.
    pub stream_id: Option<String>,
}

impl Sender {
    fn envelope(&self, kind: &str) -> Envelope {
        let Self { client_id, stream_id } = self.clone();
        Envelope { kind: kind.to_owned(), client_id, stream_id, ..Envelope::default() }
    }

    /// A whole JSON-RPC message.
    pub fn message(&self, seq_id: u64, message: &(impl Serialize + ?Sized)) -> Envelope {
        let message = to_raw_value(message).expect("a message is JSON");
        Envelope { seq_id: Some(seq_id), message: Some(message), ..self.envelope("client_message") }
    }

    /// `text` in pieces of so many bytes.
    pub fn chunks(&self, seq_id: u64, text: &str, bytes: usize) -> Vec<Envelope> {
        let pieces = text.as_bytes().chunks(bytes);
        let count = pieces.len() as u64;
        let chunk = |(at, piece): (u64, &[u8])| Envelope {
            seq_id: Some(seq_id),
            segment_id: Some(at),
            segment_count: Some(count),
            message_size_bytes: Some(text.len() as u64),
            message_chunk_base64: Some(STANDARD.encode(piece)),
            ..self.envelope("client_message_chunk")
        };
        (0..).zip(pieces).map(chunk).collect()
    }

    /// Everything up to this envelope was received.
    pub fn ack(&self, seq_id: u64, segment_id: Option<u64>) -> Envelope {
        Envelope { seq_id: Some(seq_id), segment_id, ..self.envelope("ack") }
    }

    /// "Are you there?"
    pub fn ping(&self) -> Envelope {
        self.envelope("ping")
    }

    /// "I am gone."
    pub fn closed(&self) -> Envelope {
        self.envelope("client_closed")
    }
}
