//! Signs of life of one connection, recorded by its actor and judged by the router's clocks (law 6).

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};

/// Shared by a connection and the router.
#[derive(Debug, Default)]
pub struct Pulse {
    heard: AtomicU64,
    resting: AtomicBool,
    closing: AtomicBool,
    given_up: AtomicBool,
    /// 0 until a close frame was sent or received.
    close_code: AtomicU16,
}

impl Pulse {
    /// Bytes have arrived from the peer.
    pub fn hear(&self) {
        self.heard.fetch_add(1, Ordering::Relaxed);
    }

    /// Number of arrivals. If it stays the same, the peer is silent.
    pub fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// Sets whether the brake keeps the connection from being read.
    pub fn set_resting(&self, resting: bool) {
        self.resting.store(resting, Ordering::Relaxed);
    }

    /// Whether the connection is not being read at the moment.
    pub fn is_resting(&self) -> bool {
        self.resting.load(Ordering::Relaxed)
    }

    /// The server has sent its close frame; the peer's time to answer it begins.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }

    /// A close frame with this code was sent or received. The first one counts.
    pub fn closed_with(&self, code: u16) {
        // An error means that it is not the first.
        let _ = self.close_code.compare_exchange(0, code, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The code of the first close frame; `None` for a connection that ended without one.
    pub fn close_code(&self) -> Option<u16> {
        Some(self.close_code.load(Ordering::Relaxed)).filter(|code| *code != 0)
    }

    /// Whether [`Self::close`] was called.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// The peer reads too slowly: its queue is dropped, and only a close frame is still written.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Release);
        self.close();
    }

    /// Whether [`Self::give_up`] was called.
    pub fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }
}
