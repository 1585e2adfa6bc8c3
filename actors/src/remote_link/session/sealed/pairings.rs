//! The pairings for which devices may come now: each once, for some minutes, and only so many at a time.

use std::collections::VecDeque;

use secrecy::{ExposeSecret, SecretSlice};
use tokio::time::Instant;

use crate::remote_link::{OpenPairing, pairing_id};

/// See the module's documentation.
pub struct Pairings {
    open: VecDeque<Pairing>,
    most: usize,
    most_handshakes: usize,
}

struct Pairing {
    number: u64,
    secret: SecretSlice<u8>,
    scanned: String,
    typed: Vec<String>,
    until: Instant,
    handshakes: usize,
}

/// A pairing that a device has come for.
pub struct Found {
    /// Its number.
    pub number: u64,
    /// The one-time secret, if the device has named the pairing by it.
    pub secret: Option<SecretSlice<u8>>,
}

impl Pairings {
    /// None yet; `most` at a time, for each of which devices may try `most_handshakes` times.
    pub fn new(most: usize, most_handshakes: usize) -> Self {
        Self { open: VecDeque::new(), most, most_handshakes }
    }

    /// Above the bound the oldest one is forgotten.
    pub fn open(&mut self, pairing: OpenPairing, now: Instant) {
        let OpenPairing { number, secret, typed, lasts } = pairing;
        let scanned = pairing_id(secret.expose_secret());
        self.open.push_back(Pairing { number, secret, scanned, typed, until: now + lasts, handshakes: 0 });
        while self.open.len() > self.most {
            self.open.pop_front();
        }
    }

    /// The pairing that a device names for a handshake. Every handshake counts, because each is a try to have the words agree.
    pub fn find(&mut self, id: &str, now: Instant) -> Option<Found> {
        self.open.retain(|pairing| pairing.until > now);
        let by_secret = |pairing: &Pairing| pairing.scanned == id;
        let found = self.open.iter_mut().find(|it| by_secret(it) || it.typed.iter().any(|name| name == id))?;
        found.handshakes += 1;
        if found.handshakes > self.most_handshakes {
            return None;
        }
        Some(Found { number: found.number, secret: by_secret(found).then(|| found.secret.clone()) })
    }

    /// Whether devices may still come for it.
    pub fn is_open(&self, number: u64, now: Instant) -> bool {
        self.open.iter().any(|it| it.number == number && it.until > now)
    }

    /// It was used.
    pub fn close(&mut self, number: u64) {
        self.open.retain(|it| it.number != number);
    }
}
