//! The one place through which an envelope goes from one socket to another: the streams of all phones of one server, and
//! what the receivers have not acknowledged. It has no sockets, no timers and no clock, and reads no payload.
//!
//! - **To a phone**, each envelope of the server is kept until the phone acknowledges it, and only then acknowledged to the
//!   server. So a phone that stalls stops its own stream at the server, and nothing piles up here. Both a phone and a server
//!   that come back get what was not acknowledged again; doubles are told by their numbers.
//! - **To the server**, which acknowledges nothing, each message of a phone gets a cursor and is kept until the server is
//!   known to have it: by a pong to a later ping, or by the cursor with which it comes back. If one that had to be forgotten
//!   may be lost, the stream ends, so that nothing is lost in silence.

mod kept;
mod key;
mod stream;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use bytestring::ByteString;

use super::RelaySettings;
use super::end::End;
use crate::protocol::remote::{BackendBody, BackendEnvelope, HostBody, HostEnvelope, Machine, Notice};
use crate::protocol::scope::Scopes;
use crate::wire::close::CloseReason;
use kept::Kept;
use stream::{Place, Stream};

pub use key::StreamKey;
pub use wire::Wire;

/// Streams whose end a server that is away must still be told. Above it the server finds out by its own time limit.
const UNTOLD_ENDS: usize = 1024;

/// Why a message is not passed on while the machine is away.
const ASLEEP: &str = "the machine is not connected; try again when it is";

/// The code with which clients are told to try again.
const OVERLOADED: i64 = -32001;

/// See the module's documentation.
pub struct Exchange<W> {
    limits: Rc<RelaySettings>,
    streams: HashMap<StreamKey, Stream<W>>,
    /// Bytes that the phones of all streams have not acknowledged.
    retained_bytes: usize,
    server: Option<W>,
    kept: Kept,
    untold_ends: VecDeque<StreamKey>,
    machine: Machine,
    /// Whether the machine has said that something waits for a person, and nobody was told yet.
    wants_attention: bool,
}

impl<W: Wire> Exchange<W> {
    /// Without streams and without a server. `epoch` makes its cursors different from those of every other exchange.
    pub fn new(limits: Rc<RelaySettings>, epoch: String) -> Self {
        Self {
            kept: Kept::new(epoch, limits.server_kept_messages, limits.server_kept_bytes),
            limits,
            streams: HashMap::new(),
            retained_bytes: 0,
            server: None,
            untold_ends: VecDeque::new(),
            machine: Machine::Asleep { since: None },
            wants_attention: false,
        }
    }

    /// The machine now.
    pub fn machine(&self) -> Machine {
        self.machine
    }

    /// If something on the machine waits for a person and this was not asked since: the controllers with a phone that sees it by
    /// itself.
    pub fn take_attention(&mut self) -> Option<HashSet<String>> {
        std::mem::take(&mut self.wants_attention).then(|| {
            let present = self.streams.iter().filter(|(_, stream)| stream.has_phone());
            present.map(|(key, _)| key.client.clone()).collect()
        })
    }

    /// How many streams have a phone now.
    pub fn phones(&self) -> usize {
        self.streams.values().filter(|stream| stream.has_phone()).count()
    }

    /// The server has a new socket, and has processed everything up to `cursor`.
    pub fn server_came(&mut self, server: W, cursor: Option<&str>) {
        if let Some(before) = self.server.replace(server) {
            before.end(End::Replaced);
        }
        let known = cursor.and_then(|cursor| self.kept.read(cursor));
        let lost: Vec<StreamKey> =
            self.streams.iter().filter(|(_, stream)| stream.is_lost(known)).map(|(key, _)| key.clone()).collect();
        match known {
            Some(cursor) => self.kept.confirm(cursor),
            None => self.kept.clear(),
        }
        for key in &lost {
            self.end(key, End::StreamLost);
        }
        for key in std::mem::take(&mut self.untold_ends) {
            self.tell_server_of_end(&key);
        }
        for text in self.kept.texts() {
            push_to(self.server.as_ref(), text);
        }
    }

    /// The server has answered a ping on its socket, which was sent behind the envelope with this cursor.
    pub fn server_ponged(&mut self, cursor: u64) {
        self.kept.confirm(cursor);
        self.set_machine(Machine::Connected);
    }

    /// The server has lost its socket, at this time in Unix seconds.
    pub fn server_left(&mut self, now: i64) {
        self.server = None;
        self.set_machine(Machine::Asleep { since: Some(now) });
    }

