//! Streams that are encrypted end to end: from the envelopes to the connections, and back.

use tokio::time::Instant;

use super::sealed::{self, Opened};
use super::{MessageKind, Pipe, Processed, Session, StreamKey, Streams, TooLong};
use crate::protocol::RpcError;
use crate::protocol::remote::{EndToEnd, EndToEndReason, Message, PairingStep};
use crate::remote_link::{Decide, DeviceCame, Keys, OpenPairing};

impl<P: Pipe> Session<P> {
    /// With keys everything has to be encrypted from now on; without, nothing is.
    pub(in crate::remote_link) fn use_keys(&mut self, keys: Option<Keys>) {
        match keys {
            Some(keys) => self.sealed.require(keys),
            None => self.sealed.clear(),
        }
    }

    /// Devices may come for a pairing.
    pub(in crate::remote_link) fn open_pairing(&mut self, pairing: OpenPairing, now: Instant) {
        self.sealed.open_pairing(pairing, now);
    }

    /// The next device of which remote control is to be told.
    pub(in crate::remote_link) fn came(&mut self) -> Option<DeviceCame> {
        self.came.pop_front()
    }

    /// A device is paired, or refused.
    pub(in crate::remote_link) fn decide(&mut self, decision: &Decide, now: Instant) {
        for key in self.sealed.decide(decision) {
            match decision.scopes {
                Some(_) => self.tell_step(&key, PairingStep::Accepted, now),
                None => self.end_sealed(&key, EndToEndReason::Refused, now),
            }
        }
    }

    /// Nobody could be told of a device.
    pub(in crate::remote_link) fn is_too_busy_for(&mut self, came: &DeviceCame, now: Instant) {
        let Some(new) = &came.new else { return };
        let (client_id, public_key) = (came.client_id.clone(), came.public_key);
        for key in self.sealed.decide(&Decide { pairing: new.pairing, client_id, public_key, scopes: None }) {
            self.end_sealed(&key, EndToEndReason::Busy, now);
        }
    }

    /// Says something to the controller of a stream, as the stream says it: encrypted where it is. Where everything has to be
    /// encrypted and nothing can be, nothing is said.
    pub(super) fn tell(&mut self, key: &StreamKey, message: Message<'_>, now: Instant) -> Result<(), TooLong> {
        if !self.sealed.is_required() {
            return self.outbound.message(key, message, now);
        }
        let Some(sealed) = self.sealed.seal(key, message.text()) else { return Ok(()) };
        match Message::new(&sealed) {
            Ok(message) => self.outbound.message(key, message, now),
            Err(_) => Ok(()),
        }
    }

    /// Says something that whoever is on the way may read.
    fn tell_openly(&mut self, key: &StreamKey, text: &str, now: Instant) {
        // An unknown stream has no envelopes, so only the total bounds the number of such answers.
        if !self.may_be_told(&key.client) || !self.outbound.has_room(key) || !self.outbound.has_total_room() {
            return;
        }
        if let Ok(message) = Message::new(text)
            && let Err(error) = self.outbound.message(key, message, now)
        {
            log::error!("{error}");
        }
    }

    fn tell_step(&mut self, key: &StreamKey, step: PairingStep, now: Instant) {
        if let Some(sealed) = self.sealed.step(key, step) {
            self.tell_openly(key, &sealed, now);
        }
    }

    /// Ends a stream, and tells its phone why.
    fn end_sealed(&mut self, key: &StreamKey, reason: EndToEndReason, now: Instant) {
        log::warn!("a stream that is encrypted end to end has ended: {}", sealed::ending_text(reason));
        self.end(key, now);
        self.tell_openly(key, &sealed::ending(reason), now);
    }

    /// Whether the message asks for encryption; then its phone is told that this machine does not encrypt.
    pub(super) fn is_told_that_it_is_off(&mut self, key: &StreamKey, message: Message<'_>, now: Instant) -> bool {
        let asks = matches!(EndToEnd::read(message.text()), Some(EndToEnd::Ask | EndToEnd::Handshake { .. }));
        if asks {
            self.tell_openly(key, &sealed::ending(EndToEndReason::Off), now);
        }
        asks
    }

