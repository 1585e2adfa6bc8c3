//! What remote control and the link tell each other about devices that speak end to end.

use std::time::Duration;

use actix::prelude::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretSlice;
use sha2::{Digest as _, Sha256};

use crate::protocol::scope::Scopes;

/// A public key of X25519.
pub type PublicKey = [u8; 32];

/// Bytes of the one-time secret in a link that is scanned.
pub const SECRET_BYTES: usize = 16;

/// Bytes of a pairing's name; nobody has to guess it.
const ID_BYTES: usize = 8;

/// What the machine needs to speak end to end. Its `Debug` shows no key.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Id of this machine's environment. Every handshake is bound to it.
    pub environment_id: String,
    /// The private key of the machine: 32 bytes.
    pub private: SecretSlice<u8>,
    /// The devices that are paired.
    pub devices: Vec<KnownDevice>,
}

/// A device that is paired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownDevice {
    /// Its id at the relay.
    pub client_id: String,
    /// Its public key.
    pub public_key: PublicKey,
    /// What it may do, as this machine has written it down.
    pub scopes: Scopes,
}

/// Sent by remote control when a code was shown: devices may come for it. Mailbox full: the sender waits.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct OpenPairing {
    /// Number of the pairing, never used again.
    pub number: u64,
    /// The one-time secret of the link that is scanned.
    pub secret: SecretSlice<u8>,
    /// The names of the pairing ([`pairing_id`]) for devices that were told only a code.
    pub typed: Vec<String>,
    /// For how long.
    pub lasts: Duration,
}

/// Sent by the link to remote control when a device has proven that it holds the private key to its public one. The link does
/// not wait. Mailbox full: a new device is told to try again.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct DeviceCame {
    /// Its id at the relay.
    pub client_id: String,
    /// Its public key.
    pub public_key: PublicKey,
    /// Set where it is new; it then waits for a [`Decide`].
    pub new: Option<NewDevice>,
}

/// A device that is not paired yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDevice {
    /// Number of the pairing that it has come for.
    pub pairing: u64,
    /// What it calls itself.
    pub name: Option<String>,
    /// The words that are shown on both screens.
    pub words: String,
    /// Whether it knows the one-time secret; otherwise a person has to compare the words.
    pub knows_secret: bool,
}

/// Sent by remote control about a device that has come. With scopes it is paired from now on, and its decision is on disk
/// already. The reply comes when the device is told. Mailbox full: the sender waits.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Decide {
    /// Number of the pairing that it has come for.
    pub pairing: u64,
    /// Id of the device at the relay.
    pub client_id: String,
    /// Its public key.
    pub public_key: PublicKey,
    /// What it may do; `None` if it is refused.
    pub scopes: Option<Scopes>,
}

/// The name of a pairing, which a phone shows to the machine: it is made of the code or of the secret, and tells neither.
pub fn pairing_id(of: &[u8]) -> String {
    let digest = Sha256::new().chain_update("codex-app-server pairing id").chain_update(of).finalize();
    URL_SAFE_NO_PAD.encode(&digest[..ID_BYTES])
}

/// Why there is no key or secret.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers: {0}")]
pub struct NoRandom(String);

/// New random bytes of the system, for keys and secrets.
///
/// # Errors
/// The system has none.
pub fn random(bytes: usize) -> Result<SecretSlice<u8>, NoRandom> {
    let mut fresh = vec![0; bytes];
    getrandom::fill(&mut fresh).map_err(|error| NoRandom(error.to_string()))?;
    Ok(fresh.into())
}
