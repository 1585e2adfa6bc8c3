//! The state of the link that outlives a socket: the streams, their sequence numbers, and the unacknowledged envelopes.
//! It has no sockets and no timers.

mod assembly;
mod end_to_end;
mod outbound;
mod pings;
mod pipe;
mod revoked;
mod sealed;
mod segments;
mod streams;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::rc::Rc;

use bytestring::ByteString;
use tokio::time::Instant;

use super::{DeviceCame, RemoteLinkLimits};
use crate::protocol::remote::{BackendBody, BackendEnvelope, Message, MessageKind, Segment};
use crate::protocol::scope::Scopes;
use crate::protocol::{Frame, RpcError};
use assembly::{Assemblies, Fed};
use outbound::Outbound;
use revoked::Revoked;
use sealed::Sealed;
use streams::{Stream, Streams};

pub(super) use outbound::StreamKey;
pub(super) use pipe::Pipe;
pub(super) use sealed::{public_key, words};
pub(super) use segments::TooLong;

/// See the module's documentation.
pub(super) struct Session<P: Pipe> {
    limits: Rc<RemoteLinkLimits>,
    opener: P::Opener,
    outbound: Outbound,
    streams: Streams<P>,
    assemblies: Assemblies,
    cursor: Option<String>,
    revoked: Revoked,
    sealed: Sealed,
    /// The devices of which remote control is to be told.
    came: VecDeque<DeviceCame>,
    /// Whether the server is ending and refuses new streams.
    begins_no_more: bool,
}

/// The outcome of an envelope.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Processed {
    /// The backend need not send it again.
    Wholly,
    /// The cursor is unchanged.
    Not,
}

impl<P: Pipe> Session<P> {
    /// What opens connections.
    pub(super) fn opener(&self) -> &P::Opener {
        &self.opener
    }

    /// Creates a session without streams and with a limit of `message_bytes` per message.
    pub(super) fn new(limits: Rc<RemoteLinkLimits>, message_bytes: usize, opener: P::Opener) -> Self {
        Self {
            outbound: Outbound::new(limits.clone()),
            streams: Streams::new(),
            assemblies: Assemblies::new(limits.clone(), message_bytes),
            cursor: None,
            revoked: Revoked::new(limits.revoked_controllers),
            sealed: Sealed::new(limits.clone()),
            came: VecDeque::new(),
            begins_no_more: false,
            limits,
            opener,
        }
    }

    /// The sign-in has ended: ends all streams and forgets everything.
    pub(super) fn clear(&mut self) {
        self.outbound = Outbound::new(self.limits.clone());
        self.streams.clear();
        self.assemblies.clear();
        self.sealed.clear();
        self.cursor = None;
    }

    /// A controller is revoked: its streams end, what they were still to be sent is dropped, and new ones are refused.
    /// `confirmed` says that this was done before, and that now the backend refuses the controller, too.
    pub(super) fn revoke(&mut self, client: &str, confirmed: bool, now: Instant) {
        if confirmed {
            return self.revoked.confirm(client);
        }
        for key in self.sealed.forget(client).into_iter().chain(self.streams.keys_of(client)) {
            log::info!("a remote stream is closed because its controller was revoked");
            self.end(&key, now);
        }
        self.outbound.discard_all_of(client);
        self.revoked.add(client);
    }

    /// A pairing starts: accepts the controllers again that the backend refuses until they are paired anew, and those of
    /// which it has not confirmed that when it does.
    pub(super) fn readmit(&mut self) {
        self.revoked.readmit();
    }

    /// Refuses new streams from now on.
    pub(super) fn begin_no_more(&mut self) {
        self.begins_no_more = true;
    }

    /// Whether there are no streams and nothing to send.
    pub(super) fn has_said_all(&self) -> bool {
        self.streams.len() == 0 && !self.outbound.has_unsent()
    }

    /// The cursor after which the backend continues.
    pub(super) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// A new socket is established.
    pub(super) fn replay(&mut self) {
        self.outbound.replay();
    }

    /// The next envelope to send on this socket.
    pub(super) fn next(&mut self) -> Option<ByteString> {
        self.outbound.next()
    }

    /// Whether the connection of a stream may send more.
    pub(super) fn has_room(&self, key: &StreamKey) -> bool {
        self.outbound.has_room(key)
    }

    /// Accepts a message of a stream's connection.
    ///
    /// # Errors
    /// It is too long; nothing was accepted.
    pub(super) fn say(&mut self, key: &StreamKey, generation: u64, line: &str, now: Instant) -> Result<(), TooLong> {
        if !self.streams.is_generation(key, generation) {
            return Ok(());
        }
        match Message::new(line) {
            Ok(message) => self.tell(key, message, now),
            Err(error) => {
                log::error!("a connection sent invalid JSON: {error}");
                Ok(())
            }
        }
    }