    fn set_machine(&mut self, machine: Machine) {
        if self.machine == machine {
            return;
        }
        self.machine = machine;
        for stream in self.streams.values() {
            stream.notify(&Notice::Machine { machine });
        }
    }

    /// The cursor of the latest envelope to the server.
    pub fn latest_cursor(&self) -> u64 {
        self.kept.latest()
    }

    /// A phone opens a socket for a stream, which it resumes if it has named one that still exists.
    ///
    /// # Errors
    /// There are too many streams.
    pub fn phone_came(&mut self, key: &StreamKey, scopes: Scopes, phone: W) -> Result<(), End> {
        let resumed = self.streams.contains_key(key);
        if !resumed {
            let of_phone = self.streams.keys().filter(|it| it.client == key.client).count();
            if of_phone >= self.limits.phone_streams {
                // A phone that could not say goodbye may have left some behind.
                let away = self.streams.iter().find(|(it, stream)| it.client == key.client && !stream.has_phone());
                let Some(away) = away.map(|(key, _)| key.clone()) else { return Err(End::Full) };
                self.end(&away, End::Replaced);
            }
            if self.streams.len() >= self.limits.server_streams {
                return Err(End::Full);
            }
            self.streams.insert(key.clone(), Stream::new(scopes));
        }
        let machine = self.machine;
        if let Some(stream) = self.streams.get_mut(key) {
            let welcome = Notice::Welcome {
                client_id: key.client.clone(),
                stream_id: key.stream.clone(),
                resumed,
                seq_id: stream.last_of_phone().seq,
                scopes: stream.scopes(),
                machine,
            };
            stream.attach(phone, &welcome);
        }
        Ok(())
    }

    /// Whether the stream exists, so that a phone can resume it.
    pub fn knows(&self, key: &StreamKey) -> bool {
        self.streams.contains_key(key)
    }

    /// The phone of a stream has lost its socket. The stream stays. Returns whether it now is without a phone; another socket
    /// may have taken the place of this one.
    pub fn phone_left(&mut self, key: &StreamKey, phone: &W) -> bool {
        self.streams.get_mut(key).is_some_and(|stream| stream.detach(phone))
    }

