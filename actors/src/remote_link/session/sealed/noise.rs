//! The handshake and the encryption: the Noise protocol (noiseprotocol.org, revision 34) with the crate `snow`.

use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest as _, Sha256};
use snow::params::DHChoice;
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::{Builder, HandshakeState, TransportState};

use crate::remote_link::PublicKey;

/// Names the protocol and its version; the first part of every prologue.
pub const PROTOCOL: &str = "codex-app-server end to end 1";

/// For a device that is paired, and for one that was told no secret.
const PATTERN: &str = "Noise_IK_25519_ChaChaPoly_SHA256";
/// For one that was told a one-time secret, as it is mixed into the second message.
const PATTERN_WITH_SECRET: &str = "Noise_IKpsk2_25519_ChaChaPoly_SHA256";
const SECRET_AT: u8 = 2;

/// Most bytes of a message of Noise.
const MESSAGE_BYTES: usize = 65_535;
const TAG_BYTES: usize = 16;
/// What one message carries, besides the byte that says whether another one belongs to it.
const PIECE_BYTES: usize = MESSAGE_BYTES - TAG_BYTES - 1;
const LAST: u8 = 1;
const MORE: u8 = 0;

/// Something does not fit: a key, an order, a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be opened")]
pub struct CannotOpen;

impl From<snow::Error> for CannotOpen {
    /// What exactly is wrong helps nobody but who has made it wrong.
    fn from(_: snow::Error) -> Self {
        Self
    }
}

/// What a handshake is bound to. Each part is preceded by its length, so that no two lists have the same bytes.
pub fn prologue(environment: &str, client: &str, stream: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in [PROTOCOL, environment, client, stream] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

/// The public key that belongs to a private one.
///
/// # Errors
/// It is no private key.
pub fn public_key(private: &SecretSlice<u8>) -> Result<PublicKey, CannotOpen> {
    let mut curve = DefaultResolver.resolve_dh(&DHChoice::Curve25519).ok_or(CannotOpen)?;
    if private.expose_secret().len() != size_of::<PublicKey>() {
        return Err(CannotOpen);
    }
    curve.set(private.expose_secret());
    curve.pubkey().try_into().map_err(|_| CannotOpen)
}

/// The key that a one-time secret becomes.
fn mixed(secret: &SecretSlice<u8>) -> [u8; 32] {
    Sha256::new().chain_update("codex-app-server pairing secret").chain_update(secret.expose_secret()).finalize().into()
}

/// The first message of a phone, understood.
pub struct Greeted {
    noise: HandshakeState,
    /// What it says besides; whoever is on the way may have kept it from earlier.
    pub payload: Vec<u8>,
    /// The phone's public key.
    pub device: PublicKey,
}

/// Reads the first message of a phone.
///
/// # Errors
/// It is none, or it is meant for another key, environment, device or stream.
pub fn greeted(
    private: &SecretSlice<u8>,
    secret: Option<&SecretSlice<u8>>,
    prologue: &[u8],
    message: &[u8],
) -> Result<Greeted, CannotOpen> {
    let pattern = if secret.is_some() { PATTERN_WITH_SECRET } else { PATTERN };
    let key = secret.map(mixed);
    let mut builder = Builder::new(pattern.parse()?);
    builder = builder.local_private_key(private.expose_secret())?.prologue(prologue)?;
    if let Some(key) = &key {
        builder = builder.psk(SECRET_AT, key)?;
    }
    let mut noise = builder.build_responder()?;
    let mut payload = vec![0; message.len()];
    let read = noise.read_message(message, &mut payload)?;
    payload.truncate(read);
    let device: PublicKey = noise.get_remote_static().ok_or(CannotOpen)?.try_into().map_err(|_| CannotOpen)?;
    Ok(Greeted { noise, payload, device })
}

impl Greeted {
    /// The second message, which says `payload` besides; and then the channel, and the digest of all that was said.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn answer(mut self, payload: &[u8]) -> Result<(Vec<u8>, Channel, Vec<u8>), CannotOpen> {
        let mut message = vec![0; MESSAGE_BYTES];
        let written = self.noise.write_message(payload, &mut message)?;
        message.truncate(written);
        let digest = self.noise.get_handshake_hash().to_vec();
        Ok((message, Channel(self.noise.into_transport_mode()?), digest))
    }
}

/// Both directions after the handshake. Each has its own counter, so that what is repeated, left out or exchanged does not open.
pub struct Channel(TransportState);

impl Channel {
    /// Encrypts a text of any length.
    ///
    /// # Errors
    /// After 2⁶⁴ messages.
    pub fn seal(&mut self, text: &str) -> Result<Vec<u8>, CannotOpen> {
        let pieces = text.len().div_ceil(PIECE_BYTES).max(1);
        let mut sealed = vec![0; text.len() + pieces * (TAG_BYTES + 1)];
        let (mut rest, mut at) = (text.as_bytes(), 0);
        let mut piece = Vec::with_capacity(rest.len().min(PIECE_BYTES) + 1);
        loop {
            let (now, later) = rest.split_at(rest.len().min(PIECE_BYTES));
            piece.clear();
            piece.push(if later.is_empty() { LAST } else { MORE });
            piece.extend_from_slice(now);
            at += self.0.write_message(&piece, &mut sealed[at..])?;
            if later.is_empty() {
                sealed.truncate(at);
                return Ok(sealed);
            }
            rest = later;
        }
    }

    /// Decrypts what the other side has encrypted, in the same order.
    ///
    /// # Errors
    /// It is not the next thing that the other side has said; then nothing more can be opened.
    pub fn open(&mut self, sealed: &[u8]) -> Result<String, CannotOpen> {
        let mut text = Vec::with_capacity(sealed.len());
        let mut piece = vec![0; sealed.len().min(MESSAGE_BYTES)];
        let mut pieces = sealed.chunks(MESSAGE_BYTES).peekable();
        while let Some(next) = pieces.next() {
            let read = self.0.read_message(next, &mut piece)?;
            let (mark, said) = piece[..read].split_first().ok_or(CannotOpen)?;
            let is_last = pieces.peek().is_none();
            if *mark != if is_last { LAST } else { MORE } {
                return Err(CannotOpen);
            }
            text.extend_from_slice(said);
            if is_last {
                return String::from_utf8(text).map_err(|_| CannotOpen);
            }
        }
        Err(CannotOpen)
    }
}
