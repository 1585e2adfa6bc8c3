//! Outgoing envelopes: numbered, retained until they are acknowledged, and sent again on the next socket (spec: remote
//! control 7). The reference program has one buffer for all streams; here each stream has its own share, so a stream
//! without acknowledgements pauses while the others go on.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use bytestring::ByteString;
use tokio::time::Instant;

use super::segments::{self, TooLong};
use crate::protocol::remote::{HostBody, Message, PongStatus};
use crate::remote_link::RemoteLinkLimits;

/// Identifies a stream: the controller and the name of the stream. Clones share the names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::remote_link) struct StreamKey {
    pub(in crate::remote_link) client: Rc<str>,
    pub(in crate::remote_link) stream: Rc<str>,
}

/// See the module's documentation.
pub(super) struct Outbound {
    limits: Rc<RemoteLinkLimits>,
    channels: HashMap<StreamKey, Channel>,
    /// Streams with something to send, without duplicates. They take turns, so that a long message does not delay
    /// others.
    ready: VecDeque<StreamKey>,
    envelopes: usize,
    bytes: usize,
    /// Counts uses, to find the counter that was unused for longest.
    uses: u64,
}

/// The outgoing side of one stream. Its counter outlives the stream and never restarts.
struct Channel {
    last_seq: u64,
    retained: VecDeque<Envelope>,
    bytes: usize,
    /// Number of envelopes at the end of `retained` that were not sent on this socket.
    unsent: usize,
    /// Number of envelopes at the end of `retained` that were never sent, so no acknowledgement covers them.
    fresh: usize,
    /// Whether it is in `ready`.
    queued: bool,
    life: Life,
    used: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Live,
    /// Since when the stream has ended.
    Over(Instant),
}

struct Envelope {
    seq: u64,
    segment: u32,
    text: ByteString,
}

impl Outbound {
    pub(super) fn new(limits: Rc<RemoteLinkLimits>) -> Self {
        Self { limits, channels: HashMap::new(), ready: VecDeque::new(), envelopes: 0, bytes: 0, uses: 0 }
    }

    /// Whether another message may be accepted. A stream without retained envelopes may always send, whatever the
    /// total: it is slowed, not stopped.
    pub(super) fn has_room(&self, key: &StreamKey) -> bool {
        match self.channels.get(key) {
            Some(channel) if !channel.retained.is_empty() => {
                channel.retained.len() < self.limits.stream_retained_envelopes
                    && channel.bytes < self.limits.stream_retained_bytes
                    && self.has_total_room()
            }
            _ => true,
        }
    }

    /// Whether the total of retained envelopes is below its bounds.
    pub(super) fn has_total_room(&self) -> bool {
        self.envelopes < self.limits.retained_envelopes && self.bytes < self.limits.retained_bytes
    }

    /// The stream is open.
    pub(super) fn open(&mut self, key: &StreamKey, now: Instant) {
        self.channel(key, now).life = Life::Live;
    }

    /// The stream has ended; its last messages are kept for a while, unless too much is retained already: otherwise
    /// streams that open and end could make it grow forever.
    pub(super) fn close(&mut self, key: &StreamKey, now: Instant) {
        if let Some(channel) = self.channels.get_mut(key) {
            channel.life = Life::Over(now);
        }
        if !self.has_total_room() {
            self.discard(key);
        }
    }

    /// Drops the messages of the stream.
    pub(super) fn discard(&mut self, key: &StreamKey) {
        if let Some(channel) = self.channels.get_mut(key) {
            self.envelopes -= channel.retained.len();
            self.bytes -= channel.bytes;
            channel.clear();
        }
    }

    /// Drops the messages of streams that ended before `then`.
    pub(super) fn discard_over_since(&mut self, then: Instant) {
        self.discard_where(|_, channel| matches!(channel.life, Life::Over(since) if since <= then));
    }

    /// Drops the messages of all streams of a controller.
    pub(super) fn discard_all_of(&mut self, client: &str) {
        self.discard_where(|key, _| *key.client == *client);
    }

    /// Whether all streams of a controller together retain less than a single stream may.
    pub(super) fn has_room_for_controller(&self, client: &str) -> bool {
        let of_client = self.channels.iter().filter(|(key, _)| *key.client == *client);
        of_client.map(|(_, channel)| channel.retained.len()).sum::<usize>() < self.limits.stream_retained_envelopes
    }

    fn discard_where(&mut self, is_meant: impl Fn(&StreamKey, &Channel) -> bool) {
        for (key, channel) in &mut self.channels {
            if is_meant(key, channel) {
                self.envelopes -= channel.retained.len();
                self.bytes -= channel.bytes;
                channel.clear();
            }
        }
    }