    /// A phone has sent a text message. What is no envelope ends its socket.
    pub fn take_from_phone(&mut self, key: &StreamKey, text: &str) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        let Ok(envelope) = BackendEnvelope::read(text) else {
            return stream.hang_up(End::Wire(CloseReason::TooManyMalformed));
        };
        let segment = match &envelope.body {
            BackendBody::Message(_) => None,
            BackendBody::Chunk(chunk) => Some(chunk.segment_id),
            BackendBody::Ack { segment_id } => {
                let Some(seq) = envelope.seq_id else { return };
                return self.acknowledge(key, Place::of(seq, *segment_id));
            }
            BackendBody::Ping => return self.pass(key, &envelope.body, None),
            BackendBody::Closed => return self.end(key, End::StreamLost),
        };
        let Some(seq) = envelope.seq_id.filter(|seq| *seq > 0) else {
            return stream.hang_up(End::Wire(CloseReason::TooManyMalformed));
        };
        let place = Place::of(seq, segment);
        if place <= stream.last_of_phone() {
            return;
        }
        if self.server.is_none() || stream.awaits_before(seq) {
            stream.refuse(seq);
            return stream.notify(&Notice::Refused { seq_id: seq, code: OVERLOADED, reason: ASLEEP.to_owned() });
        }
        stream.took(place);
        self.pass(key, &envelope.body, Some(seq));
    }

    /// Passes `body` of a phone on to the server. With a number it is kept.
    fn pass(&mut self, key: &StreamKey, body: &BackendBody<'_>, seq_id: Option<u64>) {
        let cursor = seq_id.map(|_| self.kept.next_cursor());
        let envelope = BackendEnvelope {
            client_id: key.client.as_str().into(),
            stream_id: Some(key.stream.as_str().into()),
            seq_id,
            cursor: cursor.map(Into::into),
            scopes: seq_id.and_then(|_| Some(self.streams.get(key)?.scopes())),
            body: body.clone(),
        };
        let Ok(text) = envelope.write().map(ByteString::from) else { return };
        if seq_id.is_some() {
            let cursor = self.kept.keep(key.clone(), text.clone());
            if let Some(stream) = self.streams.get_mut(key) {
                stream.spoke(cursor);
            }
            for (key, cursor) in self.kept.forget_surplus() {
                if let Some(stream) = self.streams.get_mut(&key) {
                    stream.forgot(cursor);
                }
            }
        }
        push_to(self.server.as_ref(), text);
    }

    /// The phone of a stream has everything up to `place`.
    fn acknowledge(&mut self, key: &StreamKey, place: Place) {
        let Some(stream) = self.streams.get_mut(key) else { return };
        let freed = stream.acknowledge(place);
        if freed.envelopes > 0 {
            self.retained_bytes -= freed.bytes;
            let ack = ack(key, stream.acknowledged());
            push_to(self.server.as_ref(), ack);
        }
    }

    /// The server has sent a text message. What is no envelope is ignored.
    pub fn take_from_server(&mut self, text: &ByteString) {
        let envelope = match HostEnvelope::read(text) {
            Ok(envelope) => envelope,
            Err(error) => return log::warn!("a server sent an invalid envelope, which is ignored: {error}"),
        };
        let segment = match &envelope.body {
            HostBody::Chunk(chunk) => Some(chunk.segment_id),
            HostBody::Message(_) | HostBody::Pong(_) => None,
            HostBody::Attention => {
                self.wants_attention = true;
                return;
            }
        };
        let key = StreamKey { client: envelope.client_id.into_owned(), stream: envelope.stream_id.into_owned() };
        let place = Place::of(envelope.seq_id, segment);
        let Some(stream) = self.streams.get_mut(&key) else {
            // It has not heard of its end yet.
            push_to(self.server.as_ref(), ack(&key, place));
            return self.tell_server_of_end(&key);
        };
        if !stream.is_new(place) {
            if place <= stream.acknowledged() {
                push_to(self.server.as_ref(), ack(&key, stream.acknowledged()));
            }
            return;
        }
        stream.retain(place, text.clone());
        self.retained_bytes += text.len();
        let too_much = stream.retained().envelopes > self.limits.stream_retained_envelopes
            || stream.retained().bytes > self.limits.stream_retained_bytes;
        if too_much {
            self.end(&key, End::Wire(CloseReason::Overloaded));
        }
        while self.retained_bytes > self.limits.server_retained_bytes {
            let most =
                self.streams.iter().max_by_key(|(_, stream)| stream.retained().bytes).map(|(key, _)| key.clone());
            let Some(most) = most else { return };
            self.end(&most, End::Wire(CloseReason::Overloaded));
        }
    }

    /// Ends all streams of a controller, at both ends.
    pub fn end_client(&mut self, client: &str, why: End) {
        self.end_those(|key| key.client == client, why);
    }

    /// Ends the streams of all other controllers, at both ends.
    pub fn end_clients_but(&mut self, clients: &HashSet<String>, why: End) {
        self.end_those(|key| !clients.contains(&key.client), why);
    }

    /// Ends every stream.
    pub fn end_all(&mut self, why: End) {
        self.end_those(|_| true, why);
    }

    fn end_those(&mut self, theirs: impl Fn(&StreamKey) -> bool, why: End) {
        let keys: Vec<StreamKey> = self.streams.keys().filter(|key| theirs(key)).cloned().collect();
        for key in keys {
            self.end(&key, why);
        }
    }

    /// Ends a stream, at both ends.
    pub fn end(&mut self, key: &StreamKey, why: End) {
        let Some(stream) = self.streams.remove(key) else { return };
        self.retained_bytes -= stream.retained().bytes;
        // Sent again after the end, it would open the stream anew.
        self.kept.drop_stream(key);
        stream.hang_up(why);
        self.tell_server_of_end(key);
    }

    fn tell_server_of_end(&mut self, key: &StreamKey) {
        if self.server.is_some() {
            return self.pass(key, &BackendBody::Closed, None);
        }
        if self.untold_ends.len() >= UNTOLD_ENDS {
            self.untold_ends.pop_front();
        }
        self.untold_ends.push_back(key.clone());
    }
}

/// A server that is away gets what is kept when it is back.
fn push_to<W: Wire>(server: Option<&W>, text: ByteString) {
    if let Some(server) = server
        && !server.push(text)
    {
        server.end(End::Wire(CloseReason::Overloaded));
    }
}

/// An acknowledgement to the server.
fn ack(key: &StreamKey, place: Place) -> ByteString {
    let envelope = BackendEnvelope {
        client_id: key.client.as_str().into(),
        stream_id: Some(key.stream.as_str().into()),
        seq_id: Some(place.seq),
        cursor: None,
        scopes: None,
        body: BackendBody::Ack { segment_id: place.segment() },
    };
    envelope.write().map(ByteString::from).unwrap_or_default()
}
