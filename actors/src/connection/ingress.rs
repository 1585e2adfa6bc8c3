//! What all connections share on their way in: the processor's mailbox, and room for large messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::Limits;

/// How full the processor's mailbox is, and how many bytes of large requests are in flight.
#[derive(Debug)]
pub struct Ingress {
    waiting: AtomicUsize,
    half: usize,
    large_bytes: usize,
    short: Bytes,
    long: Bytes,
    /// For one large message of a connection that has nothing in flight, when there is no room.
    spare: Arc<Semaphore>,
}

/// Room for one large message; given back when this is dropped.
pub type Room = OwnedSemaphorePermit;

impl Ingress {
    /// Nothing is on its way.
    pub fn new(limits: &Limits) -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            half: limits.processor_mailbox_messages / 2,
            large_bytes: limits.large_message_bytes,
            short: Bytes::new(limits.in_flight_bytes),
            long: Bytes::new(limits.in_flight_bytes),
            spare: Arc::new(Semaphore::new(1)),
        }
    }

    /// A request goes into the processor's mailbox.
    pub(super) fn enter(&self) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
    }

    /// A request has left the processor's mailbox.
    pub(super) fn leave(&self) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    /// The other half of the mailbox is for those who have nothing in it.
    pub(super) fn is_half_full(&self) -> bool {
        self.waiting.load(Ordering::Acquire) >= self.half
    }

    /// Whether a message of `bytes` needs room. Smaller ones are bounded by their number, and never wait for large ones.
    pub(super) fn is_large(&self, bytes: usize) -> bool {
        bytes >= self.large_bytes
    }

    /// Waits for room for a large message, in the order in which they came.
    ///
    /// Work that does not end (its peer does not read, its disk hangs) can hold all the room. So once its own connection
    /// has nothing else in flight, which `idle` tells, a message may pass without room, one of all such at a time.
    pub(super) async fn room(&self, bytes: usize, idle: impl Future<Output = ()>) -> Option<Room> {
        let pass = async {
            idle.await;
            self.spare.clone().acquire_owned().await
        };
        tokio::select! {
            biased;
            room = self.short.clone().wait(bytes) => room,
            // An error means that the semaphore was closed, which it never is.
            room = pass => room.ok(),
        }
    }

    /// Room for a long-running request, if there is any now. It may need it for minutes, so nobody waits for it.
    pub(super) fn long_room(&self, bytes: usize) -> Option<Room> {
        self.long.now(bytes)
    }
}

/// A number of bytes that can be taken. A message that is larger takes all of them.
#[derive(Clone, Debug)]
struct Bytes {
    free: Arc<Semaphore>,
    all: u32,
}

impl Bytes {
    fn new(all: usize) -> Self {
        let all = u32::try_from(all).unwrap_or(u32::MAX);
        Self { free: Arc::new(Semaphore::new(all as usize)), all }
    }

    fn share(&self, bytes: usize) -> u32 {
        u32::try_from(bytes).map_or(self.all, |bytes| bytes.min(self.all))
    }

    async fn wait(self, bytes: usize) -> Option<Room> {
        let share = self.share(bytes);
        self.free.acquire_many_owned(share).await.ok()
    }

    fn now(&self, bytes: usize) -> Option<Room> {
        self.free.clone().try_acquire_many_owned(self.share(bytes)).ok()
    }
}