    /// Accepts a message for the stream.
    ///
    /// # Errors
    /// It needs more segments than a message may have.
    pub(super) fn message(&mut self, key: &StreamKey, message: Message<'_>, now: Instant) -> Result<(), TooLong> {
        let seq = self.channel(key, now).last_seq + 1;
        let texts = segments::envelopes(&self.limits, key, seq, message)?;
        self.retain(key, seq, texts);
        Ok(())
    }

    /// Answers a ping if there is room.
    pub(super) fn pong(&mut self, key: &StreamKey, status: PongStatus, now: Instant) -> bool {
        // An unknown stream has no envelopes, so only the total bounds the number of such answers.
        if !self.has_room(key) || (status == PongStatus::Unknown && !self.has_total_room()) {
            return false;
        }
        let seq = self.channel(key, now).last_seq + 1;
        if let Some(text) = segments::envelope(key, seq, HostBody::Pong(status)) {
            self.retain(key, seq, vec![text]);
        }
        true
    }

    /// The backend has everything up to `seq`; with a segment, only the segments of `seq` up to it. Returns whether
    /// envelopes were released.
    pub(super) fn acknowledge(&mut self, key: &StreamKey, seq: u64, segment: Option<u32>) -> bool {
        let Some(channel) = self.channels.get_mut(key) else { return false };
        let last = (seq, segment.unwrap_or(u32::MAX));
        let mut freed = 0;
        while channel.retained.len() > channel.fresh
            && channel.retained.front().is_some_and(|first| (first.seq, first.segment) <= last)
            && let Some(envelope) = channel.retained.pop_front()
        {
            channel.bytes -= envelope.text.len();
            self.bytes -= envelope.text.len();
            freed += 1;
        }
        self.envelopes -= freed;
        channel.unsent = channel.unsent.min(channel.retained.len());
        freed > 0
    }

    /// The next envelope to send on this socket. It stays retained.
    pub(super) fn next(&mut self) -> Option<ByteString> {
        while let Some(key) = self.ready.pop_front() {
            let Some(channel) = self.channels.get_mut(&key) else { continue };
            channel.queued = false;
            let position = channel.retained.len() - channel.unsent;
            let Some(text) = channel.retained.get(position).map(|envelope| envelope.text.clone()) else { continue };
            channel.unsent -= 1;
            channel.fresh = channel.fresh.min(channel.unsent);
            if channel.unsent > 0 {
                channel.queued = true;
                self.ready.push_back(key);
            }
            return Some(text);
        }
        None
    }

    /// Whether some envelopes were not sent on this socket.
    pub(super) fn has_unsent(&self) -> bool {
        self.channels.values().any(|channel| channel.unsent > 0)
    }

    /// A new socket is established: all retained envelopes are to be sent on it.
    pub(super) fn replay(&mut self) {
        self.ready.clear();
        for (key, channel) in &mut self.channels {
            channel.unsent = channel.retained.len();
            channel.queued = channel.unsent > 0;
            if channel.queued {
                self.ready.push_back(key.clone());
            }
        }
    }

    /// Number and bytes of all retained envelopes.
    #[cfg(test)]
    pub(super) fn retained(&self) -> (usize, usize) {
        (self.envelopes, self.bytes)
    }

    fn retain(&mut self, key: &StreamKey, seq: u64, texts: Vec<ByteString>) {
        let Some(channel) = self.channels.get_mut(key) else { return };
        channel.last_seq = seq;
        if !channel.queued {
            channel.queued = true;
            self.ready.push_back(key.clone());
        }
        for (segment, text) in (0..).zip(texts) {
            channel.bytes += text.len();
            channel.unsent += 1;
            channel.fresh += 1;
            self.envelopes += 1;
            self.bytes += text.len();
            channel.retained.push_back(Envelope { seq, segment, text });
        }
    }

    fn channel(&mut self, key: &StreamKey, now: Instant) -> &mut Channel {
        if !self.channels.contains_key(key) && self.channels.len() >= self.limits.counters {
            self.forget_counters();
        }
        self.uses += 1;
        let channel = self.channels.entry(key.clone()).or_insert_with(|| Channel {
            last_seq: 0,
            retained: VecDeque::new(),
            bytes: 0,
            unsent: 0,
            fresh: 0,
            queued: false,
            life: Life::Over(now),
            used: 0,
        });
        channel.used = self.uses;
        channel
    }

    /// Forgets the half of the idle counters that was unused for longest. Half, so that it happens rarely.
    fn forget_counters(&mut self) {
        let idle = |channel: &Channel| channel.life != Life::Live && channel.retained.is_empty();
        let mut used: Vec<u64> = self.channels.values().filter(|channel| idle(channel)).map(|it| it.used).collect();
        used.sort_unstable();
        if let Some(middle) = used.get(used.len() / 2).copied() {
            self.channels.retain(|_, channel| !idle(channel) || channel.used > middle);
        }
    }
}

impl Channel {
    fn clear(&mut self) {
        self.retained = VecDeque::new();
        self.bytes = 0;
        self.unsent = 0;
        self.fresh = 0;
    }
}
