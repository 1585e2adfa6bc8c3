//! End-to-end encryption between phones and this machine, below the relay's envelopes: no sockets and no timers.
//!
//! ```text
//!   phone                                              machine
//!     │ ask ─────────────────────────────────────────────▶ │   only by a code that was typed,
//!     │ ◀───────────────────────────────────────────── key │   which tells no key
//!     │ handshake: e, es, s, ss {digest of N} ───────────▶ │   {} are encrypted; only a new device
//!     │ ◀───────────────── handshake: e, ee, se (psk) {M}  │   says N, and only to it M is said
//!     │ sealed: N, name ─────────────────────────────────▶ │   new: words = digest(handshake, N, M)
//!     │ ◀───────────────────────── sealed: waiting/accepted │   new: a person confirms, or the secret does
//!     │ sealed: initialize ──────────────────────────────▶ │   the connection opens
//! ```
//!
//! - The handshake is Noise IK, with a one-time secret as a pre-shared key where the phone has scanned one ([`noise`]). The
//!   prologue binds it to the environment, the device and the stream.
//! - The first message of IK can be kept and sent again. So nothing happens before the first sealed message, which only the
//!   holder of the phone's private key can make.
//! - The phone commits itself to N before it sees M, and the machine says M before it sees N. So somebody in the middle, who
//!   does two handshakes, cannot choose his numbers until the words agree.
//! - What a device may do is what this machine has written down when it was paired. The relay's word does not count.
//! - The stream beneath passes on each message once and in order. So everything that does not open was not said by the phone like
//!   that, and ends the stream.

mod channel;
mod ending;
mod noise;
mod pairings;
mod words;

use std::collections::HashMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::{Digest as _, Sha256};
use tokio::time::{Duration, Instant};

use super::StreamKey;
use crate::protocol::remote::{EndToEnd, EndToEndReason, PairingMessage, PairingStep};
use crate::protocol::scope::Scopes;
use crate::remote_link::{
    Decide, DeviceCame, Keys, KnownDevice, NewDevice, OpenPairing, PublicKey, RemoteLinkLimits, random,
};
use channel::{Commitment, SealedStream, Stage};
use pairings::Pairings;

pub(super) use ending::{PLAIN, text as ending_text, told as ending};
pub(in crate::remote_link) use noise::public_key;
#[cfg(test)]
pub(super) use noise::{PROTOCOL, prologue};
pub(in crate::remote_link) use words::list as words;

/// Bytes of the random numbers of a pairing.
const NONCE_BYTES: usize = 16;

/// Bytes of the digest of a phone's number.
const DIGEST_BYTES: usize = 32;

/// The time in which the handshakes of a device are counted.
const MINUTE: Duration = Duration::from_secs(60);

/// See the module's documentation.
pub(super) struct Sealed {
    limits: Rc<RemoteLinkLimits>,
    /// Also where the keys cannot be used: then nobody gets in.
    is_required: bool,
    machine: Option<Machine>,
    pairings: Pairings,
    streams: HashMap<StreamKey, SealedStream>,
}

/// This machine, and the devices that it knows.
struct Machine {
    environment_id: String,
    private: SecretSlice<u8>,
    public: PublicKey,
    devices: HashMap<String, Known>,
}

struct Known {
    device: KnownDevice,
    handshakes: usize,
    counted_since: Option<Instant>,
}

/// What has come of a sealed message.
pub(super) enum Opened {
    /// It came before, or belongs to no stream.
    Nothing,
    /// The phone has said this. With scopes it is its first message.
    Message(String, Option<Scopes>),
    /// A new device waits for a decision.
    Came(DeviceCame),
    /// The stream ends.
    Ended(EndToEndReason),
}

impl Sealed {
    /// Off, until there are keys.
    pub(super) fn new(limits: Rc<RemoteLinkLimits>) -> Self {
        let pairings = Pairings::new(limits.open_pairings, limits.pairing_handshakes);
        Self { limits, is_required: false, machine: None, pairings, streams: HashMap::new() }
    }

    /// Whether everything has to be encrypted.
    pub(super) fn is_required(&self) -> bool {
        self.is_required
    }

    /// From now on everything has to be encrypted. What is known of an environment stays as it is when its keys come again.
    pub(super) fn require(&mut self, keys: Keys) {
        self.is_required = true;
        let Keys { environment_id, private, devices } = keys;
        if self.machine.as_ref().is_some_and(|machine| machine.environment_id == environment_id) {
            return;
        }
        let Ok(public) = public_key(&private) else { return log::error!("this machine's key cannot be used") };
        let devices = devices.into_iter().map(|device| (device.client_id.clone(), Known::new(device))).collect();
        self.machine = Some(Machine { environment_id, private, public, devices });
        self.streams.clear();
    }

