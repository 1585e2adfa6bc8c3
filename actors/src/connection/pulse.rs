//! Signs of life of one connection: its actor gives them, the router's clocks judge them (law 6).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared by a connection and the router.
#[derive(Debug, Default)]
pub struct Pulse {
    heard: AtomicU64,
    resting: AtomicBool,
    closing: AtomicBool,
    given_up: AtomicBool,
}

impl Pulse {
    /// Something came from the peer, be it part of a message.
    pub fn hear(&self) {
        self.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// How often something came: while it stands still, the peer is silent.
    pub fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Whether the connection's brake keeps the peer from being heard.
    pub fn set_resting(&self, resting: bool) {
        self.resting.store(resting, Ordering::Relaxed);
    }

    /// The peer may be speaking; it is not read at the moment.
    pub fn is_resting(&self) -> bool {
        self.resting.load(Ordering::Relaxed)
    }

    /// The server has decided to close: nothing more is sent, and the peer's time to close in turn begins.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// [`Self::close`] was called.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// The peer reads too slowly: what is queued is dropped, and only the goodbye is still written.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Release);
        self.close();
    }

    /// [`Self::give_up`] was called.
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }
}
