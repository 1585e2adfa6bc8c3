//! The envelopes on the WebSocket between backend and host (spec: remote control 6): one JSON object per text message.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Message;
use crate::protocol::scope::Scopes;

/// An envelope from the backend to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendEnvelope<'a> {
    /// Id of the controller.
    pub client_id: Cow<'a, str>,
    /// Id of the stream; old controllers have one unnamed stream.
    pub stream_id: Option<Cow<'a, str>>,
    /// For a message: its number in the stream. For an acknowledgement: the last number that it covers.
    pub seq_id: Option<u64>,
    /// Where to continue if the socket is lost after this envelope was processed. Opaque to the host.
    pub cursor: Option<Cow<'a, str>>,
    /// What the controller may do at most, with a message that opens a stream. Only a relay of our own says it.
    pub scopes: Option<Scopes>,
    /// The content.
    pub body: BackendBody<'a>,
}

/// Contents from the backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendBody<'a> {
    /// A controller's message.
    Message(Message<'a>),
    /// A segment of a message.
    Chunk(Segment<'a>),
    /// An acknowledgement: everything up to `seq_id` has arrived; with a segment, everything before it and the segments
    /// up to that one.
    Ack {
        /// The last segment that it covers.
        segment_id: Option<u32>,
    },
    /// A ping.
    Ping,
    /// The controller has ended the stream.
    Closed,
}

/// An envelope from a host to the backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostEnvelope<'a> {
    /// Id of the controller.
    pub client_id: Cow<'a, str>,
    /// Id of the stream.
    pub stream_id: Cow<'a, str>,
    /// Sequence number, from 1; the segments of a message share it.
    pub seq_id: u64,
    /// The content.
    pub body: HostBody<'a>,
}

/// Contents from a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostBody<'a> {
    /// A message for the controller.
    Message(Message<'a>),
    /// A segment of a message.
    Chunk(Segment<'a>),
    /// The answer to a ping.
    Pong(PongStatus),
    /// Something on this host waits for a person. Only for a relay of our own, which may tell phones that are away; it belongs
    /// to no stream, and has no number.
    Attention,
}

/// Status of a stream at the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PongStatus {
    /// The stream is active.
    Active,
    /// The stream must be initialized (again).
    Unknown,
}

/// A segment of a message that is too long for one envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Index of the segment, from 0.
    pub segment_id: u32,
    /// Number of segments.
    pub segment_count: u32,
    /// Size of the whole message, in bytes.
    pub message_size_bytes: u64,
    /// The bytes of this segment, in base64 with padding.
    pub message_chunk_base64: Cow<'a, str>,
}

impl<'a> BackendEnvelope<'a> {
    /// Parses an envelope.
    ///
    /// # Errors
    /// It is not JSON or of an unknown type, or a required member is missing or invalid.
    pub fn read(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// Encodes the envelope.
    ///
    /// # Errors
    /// Never in practice: every envelope can be encoded.
    pub fn write(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

impl<'a> HostEnvelope<'a> {
    /// Parses an envelope.
    ///
    /// # Errors
    /// It is not JSON or of an unknown type, or a required member is missing or invalid.
    pub fn read(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// Encodes the envelope.
    ///
    /// # Errors
    /// Never in practice: every envelope can be encoded.
    pub fn write(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_envelope_is_written_as_recorded_and_read_back() {
        for text in [
            r#"{"type":"client_message","message":{"id":1,"method":"initialize"},"client_id":"c","stream_id":"s","seq_id":1,"cursor":"k"}"#,
            r#"{"type":"client_message_chunk","segment_id":0,"segment_count":3,"message_size_bytes":262144,"message_chunk_base64":"eyJp","client_id":"c","stream_id":"s","seq_id":2}"#,
            r#"{"type":"ack","client_id":"c","stream_id":"s","seq_id":4}"#,
            r#"{"type":"ack","segment_id":1,"client_id":"c","stream_id":"s","seq_id":4}"#,
            r#"{"type":"ping","client_id":"c"}"#,
            r#"{"type":"client_message","message":"ciphertext","client_id":"c","stream_id":"s","seq_id":1,"scopes":["observe"]}"#,
            r#"{"type":"client_closed","client_id":"c","stream_id":"s"}"#,
        ] {
            assert_eq!(BackendEnvelope::read(text).unwrap().write().unwrap(), text);
        }
        for text in [
            r#"{"type":"server_message","message":{"id":1,"result":{}},"client_id":"c","stream_id":"s","seq_id":2}"#,
            r#"{"type":"server_message_chunk","segment_id":0,"segment_count":6,"message_size_bytes":533375,"message_chunk_base64":"eyJp","client_id":"c","stream_id":"s","seq_id":4}"#,
            r#"{"type":"pong","status":"active","client_id":"c","stream_id":"s","seq_id":8}"#,
            r#"{"type":"pong","status":"unknown","client_id":"c","stream_id":"s","seq_id":1}"#,
            r#"{"type":"attention","client_id":"","stream_id":"","seq_id":0}"#,
        ] {
            assert_eq!(HostEnvelope::read(text).unwrap().write().unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_envelope_is_refused_and_what_is_new_in_one_is_not() {
        for text in [
            "nonsense",
            "[]",
            r#"{"type":"news","client_id":"c"}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"ack","client_id":"c","stream_id":"s","seq_id":1.5}"#,
            r#"{"type":"ack","client_id":"c","stream_id":"s","seq_id":-1}"#,
            r#"{"type":"client_message","client_id":"c"}"#,
            r#"{"type":"client_message_chunk","client_id":"c","segment_id":0}"#,
        ] {
            assert!(BackendEnvelope::read(text).is_err(), "{text}");
        }
        let newer = r#"{"type":"ping","client_id":"a\"b","more":{"x":[1]}}"#;
        assert_eq!(BackendEnvelope::read(newer).unwrap().client_id, r#"a"b"#);
    }
}
