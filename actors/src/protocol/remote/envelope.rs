//! The envelopes on the WebSocket between backend and host (spec: remote control 6): one JSON object per text message.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Message;

/// From the backend to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendEnvelope<'a> {
    /// Which controller.
    pub client_id: Cow<'a, str>,
    /// Which of its streams; old controllers have but one, and it has no name.
    pub stream_id: Option<Cow<'a, str>>,
    /// Of a message: its number in the stream. Of an acknowledgement: the last number that it covers.
    pub seq_id: Option<u64>,
    /// Where to go on when this was processed and the socket is lost. Means nothing to the host.
    pub cursor: Option<Cow<'a, str>>,
    /// The rest.
    pub body: BackendBody<'a>,
}

/// What the backend says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackendBody<'a> {
    /// A controller's message.
    Message(Message<'a>),
    /// A part of one.
    Chunk(Segment<'a>),
    /// Everything up to the `seq_id` has arrived; with a segment, everything before and so much of its own segments.
    Ack {
        /// The last segment that it covers.
        segment_id: Option<u32>,
    },
    /// Is the stream alive?
    Ping,
    /// The controller has ended the stream.
    Closed,
}

/// From a host to the backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostEnvelope<'a> {
    /// For which controller.
    pub client_id: Cow<'a, str>,
    /// For which of its streams.
    pub stream_id: Cow<'a, str>,
    /// From 1, one more for each envelope of the stream; the same for all segments of a message.
    pub seq_id: u64,
    /// The rest.
    pub body: HostBody<'a>,
}

/// What a host says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostBody<'a> {
    /// A message for the controller.
    Message(Message<'a>),
    /// A part of one.
    Chunk(Segment<'a>),
    /// The answer to a ping.
    Pong(PongStatus),
}

/// Whether the host knows a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PongStatus {
    /// It is served.
    Active,
    /// It must be initialized (again).
    Unknown,
}

/// A part of a message that is too long for one envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// From 0, in order.
    pub segment_id: u32,
    /// How many there are.
    pub segment_count: u32,
    /// Bytes of the whole message.
    pub message_size_bytes: u64,
    /// The bytes of this part, in base64 with padding.
    pub message_chunk_base64: Cow<'a, str>,
}

impl<'a> BackendEnvelope<'a> {
    /// Reads one.
    ///
    /// # Errors
    /// Not JSON, of no known type, or a member that the type needs is missing or unfit.
    pub fn read(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// Writes it.
    ///
    /// # Errors
    /// Never in practice: JSON has a text for every envelope.
    pub fn write(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

impl<'a> HostEnvelope<'a> {
    /// Reads one.
    ///
    /// # Errors
    /// Not JSON, of no known type, or a member that the type needs is missing or unfit.
    pub fn read(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// Writes it.
    ///
    /// # Errors
    /// Never in practice: JSON has a text for every envelope.
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
            r#"{"type":"client_closed","client_id":"c","stream_id":"s"}"#,
        ] {
            assert_eq!(BackendEnvelope::read(text).unwrap().write().unwrap(), text);
        }
        for text in [
            r#"{"type":"server_message","message":{"id":1,"result":{}},"client_id":"c","stream_id":"s","seq_id":2}"#,
            r#"{"type":"server_message_chunk","segment_id":0,"segment_count":6,"message_size_bytes":533375,"message_chunk_base64":"eyJp","client_id":"c","stream_id":"s","seq_id":4}"#,
            r#"{"type":"pong","status":"active","client_id":"c","stream_id":"s","seq_id":8}"#,
            r#"{"type":"pong","status":"unknown","client_id":"c","stream_id":"s","seq_id":1}"#,
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