    /// The connection of a stream has ended. Its last messages are still sent.
    pub(super) fn ended(&mut self, key: &StreamKey, generation: u64, now: Instant) {
        if self.streams.is_generation(key, generation) {
            self.end(key, now);
        }
    }

    /// Ends the streams whose controllers were silent for too long.
    pub(super) fn sweep(&mut self, now: Instant) {
        let Some(then) = now.checked_sub(self.limits.stream_idle_seconds.duration()) else { return };
        for key in self.streams.silent_since(then).into_iter().chain(self.sealed.silent_since(then)) {
            log::info!("a remote stream was silent for too long and is closed");
            self.close(&key, now);
        }
        self.outbound.discard_over_since(then);
    }

    /// Handles an envelope from the backend. Returns true if it may have made room for messages of connections.
    pub(super) fn receive(&mut self, text: &str, now: Instant) -> bool {
        let envelope = match BackendEnvelope::read(text) {
            Ok(envelope) => envelope,
            Err(error) => {
                log::warn!("the backend sent an invalid envelope, which is ignored: {error}");
                return false;
            }
        };
        let named = envelope.stream_id.as_deref();
        let too_long = |name: &str| name.len() > self.limits.name_bytes;
        if named.is_some_and(|stream| stream.is_empty() || too_long(stream)) || too_long(&envelope.client_id) {
            log::warn!("the backend sent an envelope with an unusable name; it is ignored");
            return false;
        }
        let (key, scopes) = (self.streams.key(&envelope.client_id, named), envelope.scopes);
        let mut room = false;
        let processed = match (envelope.body, key) {
            (BackendBody::Message(message), key) => {
                self.message(key, &envelope.client_id, message, envelope.seq_id, scopes, now)
            }
            (BackendBody::Chunk(segment), Some(key)) if named.is_some() => {
                self.chunk(&key, &segment, envelope.seq_id, text.len(), scopes, now)
            }
            (BackendBody::Chunk(_), _) => Processed::Not,
            (BackendBody::Ack { segment_id }, Some(key)) if named.is_some() => {
                if let Some(seq) = envelope.seq_id {
                    room = self.outbound.acknowledge(&key, seq, segment_id);
                    self.pay_pongs(now);
                }
                Processed::Wholly
            }
            (BackendBody::Ping, key) => {
                let key = key.unwrap_or_else(|| Streams::<P>::unknown(&envelope.client_id));
                self.ping(&key, now);
                Processed::Wholly
            }
            (BackendBody::Closed, Some(key)) => {
                self.close(&key, now);
                room = true;
                Processed::Wholly
            }
            (BackendBody::Ack { .. } | BackendBody::Closed, _) => Processed::Wholly,
        };
        if processed == Processed::Wholly
            && let Some(cursor) = envelope.cursor.filter(|cursor| cursor.len() <= self.limits.cursor_bytes)
        {
            self.cursor = Some(cursor.into_owned());
        }
        room
    }

    fn message(
        &mut self,
        key: Option<StreamKey>,
        client: &str,
        message: Message<'_>,
        seq: Option<u64>,
        scopes: Option<Scopes>,
        now: Instant,
    ) -> Processed {
        if self.sealed.is_required() {
            return self.sealed_message(key, client, message, seq, now);
        }
        match (message.kind(), key) {
            (None, Some(key)) if self.is_told_that_it_is_off(&key, message, now) => {}
            (None, _) => {
                log::warn!("the backend sent a message that is not JSON-RPC; it is ignored");
                return Processed::Not;
            }
            (Some(MessageKind::Initialize(id)), key) => {
                let key = key.unwrap_or_else(|| self.streams.name(client));
                match self.refusal(&key) {
                    None => self.open(&key, message, seq, scopes, now),
                    Some(refusal) => {
                        log::warn!("a remote stream is refused: {}", refusal.message);
                        self.refuse(&key, &MessageKind::Initialize(id), &refusal, now);
                        if !self.streams.is_live(&key) {
                            self.streams.remove(&key);
                        }
                    }
                }
            }
            (Some(kind), Some(key)) => self.deliver(&key, message, &kind, seq, now),
            (Some(_), None) => log::debug!("a message for a remote stream that is not there was dropped"),
        }
        Processed::Wholly
    }

