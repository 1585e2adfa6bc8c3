//! The brake of a connection: fast clients are slowed instead of refused.
//!
//! It protects the processor's mailbox, so that one flooding client cannot fill it for all. A connection is not read
//! while one of these counts is at its bound, and is read again once all are down to half: short requests in flight,
//! their bytes, requests waiting in the processor's mailbox, and bytes of answers that the peer has not read.
//!
//! Bounds in bytes apply only while something else is in flight, so a single message of any size passes. Long-running
//! requests may take minutes, so they never stop the reading; above their bounds they are refused.
//!
//! Many flooding clients together could still fill the mailbox, so [`Ingress`] makes them take turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use tokio::sync::Notify;

use super::in_flight::InFlight;
use super::ingress::{Ingress, Room};
use super::outbound::Outbound;
use crate::limits::Limits;
use crate::metrics::requests::Meter;
use crate::protocol::Weight;

/// The counts of one connection, shared by the connection and its requests on their way through the processor.
#[derive(Debug)]
pub struct Brake {
    bounds: Bounds,
    meter: Meter,
    short: Count,
    long: Count,
    waiting: AtomicUsize,
    ingress: Arc<Ingress>,
    outbound: Arc<Outbound>,
    /// A notification is waiting for a slot in the processor's mailbox, and nothing may overtake it.
    parked: AtomicBool,
    /// The brake is on: a bound was reached, and not all counts are down to half yet.
    on: AtomicBool,
    reader: AtomicWaker,
    /// Wakes a message that is waiting until nothing else is in flight.
    emptied: Notify,
}

/// Requests in flight and their bytes.
#[derive(Debug, Default)]
struct Count {
    requests: AtomicUsize,
    bytes: AtomicUsize,
}

impl Count {
    fn requests(&self) -> usize {
        self.requests.load(Ordering::Acquire)
    }

    fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Acquire)
    }
}

#[derive(Debug)]
struct Bounds {
    short: usize,
    long: usize,
    bytes: usize,
    waiting: usize,
    unread_bytes: usize,
}

impl Brake {
    /// Creates the brake of a connection. `meter` counts its requests, `outbound` its outgoing bytes.
    pub fn new(limits: &Limits, meter: Meter, ingress: Arc<Ingress>, outbound: Arc<Outbound>) -> Self {
        Self {
            bounds: Bounds {
                short: limits.connection_in_flight_requests,
                long: limits.connection_long_requests,
                bytes: limits.connection_in_flight_bytes,
                waiting: limits.connection_waiting_requests,
                unread_bytes: limits.connection_unread_bytes,
            },
            meter,
            short: Count::default(),
            long: Count::default(),
            waiting: AtomicUsize::new(0),
            ingress,
            outbound,
            parked: AtomicBool::new(false),
            on: AtomicBool::new(false),
            reader: AtomicWaker::new(),
            emptied: Notify::new(),
        }
    }

    /// What the requests of this connection are counted with.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Counts a request of `bytes` that goes to the processor; `room` is the share of bytes of a large one. Returns
    /// `None` and counts nothing if the bounds of long-running requests are reached; the request must then be refused.
    #[must_use]
    pub fn admit(self: &Arc<Self>, weight: Weight, bytes: usize, room: Option<Room>) -> Option<InFlight> {
        let room = match weight {
            Weight::Short => room,
            Weight::Long => self.long_room(bytes)?,
        };
        let count = self.count(weight);
        count.requests.fetch_add(1, Ordering::AcqRel);
        count.bytes.fetch_add(bytes, Ordering::AcqRel);
        self.waiting.fetch_add(1, Ordering::AcqRel);
        self.ingress.enter();
        Some(InFlight::new(self.clone(), weight, bytes, room))
    }

    /// Checks the bounds of long-running requests. Returns the share of bytes if the request is large.
    fn long_room(&self, bytes: usize) -> Option<Option<Room>> {
        let (others, their_bytes) = (self.long.requests(), self.long.bytes());
        if others >= self.bounds.long || (others > 0 && their_bytes + bytes > self.bounds.bytes) {
            return None;
        }
        if self.is_large(bytes) { self.ingress.long_room(bytes).map(Some) } else { Some(None) }
    }

    /// The processor has taken a request from its mailbox, or rejected it because the mailbox was full.
    pub fn taken(&self) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        self.ingress.leave();
        self.wake();
    }

    /// A request is no longer in flight.
    pub(super) fn settle(&self, weight: Weight, bytes: usize) {
        let count = self.count(weight);
        count.bytes.fetch_sub(bytes, Ordering::AcqRel);
        if count.requests.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.emptied.notify_one();
        }
        self.wake();
    }

    /// The state that all connections share.
    pub(super) fn ingress(&self) -> &Ingress {
        &self.ingress
    }

    /// Whether a message of `bytes` must wait for [`Self::room`].
    pub(super) fn is_large(&self, bytes: usize) -> bool {
        self.ingress.is_large(bytes)
    }

    /// Waits for room for a large message.
    pub(super) async fn room(&self, bytes: usize) -> Option<Room> {
        let idle = async {
            while self.short.requests() > 0 {
                self.emptied.notified().await;
            }
        };
        self.ingress.room(bytes, idle).await
    }

    /// Bytes were written to the socket.
    pub fn written(&self) {
        self.wake();
    }

    /// Whether the peer has read so much that it can be sent a large answer, or is gone.
    pub fn has_drained(&self) -> bool {
        self.outbound.has_room(self.bounds.unread_bytes)
    }

    /// Waits until the peer has read enough to be sent a large answer, or is gone. Short answers need not wait, because
    /// their number is bounded.
    pub async fn drained(&self) {
        self.outbound.room(self.bounds.unread_bytes).await;
    }

    /// Stops reading until [`Self::unpark`].
    pub fn park(&self) {
        self.parked.store(true, Ordering::Release);
    }

    /// Resumes reading after [`Self::park`].
    pub fn unpark(&self) {
        self.parked.store(false, Ordering::Release);
        self.reader.wake();
    }

    /// Whether no request of this connection is in flight.
    pub fn is_idle(&self) -> bool {
        self.short.requests() == 0 && self.long.requests() == 0
    }

    /// Ready while the connection may be read.
    pub fn poll_open(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_open() {
            return Poll::Ready(());
        }
        self.reader.register(cx.waker());
        // Checked again, because the last answer may have come between the first check and the registration.
        if self.is_open() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn is_open(&self) -> bool {
        if self.parked.load(Ordering::Acquire) {
            return false;
        }
        let on = if self.on.load(Ordering::Acquire) { !self.below(2) } else { !self.below(1) };
        self.on.store(on, Ordering::Release);
        !on
    }

    /// Whether every count is below its bound (`part` = 1), or at most half of it (`part` = 2).
    fn below(&self, part: usize) -> bool {
        let fits = |count: usize, bound: usize| if part == 1 { count < bound } else { count <= bound / 2 };
        fits(self.short.requests(), self.bounds.short)
            && fits(self.short.bytes(), self.bounds.bytes)
            && fits(self.waiting.load(Ordering::Acquire), self.bounds.waiting)
            && fits(self.outbound.queued_bytes(), self.bounds.unread_bytes)
    }

    fn wake(&self) {
        if self.on.load(Ordering::Acquire) && self.below(2) {
            self.reader.wake();
        }
    }

    fn count(&self, weight: Weight) -> &Count {
        match weight {
            Weight::Short => &self.short,
            Weight::Long => &self.long,
        }
    }
}

#[cfg(test)]
mod tests;
