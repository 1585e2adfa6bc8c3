//! The envelopes from the host to one controller: checked, assembled, acknowledged.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::mpsc::Sender as Channel;

use super::envelope::{Envelope, Sender};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The largest envelope of the host, in bytes of its text (spec 8).
const MAX_ENVELOPE_BYTES: usize = 153_600;

/// When a controller acknowledges what it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// Each envelope at once, a chunk by its segment.
    Prompt,
    /// Each message at once, when it is whole.
    Whole,
    /// Always this many envelopes late.
    Late(usize),
    /// No acknowledgements.
    Never,
}

/// The two ways to a controller.
pub struct Ears {
    /// JSON-RPC messages; an error is what no host may do.
    pub messages: Channel<Result<String, String>>,
    /// Answers to pings: their status.
    pub pongs: Channel<String>,
}

/// One controller's side of the host's envelopes.
pub struct Stream {
    pub sender: Sender,
    inbox: Mutex<Inbox>,
}

struct Inbox {
    ears: Ears,
    acks: Acks,
    /// How the host calls this stream; it invents a name for a controller that gave none.
    name: Option<String>,
    /// The last envelope that is whole.
    last: Option<u64>,
    /// The beginning of the next one.
    assembly: Option<Assembly>,
    /// Received and not acknowledged yet.
    unacked: VecDeque<(u64, Option<u64>)>,
    duplicates: usize,
    chunks: usize,
}

struct Assembly {
    seq_id: u64,
    count: u64,
    next: u64,
    size: usize,
    bytes: Vec<u8>,
}

impl Stream {
    /// What is received goes to `ears`.
    pub fn new(sender: Sender, ears: Ears) -> Self {
        let inbox = Inbox {
            ears,
            acks: Acks::Prompt,
            name: None,
            last: None,
            assembly: None,
            unacked: VecDeque::new(),
            duplicates: 0,
            chunks: 0,
        };
        Self { sender, inbox: Mutex::new(inbox) }
    }

    /// Acknowledges by another policy from now on: the acknowledgements that are due now.
    pub fn set_acks(&self, acks: Acks) -> Vec<Envelope> {
        let mut inbox = self.inbox();
        inbox.acks = acks;
        self.due(&mut inbox)
    }

    /// How many envelopes came again.
    pub fn duplicates(&self) -> usize {
        self.inbox().duplicates
    }

    /// How many chunks came.
    pub fn chunks(&self) -> usize {
        self.inbox().chunks
    }

    /// Takes one envelope of the host, whose text has `length` bytes: the acknowledgements to send.
    pub fn take(&self, envelope: &Envelope, length: usize) -> Vec<Envelope> {
        let mut inbox = self.inbox();
        if length > MAX_ENVELOPE_BYTES {
            inbox.tell(Err(format!("an envelope of {length} bytes")));
        }
        if inbox.name != envelope.stream_id {
            // Another stream, with numbers of its own.
            inbox.name.clone_from(&envelope.stream_id);
            inbox.last = None;
            inbox.assembly = None;
            inbox.unacked.clear();
        }
        let taken = inbox.take(envelope);
        match taken {
            Ok(Some(place)) => inbox.unacked.push_back(place),
            Ok(None) => {}
            Err(complaint) => inbox.tell(Err(format!("{complaint} in {}", envelope.text()))),
        }
        self.due(&mut inbox)
    }

    fn due(&self, inbox: &mut Inbox) -> Vec<Envelope> {
        let keep = match inbox.acks {
            Acks::Prompt | Acks::Whole => 0,
            Acks::Late(keep) => keep,
            Acks::Never => usize::MAX,
        };
        let mut due = Vec::new();
        while inbox.unacked.len() > keep {
            let (seq_id, segment_id) = inbox.unacked.pop_front().expect("it is not empty");
            if inbox.acks != Acks::Whole || inbox.last >= Some(seq_id) {
                let segment_id = segment_id.filter(|_| inbox.acks != Acks::Whole);
                due.push(Envelope { stream_id: inbox.name.clone(), ..self.sender.ack(seq_id, segment_id) });
            }
        }
        due
    }

    fn inbox(&self) -> std::sync::MutexGuard<'_, Inbox> {
        self.inbox.lock().expect("no receiver panicked")
    }
}

impl Inbox {
    /// A controller that is gone needs to know nothing.
    fn tell(&self, message: Result<String, String>) {
        let _ = self.ears.messages.send(message);
    }

    /// What is to be acknowledged; nothing for what nobody counts.
    fn take(&mut self, envelope: &Envelope) -> Result<Option<(u64, Option<u64>)>, String> {
        let seq_id = envelope.seq_id.ok_or("no seq_id")?;
        let segment_id = envelope.segment_id;
        let expected = self.last.map_or(seq_id, |last| last + 1);
        let known_segment = self.assembly.as_ref().is_some_and(|it| segment_id.is_some_and(|at| at < it.next));
        if seq_id < expected || (seq_id == expected && known_segment) {
            self.duplicates += 1;
            return Ok(Some((seq_id, segment_id)));
        }
        if seq_id > expected {
            return Err(format!("{expected} is missing"));
        }
        if self.assembly.is_some() && segment_id.is_none() {
            return Err("a whole message in the middle of chunks".to_owned());
        }
        match (envelope.kind.as_str(), &envelope.message, &envelope.status) {
            ("server_message", Some(message), None) => self.tell(Ok(message.get().to_owned())),
            ("pong", None, Some(status)) => {
                // Nobody may be waiting for it.
                let _ = self.ears.pongs.send(status.clone());
            }
            ("server_message_chunk", None, None) => {
                self.chunks += 1;
                if !self.add(seq_id, envelope)? {
                    return Ok(Some((seq_id, segment_id)));
                }
            }
            _ => return Err("an unknown type or wrong members".to_owned()),
        }
        self.last = Some(seq_id);
        Ok(Some((seq_id, segment_id)))
    }

    /// Adds a chunk; true when the message is whole.
    fn add(&mut self, seq_id: u64, envelope: &Envelope) -> Result<bool, String> {
        let (Some(at), Some(count), Some(size), Some(chunk)) =
            (envelope.segment_id, envelope.segment_count, envelope.message_size_bytes, &envelope.message_chunk_base64)
        else {
            return Err("a member is missing".to_owned());
        };
        let chunk = STANDARD.decode(chunk).map_err(|error| error.to_string())?;
        let size = usize::try_from(size).expect("it fits into memory");
        let assembly =
            self.assembly.get_or_insert_with(|| Assembly { seq_id, count, next: 0, size, bytes: Vec::new() });
        if (assembly.seq_id, assembly.count, assembly.size, assembly.next) != (seq_id, count, size, at) {
            return Err("a chunk that does not fit those before it".to_owned());
        }
        assembly.bytes.extend_from_slice(&chunk);
        assembly.next += 1;
        if assembly.next < assembly.count {
            return Ok(false);
        }
        let assembly = self.assembly.take().expect("it is there");
        if assembly.bytes.len() != assembly.size {
            return Err(format!("{} bytes instead of {}", assembly.bytes.len(), assembly.size));
        }
        self.tell(Ok(String::from_utf8(assembly.bytes).map_err(|error| error.to_string())?));
        Ok(true)
    }
}
