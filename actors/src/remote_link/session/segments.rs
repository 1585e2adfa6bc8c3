//! Splits a message into envelopes: one, or if that is too long, one per segment (spec: remote control 8).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytestring::ByteString;

use super::outbound::StreamKey;
use crate::protocol::remote::{HostBody, HostEnvelope, Message, Segment};
use crate::remote_link::RemoteLinkLimits;

/// The message needs more segments than a message may have.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of {bytes} bytes is too long for remote control")]
pub(in crate::remote_link) struct TooLong {
    bytes: usize,
}

/// Encodes an envelope. Encoding cannot fail; the `Option` avoids a panic.
pub(super) fn envelope(key: &StreamKey, seq: u64, body: HostBody<'_>) -> Option<ByteString> {
    let (client_id, stream_id) = (key.client.as_ref().into(), key.stream.as_ref().into());
    HostEnvelope { client_id, stream_id, seq_id: seq, body }.write().ok().map(ByteString::from)
}

/// The envelopes of `message`, in order, all with the number `seq`.
pub(super) fn envelopes(
    limits: &RemoteLinkLimits,
    key: &StreamKey,
    seq: u64,
    message: Message<'_>,
) -> Result<Vec<ByteString>, TooLong> {
    let bytes = message.text().as_bytes();
    let too_long = TooLong { bytes: bytes.len() };
    if bytes.len() <= limits.envelope_bytes
        && let Some(text) = envelope(key, seq, HostBody::Message(message))
        && text.len() <= limits.envelope_bytes
    {
        return Ok(vec![text]);
    }
    if bytes.len() > limits.segmented_message_bytes {
        return Err(too_long);
    }
    let mut count = bytes.len().div_ceil(limits.segment_bytes).max(2);
    while count <= limits.segments.min(bytes.len()) {
        if let Some(texts) = split(limits, key, seq, bytes, count) {
            return Ok(texts);
        }
        count += 1;
    }
    Err(too_long)
}

/// Splits `bytes` into `count` segments; `None` if an envelope would be too long.
fn split(limits: &RemoteLinkLimits, key: &StreamKey, seq: u64, bytes: &[u8], count: usize) -> Option<Vec<ByteString>> {
    let parts = bytes.chunks(bytes.len().div_ceil(count));
    // Rounding up can yield fewer parts than requested.
    let segment_count = u32::try_from(parts.len()).ok()?;
    let mut texts = Vec::with_capacity(count);
    for (segment_id, part) in (0..).zip(parts) {
        let segment = Segment {
            segment_id,
            segment_count,
            message_size_bytes: bytes.len() as u64,
            message_chunk_base64: BASE64.encode(part).into(),
        };
        let text = envelope(key, seq, HostBody::Chunk(segment))?;
        if text.len() > limits.envelope_bytes {
            return None;
        }
        texts.push(text);
    }
    Some(texts)
}