    /// The sign-in has ended: forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.limits.clone());
    }

    /// Devices may come for a pairing.
    pub(super) fn open_pairing(&mut self, pairing: OpenPairing, now: Instant) {
        self.pairings.open(pairing, now);
    }

    /// How many streams of a device have had a handshake, and how many there are of all devices.
    pub(super) fn count(&self, client: &str) -> (usize, usize) {
        (self.streams.keys().filter(|key| *key.client == *client).count(), self.streams.len())
    }

    /// The answer to the question for this machine's public key.
    pub(super) fn key(&self) -> Option<String> {
        let public = self.machine.as_ref()?.public;
        Some(EndToEnd::Key { key: BASE64.encode(public).into() }.write())
    }

    /// Whether this first message has begun the stream as it is now.
    pub(super) fn is_greeting_of(&self, key: &StreamKey, message: &str) -> bool {
        let known = self.streams.get(key).map(|stream| stream.greeting.as_slice());
        known.is_some() && BASE64.decode(message).ok().as_deref() == known
    }

    /// Answers the first message of a phone, and begins its stream.
    ///
    /// # Errors
    /// Why there is no handshake.
    pub(super) fn greet(
        &mut self,
        key: &StreamKey,
        (message, pairing): (&str, Option<&str>),
        seq: Option<u64>,
        now: Instant,
    ) -> Result<String, EndToEndReason> {
        let machine = self.machine.as_mut().ok_or(EndToEndReason::Off)?;
        // Before anything is computed.
        let found = pairing.map(|id| self.pairings.find(id, now).ok_or(EndToEndReason::NoPairing)).transpose()?;
        let known = match (&found, machine.devices.get_mut(&*key.client)) {
            (None, None) => return Err(EndToEndReason::UnknownDevice),
            (None, Some(known)) => {
                known.may_try(self.limits.device_handshakes_per_minute, now)?;
                Some(known.device.clone())
            }
            (Some(_), known) => known.map(|known| known.device.clone()),
        };
        let greeting = BASE64.decode(message).map_err(|_| EndToEndReason::Invalid)?;
        let prologue = noise::prologue(&machine.environment_id, &key.client, &key.stream);
        let secret = found.as_ref().and_then(|found| found.secret.as_ref());
        let greeted = noise::greeted(&machine.private, secret, &prologue, &greeting);
        let greeted = greeted.map_err(|_| EndToEndReason::Tampered)?;
        let device = greeted.device;
        let known = known.filter(|known| known.public_key == device);
        let (answered, stage) = match (found, known) {
            (Some(found), _) => {
                let digest = greeted.payload.clone();
                if digest.len() != DIGEST_BYTES {
                    return Err(EndToEndReason::Invalid);
                }
                let nonce = random(NONCE_BYTES).map_err(|_| EndToEndReason::Busy)?.expose_secret().to_vec();
                let (answer, channel, handshake) = greeted.answer(&nonce).map_err(|_| EndToEndReason::Invalid)?;
                let (pairing, knows_secret) = (found.number, found.secret.is_some());
                let commitment = Commitment { pairing, knows_secret, digest, nonce, handshake };
                ((answer, channel), Stage::Committed(commitment))
            }
            (None, Some(known)) if greeted.payload.is_empty() => {
                let (answer, channel, _) = greeted.answer(&[]).map_err(|_| EndToEndReason::Invalid)?;
                ((answer, channel), Stage::Paired(known.scopes))
            }
            (None, Some(_)) => return Err(EndToEndReason::Invalid),
            (None, None) => return Err(EndToEndReason::UnknownDevice),
        };
        let (answer, channel) = answered;
        let stream = SealedStream { channel, stage, greeting, mark: seq, device, heard: now };
        self.streams.insert(key.clone(), stream);
        Ok(EndToEnd::Handshake { message: BASE64.encode(answer).into(), pairing: None }.write())
    }

    /// Opens what a phone has sealed.
    pub(super) fn open(&mut self, key: &StreamKey, data: &str, seq: Option<u64>, now: Instant) -> Opened {
        let Some(stream) = self.streams.get_mut(key) else { return Opened::Nothing };
        stream.heard = now;
        if seq.is_some() && seq <= stream.mark {
            return Opened::Nothing;
        }
        stream.mark = seq.or(stream.mark);
        let opened = BASE64.decode(data).ok().and_then(|sealed| stream.channel.open(&sealed).ok());
        let Some(text) = opened else { return Opened::Ended(EndToEndReason::Tampered) };
        match &stream.stage {
            Stage::Open => Opened::Message(text, None),
            Stage::Paired(scopes) => {
                let scopes = *scopes;
                stream.stage = Stage::Open;
                Opened::Message(text, Some(scopes))
            }
            Stage::Undecided { .. } => Opened::Ended(EndToEndReason::Invalid),
            Stage::Committed(commitment) => {
                let Ok(PairingMessage { pairing: PairingStep::Open { nonce, name } }) = serde_json::from_str(&text)
                else {
                    return Opened::Ended(EndToEndReason::Invalid);
                };
                let number = BASE64.decode(nonce).unwrap_or_default();
                if number.len() != NONCE_BYTES || Sha256::digest(&number)[..] != commitment.digest[..] {
                    return Opened::Ended(EndToEndReason::Tampered);
                }
                let words = words::of(&commitment.handshake, &number, &commitment.nonce);
                let Commitment { pairing, knows_secret, .. } = *commitment;
                if !self.pairings.is_open(pairing, now) {
                    return Opened::Ended(EndToEndReason::NoPairing);
                }
                if knows_secret {
                    // Good once, whatever is decided.
                    self.pairings.close(pairing);
                }
                stream.stage = Stage::Undecided { pairing };
                let new = Some(NewDevice { pairing, name, words, knows_secret });
                Opened::Came(DeviceCame { client_id: key.client.to_string(), public_key: stream.device, new })
            }
        }
    }

    /// The paired device of a stream.
    pub(super) fn device(&self, key: &StreamKey) -> Option<DeviceCame> {
        let public_key = self.streams.get(key)?.device;
        Some(DeviceCame { client_id: key.client.to_string(), public_key, new: None })
    }

    /// Encrypts what a phone is told; `None` if the stream has had no handshake.
    pub(super) fn seal(&mut self, key: &StreamKey, text: &str) -> Option<String> {
        let sealed = self.streams.get_mut(key)?.channel.seal(text).ok()?;
        Some(EndToEnd::Sealed { data: BASE64.encode(sealed).into() }.write())
    }

    /// Encrypts a step of a pairing.
    pub(super) fn step(&mut self, key: &StreamKey, pairing: PairingStep) -> Option<String> {
        let text = serde_json::to_string(&PairingMessage { pairing }).ok()?;
        self.seal(key, &text)
    }

    /// A device is known from now on, or is refused. Returns its streams that have waited for that.
    pub(super) fn decide(&mut self, decision: &Decide) -> Vec<StreamKey> {
        let Decide { pairing, client_id, public_key, scopes } = decision;
        if let Some(scopes) = *scopes {
            self.pairings.close(*pairing);
            if let Some(machine) = &mut self.machine {
                let device = KnownDevice { client_id: client_id.clone(), public_key: *public_key, scopes };
                machine.devices.insert(client_id.clone(), Known::new(device));
            }
        }
        let mut decided = Vec::new();
        for (key, stream) in &mut self.streams {
            let waits = matches!(stream.stage, Stage::Undecided { pairing: its } if its == *pairing);
            if waits && *key.client == **client_id && stream.device == *public_key {
                if let Some(scopes) = *scopes {
                    stream.stage = Stage::Paired(scopes);
                }
                decided.push(key.clone());
            }
        }
        decided
    }

    /// The stream has ended.
    pub(super) fn end(&mut self, key: &StreamKey) {
        self.streams.remove(key);
    }

    /// A device is not known any more. Returns its streams.
    pub(super) fn forget(&mut self, client: &str) -> Vec<StreamKey> {
        if let Some(machine) = &mut self.machine {
            machine.devices.remove(client);
        }
        self.streams.keys().filter(|key| *key.client == *client).cloned().collect()
    }

    /// The streams without a connection whose phones have been silent since `then`.
    pub(super) fn silent_since(&self, then: Instant) -> Vec<StreamKey> {
        let is_silent = |stream: &SealedStream| !matches!(stream.stage, Stage::Open) && stream.heard <= then;
        self.streams.iter().filter(|(_, stream)| is_silent(stream)).map(|(key, _)| key.clone()).collect()
    }

    /// The phone has given a sign of life.
    pub(super) fn heard(&mut self, key: &StreamKey, now: Instant) -> bool {
        let stream = self.streams.get_mut(key);
        stream.map(|stream| stream.heard = now).is_some()
    }
}

impl Known {
    fn new(device: KnownDevice) -> Self {
        Self { device, handshakes: 0, counted_since: None }
    }

    /// Counts a handshake, which costs some hundred microseconds.
    fn may_try(&mut self, most: usize, now: Instant) -> Result<(), EndToEndReason> {
        if self.counted_since.is_none_or(|since| now.saturating_duration_since(since) >= MINUTE) {
            (self.counted_since, self.handshakes) = (Some(now), 0);
        }
        self.handshakes += 1;
        if self.handshakes <= most { Ok(()) } else { Err(EndToEndReason::Busy) }
    }
}