    /// Handles a message where everything has to be encrypted.
    pub(super) fn sealed_message(
        &mut self,
        key: Option<StreamKey>,
        client: &str,
        message: Message<'_>,
        seq: Option<u64>,
        now: Instant,
    ) -> Processed {
        let object = EndToEnd::read(message.text());
        match (object, key) {
            (Some(EndToEnd::Ask), Some(key)) => {
                let key_of_ours = self.sealed.key();
                self.tell_openly(&key, &key_of_ours.unwrap_or_default(), now);
            }
            (Some(EndToEnd::Handshake { message, pairing }), Some(key)) => {
                self.greet(&key, (&message, pairing.as_deref()), seq, now);
            }
            (Some(EndToEnd::Sealed { data }), Some(key)) => match self.sealed.open(&key, &data, seq, now) {
                Opened::Nothing => log::debug!("a sealed message for a remote stream that is not there was dropped"),
                Opened::Ended(reason) => self.end_sealed(&key, reason, now),
                Opened::Came(came) => {
                    if came.new.as_ref().is_some_and(|new| !new.knows_secret) {
                        self.tell_step(&key, PairingStep::Waiting, now);
                    }
                    self.came.push_back(came);
                }
                Opened::Message(text, scopes) => self.opened(&key, &text, scopes, seq, now),
            },
            (_, key) => {
                // The texts of JSON-RPC are for phones that know nothing of encryption.
                let kind = message.kind();
                log::warn!("a remote controller speaks without end-to-end encryption; it is refused");
                if let Some(MessageKind::Initialize(id)) = kind {
                    let key = key.unwrap_or_else(|| Streams::<P>::unknown(client));
                    let refusal = crate::protocol::Frame::error(Some(&id), &RpcError::invalid_request(sealed::PLAIN));
                    self.end(&key, now);
                    self.tell_openly(&key, refusal.text(), now);
                }
            }
        }
        Processed::Wholly
    }

    fn greet(&mut self, key: &StreamKey, message: (&str, Option<&str>), seq: Option<u64>, now: Instant) {
        if self.sealed.is_greeting_of(key, message.0) {
            return log::debug!("the first message of a remote stream came again and was dropped");
        }
        if let Some(refusal) = self.refusal(key) {
            log::warn!("a remote stream is refused: {}", refusal.message);
            let reason = match self.revoked.contains(&key.client) {
                true => EndToEndReason::UnknownDevice,
                false => EndToEndReason::Busy,
            };
            return self.tell_openly(key, &sealed::ending(reason), now);
        }
        let (of_client, of_all) = self.sealed.count(&key.client);
        let has_place = of_client < self.limits.controller_streams && of_all < self.limits.streams;
        // As a new `initialize` does where nothing is encrypted.
        self.end(key, now);
        if !has_place {
            return self.end_sealed(key, EndToEndReason::Busy, now);
        }
        match self.sealed.greet(key, message, seq, now) {
            Ok(answer) => self.tell_openly(key, &answer, now),
            Err(reason) => self.end_sealed(key, reason, now),
        }
    }

    /// What a phone has said, decrypted; with scopes it is the first message.
    fn opened(
        &mut self,
        key: &StreamKey,
        text: &str,
        scopes: Option<crate::protocol::scope::Scopes>,
        seq: Option<u64>,
        now: Instant,
    ) {
        let Ok(message) = Message::new(text) else { return self.end_sealed(key, EndToEndReason::Invalid, now) };
        match (message.kind(), scopes) {
            (Some(kind @ MessageKind::Initialize(_)), Some(scopes)) => {
                // Much may have changed since the handshake.
                if let Some(refusal) = self.refusal(key) {
                    log::warn!("a remote stream is refused: {}", refusal.message);
                    self.refuse(key, &kind, &refusal, now);
                    return self.end(key, now);
                }
                self.came.extend(self.sealed.device(key));
                self.open(key, message, seq, Some(scopes), now);
            }
            (Some(kind), None) => self.deliver(key, message, &kind, seq, now),
            (None, None) => log::warn!("a remote controller sent a message that is not JSON-RPC; it is ignored"),
            (_, Some(_)) => self.end_sealed(key, EndToEndReason::Invalid, now),
        }
    }
}
