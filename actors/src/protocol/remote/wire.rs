//! Encoding and decoding of envelopes.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::protocol::scope::Scopes;

use super::{BackendBody, BackendEnvelope, HostBody, HostEnvelope, Message, PongStatus, Segment};

/// All members of all envelopes, because serde's tagged enums cannot contain raw JSON.
#[derive(Default, Serialize, Deserialize)]
struct Wire<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    message: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<PongStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    segment_id: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    segment_count: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_size_bytes: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    message_chunk_base64: Option<Cow<'a, str>>,
    #[serde(borrow)]
    client_id: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    stream_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq_id: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    cursor: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scopes: Option<Scopes>,
}

const CLIENT_MESSAGE: &str = "client_message";
const CLIENT_MESSAGE_CHUNK: &str = "client_message_chunk";
const ACK: &str = "ack";
const PING: &str = "ping";
const CLIENT_CLOSED: &str = "client_closed";
const SERVER_MESSAGE: &str = "server_message";
const SERVER_MESSAGE_CHUNK: &str = "server_message_chunk";
const PONG: &str = "pong";
const ATTENTION: &str = "attention";

impl<'a> Wire<'a> {
    fn of_message(kind: &'static str, message: Message<'a>) -> Self {
        Self { kind: kind.into(), message: Some(message.0), ..Self::default() }
    }

    fn of_segment(kind: &'static str, segment: &'a Segment<'_>) -> Self {
        Self {
            kind: kind.into(),
            segment_id: Some(segment.segment_id),
            segment_count: Some(segment.segment_count),
            message_size_bytes: Some(segment.message_size_bytes),
            message_chunk_base64: Some(Cow::Borrowed(&segment.message_chunk_base64)),
            ..Self::default()
        }
    }

    fn message<E: serde::de::Error>(&self) -> Result<Message<'a>, E> {
        self.message.map(Message).ok_or_else(|| E::missing_field("message"))
    }

    fn segment<E: serde::de::Error>(&mut self) -> Result<Segment<'a>, E> {
        Ok(Segment {
            segment_id: self.segment_id.ok_or_else(|| E::missing_field("segment_id"))?,
            segment_count: self.segment_count.ok_or_else(|| E::missing_field("segment_count"))?,
            message_size_bytes: self.message_size_bytes.ok_or_else(|| E::missing_field("message_size_bytes"))?,
            message_chunk_base64: (self.message_chunk_base64.take())
                .ok_or_else(|| E::missing_field("message_chunk_base64"))?,
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for BackendEnvelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut wire = Wire::deserialize(deserializer)?;
        let body = match wire.kind.as_ref() {
            CLIENT_MESSAGE => BackendBody::Message(wire.message()?),
            CLIENT_MESSAGE_CHUNK => BackendBody::Chunk(wire.segment()?),
            ACK => BackendBody::Ack { segment_id: wire.segment_id },
            PING => BackendBody::Ping,
            CLIENT_CLOSED => BackendBody::Closed,
            unknown => return Err(D::Error::custom(format_args!("unknown type `{unknown}`"))),
        };
        let Wire { client_id, stream_id, seq_id, cursor, scopes, .. } = wire;
        Ok(Self { client_id, stream_id, seq_id, cursor, scopes, body })
    }
}

impl Serialize for BackendEnvelope<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let body = match &self.body {
            BackendBody::Message(message) => Wire::of_message(CLIENT_MESSAGE, *message),
            BackendBody::Chunk(segment) => Wire::of_segment(CLIENT_MESSAGE_CHUNK, segment),
            BackendBody::Ack { segment_id } => Wire { kind: ACK.into(), segment_id: *segment_id, ..Wire::default() },
            BackendBody::Ping => Wire { kind: PING.into(), ..Wire::default() },
            BackendBody::Closed => Wire { kind: CLIENT_CLOSED.into(), ..Wire::default() },
        };
        let wire = Wire {
            client_id: Cow::Borrowed(&self.client_id),
            stream_id: self.stream_id.as_deref().map(Cow::Borrowed),
            seq_id: self.seq_id,
            cursor: self.cursor.as_deref().map(Cow::Borrowed),
            scopes: self.scopes,
            ..body
        };
        wire.serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for HostEnvelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut wire = Wire::deserialize(deserializer)?;
        let body = match wire.kind.as_ref() {
            SERVER_MESSAGE => HostBody::Message(wire.message()?),
            SERVER_MESSAGE_CHUNK => HostBody::Chunk(wire.segment()?),
            PONG => HostBody::Pong(wire.status.ok_or_else(|| D::Error::missing_field("status"))?),
            ATTENTION => HostBody::Attention,
            unknown => return Err(D::Error::custom(format_args!("unknown type `{unknown}`"))),
        };
        Ok(Self {
            client_id: wire.client_id,
            stream_id: wire.stream_id.ok_or_else(|| D::Error::missing_field("stream_id"))?,
            seq_id: wire.seq_id.ok_or_else(|| D::Error::missing_field("seq_id"))?,
            body,
        })
    }
}

impl Serialize for HostEnvelope<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let body = match &self.body {
            HostBody::Message(message) => Wire::of_message(SERVER_MESSAGE, *message),
            HostBody::Chunk(segment) => Wire::of_segment(SERVER_MESSAGE_CHUNK, segment),
            HostBody::Pong(status) => Wire { kind: PONG.into(), status: Some(*status), ..Wire::default() },
            HostBody::Attention => Wire { kind: ATTENTION.into(), ..Wire::default() },
        };
        let wire = Wire {
            client_id: Cow::Borrowed(&self.client_id),
            stream_id: Some(Cow::Borrowed(&self.stream_id)),
            seq_id: Some(self.seq_id),
            ..body
        };
        wire.serialize(serializer)
    }
}