    /// Why a stream may not be opened, if so.
    fn refusal(&self, key: &StreamKey) -> Option<RpcError> {
        if let Some(confirmed) = self.revoked.confirmed(&key.client) {
            return Some(RpcError::invalid_request(match confirmed {
                true => "this controller was revoked; pair it again",
                false => {
                    "this controller was revoked, and the backend has not confirmed that yet; on the host, revoke it once \
                     more (remoteControl/client/revoke), and then pair it again"
                }
            }));
        }
        (self.begins_no_more || !self.has_place(key)).then(RpcError::overloaded)
    }

    /// Whether there is room for a stream; an open one may always restart.
    fn has_place(&self, key: &StreamKey) -> bool {
        self.streams.is_live(key)
            || self.streams.len() < self.limits.streams && self.streams.of(&key.client) < self.limits.controller_streams
    }

    /// Opens a stream, or restarts it: then its old connection is ended first.
    fn open(
        &mut self,
        key: &StreamKey,
        initialize: Message<'_>,
        seq: Option<u64>,
        scopes: Option<Scopes>,
        now: Instant,
    ) {
        self.assemblies.forget(key);
        let generation = self.streams.next_generation();
        let pipe = P::open(&self.opener, key, generation, scopes);
        if !pipe.offer(initialize.line()) {
            log::error!("a new remote connection has no room for its first message");
        }
        self.outbound.open(key, now);
        self.streams.insert(key.clone(), Stream { mark: seq, heard: now, generation, owes_pong: false, pipe });
    }

    fn deliver(&mut self, key: &StreamKey, message: Message<'_>, kind: &MessageKind, seq: Option<u64>, now: Instant) {
        let Some(stream) = self.streams.get_mut(key) else {
            log::debug!("a message for a remote stream that is not there was dropped");
            return;
        };
        stream.heard = now;
        if seq.is_some() && seq <= stream.mark {
            return;
        }
        if !stream.pipe.offer(message.line()) && !self.refuse(key, kind, &RpcError::overloaded(), now) {
            log::warn!("a remote controller sent more than could be handled and is disconnected; it must reconnect");
            return self.end(key, now);
        }
        if let Some(stream) = self.streams.get_mut(key) {
            stream.mark = seq.or(stream.mark);
        }
    }

    /// Answers a request that is refused. Returns false if no answer is possible.
    fn refuse(&mut self, key: &StreamKey, kind: &MessageKind, error: &RpcError, now: Instant) -> bool {
        let (MessageKind::Initialize(id) | MessageKind::Request(id)) = kind else { return false };
        if !self.may_be_told(&key.client) {
            return false;
        }
        // An unknown stream has no envelopes, so only the total bounds the number of refusals.
        if !self.outbound.has_room(key) || !(self.streams.is_live(key) || self.outbound.has_total_room()) {
            return false;
        }
        let refusal = Frame::error(Some(id), error);
        Message::new(refusal.text()).is_ok_and(|message| self.tell(key, message, now).is_ok())
    }

    fn chunk(
        &mut self,
        key: &StreamKey,
        segment: &Segment<'_>,
        seq: Option<u64>,
        envelope_bytes: usize,
        scopes: Option<Scopes>,
        now: Instant,
    ) -> Processed {
        if self.revoked.contains(&key.client) {
            // It must not take the room that others need to assemble their messages.
            return Processed::Wholly;
        }
        let Some(seq) = seq else { return Processed::Not };
        if let Some(stream) = self.streams.get_mut(key) {
            stream.heard = now;
            if stream.mark.is_some_and(|mark| seq <= mark) {
                return Processed::Not;
            }
        }
        match self.assemblies.feed(key, seq, segment, envelope_bytes) {
            Fed::Waiting => Processed::Not,
            Fed::Dropped(why) => {
                log::warn!("a segment of a remote message was dropped: {why}");
                Processed::Not
            }
            Fed::Complete(bytes) => match std::str::from_utf8(&bytes).ok().and_then(|text| Message::new(text).ok()) {
                Some(message) => self.message(Some(key.clone()), &key.client, message, Some(seq), scopes, now),
                None => {
                    log::warn!("a remote message in segments is not JSON; it is ignored");
                    Processed::Not
                }
            },
        }
    }

    /// The controller is gone: the messages of the stream are dropped.
    fn close(&mut self, key: &StreamKey, now: Instant) {
        self.end(key, now);
        self.outbound.discard(key);
    }

    fn end(&mut self, key: &StreamKey, now: Instant) {
        self.assemblies.forget(key);
        self.sealed.end(key);
        if self.streams.remove(key) {
            self.outbound.close(key, now);
        }
    }
}
