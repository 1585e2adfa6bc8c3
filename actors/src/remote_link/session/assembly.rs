//! Assembles segmented messages of controllers (spec: remote control 8).

use std::collections::HashMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::outbound::StreamKey;
use crate::protocol::remote::Segment;
use crate::remote_link::RemoteLinkLimits;

/// Incomplete messages, at most one per controller.
pub(super) struct Assemblies {
    limits: Rc<RemoteLinkLimits>,
    message_bytes: usize,
    by_client: HashMap<Rc<str>, Assembly>,
    bytes: usize,
    /// Counts segments, to find the message that has waited longest.
    fed: u64,
}

struct Assembly {
    stream: Rc<str>,
    seq: u64,
    segments: u32,
    size: u64,
    /// The next expected segment.
    next: u32,
    bytes: Vec<u8>,
    fed: u64,
}

/// The outcome of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fed {
    /// It was rejected, with the reason.
    Dropped(&'static str),
    /// More segments are missing.
    Waiting,
    /// It was the last one; contains the message.
    Complete(Vec<u8>),
}

impl Assemblies {
    /// Creates an empty state. A message may have `message_bytes`, and no more than segments may carry.
    pub(super) fn new(limits: Rc<RemoteLinkLimits>, message_bytes: usize) -> Self {
        let message_bytes = message_bytes.min(limits.segmented_message_bytes);
        Self { limits, message_bytes, by_client: HashMap::new(), bytes: 0, fed: 0 }
    }

    /// Adds a segment that arrived in an envelope of `envelope_bytes`.
    pub(super) fn feed(&mut self, key: &StreamKey, seq: u64, segment: &Segment<'_>, envelope_bytes: usize) -> Fed {
        if let Err(why) = self.check(segment, envelope_bytes) {
            return self.drop(key, why);
        }
        let continues = self.by_client.get(&key.client).is_some_and(|assembly| {
            assembly.stream == key.stream
                && (assembly.seq, assembly.segments, assembly.size)
                    == (seq, segment.segment_count, segment.message_size_bytes)
        });
        if !continues {
            self.remove(&key.client);
            if segment.segment_id != 0 {
                return Fed::Dropped("the segments before it did not come");
            }
        }
        let Ok(bytes) = BASE64.decode(segment.message_chunk_base64.as_bytes()) else {
            return self.drop(key, "it is not base64");
        };
        if bytes.is_empty() {
            return self.drop(key, "it is empty");
        }
        self.fed += 1;
        let assembly = self.by_client.entry(key.client.clone()).or_insert_with(|| Assembly {
            stream: key.stream.clone(),
            seq,
            segments: segment.segment_count,
            size: segment.message_size_bytes,
            next: 0,
            bytes: Vec::new(),
            fed: 0,
        });
        assembly.fed = self.fed;
        if segment.segment_id < assembly.next {
            return Fed::Dropped("it came before");
        }
        if segment.segment_id > assembly.next {
            return self.drop(key, "a segment before it is missing");
        }
        if assembly.bytes.len() as u64 + bytes.len() as u64 > assembly.size {
            return self.drop(key, "the message is longer than announced");
        }
        assembly.next += 1;
        assembly.bytes.extend_from_slice(&bytes);
        self.bytes += bytes.len();
        if assembly.next < assembly.segments {
            self.make_room(&key.client);
            return Fed::Waiting;
        }
        match self.remove(&key.client) {
            Some(assembly) if assembly.bytes.len() as u64 == assembly.size => Fed::Complete(assembly.bytes),
            _ => Fed::Dropped("the message is shorter than announced"),
        }
    }

    /// Drops all incomplete messages.
    pub(super) fn clear(&mut self) {
        self.by_client.clear();
        self.bytes = 0;
    }

    /// The stream has ended.
    pub(super) fn forget(&mut self, key: &StreamKey) {
        if self.by_client.get(&key.client).is_some_and(|assembly| assembly.stream == key.stream) {
            self.remove(&key.client);
        }
    }

    fn check(&self, segment: &Segment<'_>, envelope_bytes: usize) -> Result<(), &'static str> {
        let limits = &self.limits;
        if envelope_bytes > limits.envelope_bytes {
            return Err("its envelope is too long");
        }
        if segment.segment_id >= segment.segment_count || segment.segment_count as usize > limits.segments {
            return Err("its number is out of bounds");
        }
        if !(1..=self.message_bytes as u64).contains(&segment.message_size_bytes) {
            return Err("its message is too long");
        }
        Ok(())
    }

    fn drop(&mut self, key: &StreamKey, why: &'static str) -> Fed {
        self.remove(&key.client);
        Fed::Dropped(why)
    }

    fn remove(&mut self, client: &Rc<str>) -> Option<Assembly> {
        let assembly = self.by_client.remove(client)?;
        self.bytes -= assembly.bytes.len();
        Some(assembly)
    }

    /// Drops the messages that have waited longest in favour of the one that was just extended.
    fn make_room(&mut self, fed: &Rc<str>) {
        while self.by_client.len() > self.limits.assemblies || self.bytes > self.limits.assembly_bytes {
            let others = self.by_client.iter().filter(|(client, _)| *client != fed);
            let Some(oldest) = others.min_by_key(|(_, assembly)| assembly.fed).map(|(client, _)| client.clone()) else {
                break;
            };
            log::info!("an incomplete segmented remote message is dropped in favour of another one");
            self.remove(&oldest);
        }
    }
}
