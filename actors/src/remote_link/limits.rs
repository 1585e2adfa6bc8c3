//! The bounds of the link; the defaults are the reference program's where it has one (spec: remote control 5 to 9).

use std::time::Duration;

use serde::Deserialize;

/// Bounds, sizes and times; the name of each ends with its unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteLinkLimits {
    /// Seconds that the way to an established socket may take.
    pub dial_seconds: u64,
    /// Bytes of the body of a refusal that are passed on.
    pub refusal_bytes: usize,
    /// Seconds that this body may take to come; what came until then is passed on.
    pub refusal_seconds: u64,
    /// Seconds between two pings to the backend.
    pub ping_seconds: u64,
    /// Seconds without a pong after which the socket is dropped, whatever else comes.
    pub pong_seconds: u64,
    /// Bytes of one frame from the backend; one more kills the socket.
    pub frame_bytes: usize,

    /// Messages to the link itself that wait; only remote control sends any, one after the other.
    pub mailbox_messages: usize,
    /// Streams at once; one more is answered -32001.
    pub streams: usize,
    /// Streams of one controller at once, so that no controller takes them all; one more is answered -32001.
    pub controller_streams: usize,
    /// Bytes of the name of a controller or of a stream; an envelope with a longer one is ignored.
    pub name_bytes: usize,
    /// Bytes of a cursor; a longer one is ignored.
    pub cursor_bytes: usize,
    /// Seconds without a message or ping after which a stream ends.
    pub stream_idle_seconds: u64,
    /// Seconds between two looks for idle streams, while there is a socket.
    pub stream_sweep_seconds: u64,
    /// Bytes on their way between the link and a stream's connection, each way.
    pub stream_pipe_bytes: usize,
    /// Messages waiting for a stream's connection; one more request is answered -32001, anything else ends the stream.
    pub stream_inbound_messages: usize,
    /// Bytes of messages waiting for a stream's connection; the same happens above it.
    pub stream_inbound_bytes: usize,

    /// Envelopes of one stream that the backend has not acknowledged before the stream rests.
    pub stream_retained_envelopes: usize,
    /// Envelopes of all streams together.
    pub retained_envelopes: usize,
    /// Bytes of the envelopes of one stream before it rests. One message may exceed it.
    pub stream_retained_bytes: usize,
    /// Bytes of the envelopes of all streams before all rest. One message of each may exceed it.
    pub retained_bytes: usize,
    /// Sequence counters of streams that are gone; the longest unused one is forgotten for one more.
    pub counters: usize,

    /// Bytes of an envelope above which a message is sent in segments, and of an envelope with a segment.
    pub envelope_bytes: usize,
    /// Bytes of a message that one segment aims at.
    pub segment_bytes: usize,
    /// Segments of one message.
    pub segments: usize,
    /// Bytes of one message in segments, both ways. Inbound the smaller `message_bytes` of all connections rules.
    pub segmented_message_bytes: usize,
    /// Messages that are put together from segments at once; the one that waits for longest gives way.
    pub assemblies: usize,
    /// Bytes of all of them; the ones that wait for longest give way.
    pub assembly_bytes: usize,
}

impl RemoteLinkLimits {
    /// [`Self::dial_seconds`] as a duration.
    pub fn dial(&self) -> Duration {
        Duration::from_secs(self.dial_seconds)
    }

    /// [`Self::refusal_seconds`] as a duration.
    pub fn refusal(&self) -> Duration {
        Duration::from_secs(self.refusal_seconds)
    }

    /// [`Self::ping_seconds`] as a duration.
    pub fn ping(&self) -> Duration {
        Duration::from_secs(self.ping_seconds)
    }

    /// [`Self::pong_seconds`] as a duration.
    pub fn pong(&self) -> Duration {
        Duration::from_secs(self.pong_seconds)
    }

    /// [`Self::stream_idle_seconds`] as a duration.
    pub fn stream_idle(&self) -> Duration {
        Duration::from_secs(self.stream_idle_seconds)
    }

    /// What unit tests run with: small, but with room for more than one of everything.
    #[cfg(test)]
    pub fn small() -> Self {
        Self {
            mailbox_messages: 1,
            dial_seconds: 30,
            refusal_bytes: 16,
            refusal_seconds: 2,
            ping_seconds: 10,
            pong_seconds: 60,
            frame_bytes: 1 << 20,
            streams: 4,
            controller_streams: 3,
            name_bytes: 64,
            cursor_bytes: 64,
            stream_idle_seconds: 600,
            stream_sweep_seconds: 30,
            stream_pipe_bytes: 64,
            stream_inbound_messages: 2,
            stream_inbound_bytes: 4096,
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
        }
    }

    /// [`Self::stream_sweep_seconds`] as a duration.
    pub fn stream_sweep(&self) -> Duration {
        Duration::from_secs(self.stream_sweep_seconds)
    }
}
