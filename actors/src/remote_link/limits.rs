//! The bounds of the link; the defaults are the reference program's where it has one (spec: remote control 5 to 9).

use serde::Deserialize;

use crate::limits::Seconds;

/// Bounds, sizes and times; the name of each ends with its unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteLinkLimits {
    /// Time in seconds to establish the socket.
    pub dial_seconds: Seconds,
    /// Bytes of a refusal's body that are passed on.
    pub refusal_bytes: usize,
    /// Time in seconds for that body; the bytes received until then are passed on.
    pub refusal_seconds: Seconds,
    /// Interval between pings to the backend, in seconds.
    pub ping_seconds: Seconds,
    /// Time in seconds without a pong after which the socket is dropped, whatever else arrives.
    pub pong_seconds: Seconds,
    /// Largest frame from the backend, in bytes. A larger one ends the socket.
    pub frame_bytes: usize,

    /// Messages waiting for the link; only remote control sends any, one at a time.
    pub mailbox_messages: usize,
    /// Open streams. Further ones get -32001.
    pub streams: usize,
    /// Open streams of one controller, so that none takes all. Further ones get -32001.
    pub controller_streams: usize,
    /// Revoked controllers that are remembered. Above it the one that was revoked first is forgotten.
    pub revoked_controllers: usize,
    /// Longest name of a controller or a stream, in bytes. An envelope with a longer one is ignored.
    pub name_bytes: usize,
    /// Longest cursor in bytes; a longer one is ignored.
    pub cursor_bytes: usize,
    /// Time in seconds without a message or ping after which a stream ends.
    pub stream_idle_seconds: Seconds,
    /// Interval between checks for idle streams while there is a socket, in seconds.
    pub stream_sweep_seconds: Seconds,
    /// Buffer between the link and a stream's connection in each direction, in bytes.
    pub stream_pipe_bytes: usize,
    /// Messages waiting for a stream's connection. A further request gets -32001, anything else ends the stream.
    pub stream_inbound_messages: usize,
    /// Bytes of those messages, with the same effect.
    pub stream_inbound_bytes: usize,

    /// Threads whose state is watched for a relay of our own. Further ones are not.
    pub watched_threads: usize,

    /// Unacknowledged envelopes of one stream before it pauses.
    pub stream_retained_envelopes: usize,
    /// Unacknowledged envelopes of all streams.
    pub retained_envelopes: usize,
    /// Bytes of the envelopes of one stream before it pauses. A single message may be larger.
    pub stream_retained_bytes: usize,
    /// Bytes of the envelopes of all streams. Above it each stream may have one message out.
    pub retained_bytes: usize,
    /// Sequence counters of ended streams. Above it those unused for longest are forgotten.
    pub counters: usize,

    /// Largest envelope, in bytes. A larger message is sent in segments.
    pub envelope_bytes: usize,
    /// Bytes of the message in one segment.
    pub segment_bytes: usize,
    /// Segments of one message.
    pub segments: usize,
    /// Largest segmented message in bytes, in both directions. Inbound messages are also bounded by `message_bytes`.
    pub segmented_message_bytes: usize,
    /// Messages being assembled from segments. Above it the one that has waited longest is dropped.
    pub assemblies: usize,
    /// Bytes of those messages. Above it the ones that have waited longest are dropped.
    pub assembly_bytes: usize,

    /// Pairings for which devices may come at a time. Above it the oldest one is forgotten.
    pub open_pairings: usize,
    /// Handshakes for one pairing; each is a try to have the words on both screens agree.
    pub pairing_handshakes: usize,
    /// Handshakes of one paired device in a minute. Further ones are refused before anything is computed.
    pub device_handshakes_per_minute: usize,
}

impl RemoteLinkLimits {
    /// Limits for unit tests: small, but with room for more than one of everything.
    #[cfg(test)]
    pub fn small() -> Self {
        Self {
            mailbox_messages: 1,
            dial_seconds: Seconds(30),
            refusal_bytes: 16,
            refusal_seconds: Seconds(2),
            ping_seconds: Seconds(10),
            pong_seconds: Seconds(60),
            frame_bytes: 1 << 20,
            streams: 4,
            controller_streams: 3,
            revoked_controllers: 2,
            name_bytes: 64,
            cursor_bytes: 64,
            stream_idle_seconds: Seconds(600),
            stream_sweep_seconds: Seconds(30),
            stream_pipe_bytes: 64,
            stream_inbound_messages: 2,
            stream_inbound_bytes: 4096,
            watched_threads: 2,
            stream_retained_envelopes: 4,
            stream_retained_bytes: 1 << 20,
            retained_envelopes: 12,
            retained_bytes: 1 << 22,
            counters: 8,
            envelope_bytes: 1000,
            segment_bytes: 600,
            segments: 8,
            segmented_message_bytes: 4096,
            assemblies: 2,
            assembly_bytes: 2048,
            open_pairings: 2,
            pairing_handshakes: 3,
            device_handshakes_per_minute: 4,
        }
    }
}
