//! The shared part of the way in: slots in the processor's mailbox, and bytes for large messages.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::yield_now;

use crate::limits::Limits;

/// Tracks how full the processor's mailbox is, and how many bytes of large requests are in flight.
#[derive(Debug)]
pub struct Ingress {
    waiting: AtomicUsize,
    half: usize,
    /// Requests that a reader may submit in its turn.
    turn: usize,
    /// Requests that have left the mailbox so far.
    left: AtomicUsize,
    queue: Mutex<Queue>,
    large_bytes: usize,
    short: Bytes,
    long: Bytes,
    /// Admits one large message of a connection with nothing in flight when all bytes are taken.
    spare: Arc<Semaphore>,
}

/// Readers whose next message waits until the mailbox is less than half full.
#[derive(Debug, Default)]
struct Queue {
    last: Ticket,
    readers: BTreeMap<Ticket, Waker>,
}

/// A place in the queue, kept until its turn.
pub(super) type Ticket = u64;

/// The share of bytes of one large message; given back when dropped.
pub type Room = OwnedSemaphorePermit;

impl Ingress {
    /// Creates the state with nothing in flight.
    pub fn new(limits: &Limits) -> Self {
        Self {
            waiting: AtomicUsize::new(0),
            half: (limits.processor_mailbox_messages / 2).max(1),
            turn: limits.connection_waiting_requests.max(1),
            left: AtomicUsize::new(0),
            queue: Mutex::default(),
            large_bytes: limits.large_message_bytes,
            short: Bytes::new(limits.in_flight_bytes),
            long: Bytes::new(limits.in_flight_bytes),
            spare: Arc::new(Semaphore::new(1)),
        }
    }

    /// Number of requests in the processor's mailbox.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A request enters the processor's mailbox.
    pub(super) fn enter(&self) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
    }

    /// A request has left the processor's mailbox. Wakes the next reader once as many requests have left as it may
    /// submit; waking one reader per request would mostly be in vain.
    pub(super) fn leave(self: &Arc<Self>) {
        let waiting = self.waiting.fetch_sub(1, Ordering::AcqRel) - 1;
        let left = self.left.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let is_due = waiting == 0 || (waiting < self.half && left.is_multiple_of(self.turn));
        if is_due && self.call(1) && waiting == 0 {
            let ingress = self.clone();
            actix_rt::spawn(async move { ingress.call_the_rest().await });
        }
    }

    /// Wakes the first readers. Returns whether others are waiting behind them.
    fn call(&self, readers: usize) -> bool {
        let mut queue = self.queue();
        for _ in 0..readers {
            let Some((_, reader)) = queue.readers.pop_first() else { return false };
            reader.wake();
        }
        !queue.readers.is_empty()
    }

    /// A woken reader may submit little, or nothing if its own peer does not read. Nothing leaves an empty mailbox that
    /// would wake the readers behind it, so they are woken here.
    async fn call_the_rest(&self) {
        while !self.is_half_full() && self.call(self.half) {
            yield_now().await;
        }
    }

    /// Ready when a message may enter the mailbox. While the mailbox is half full, readers queue up, and each submits
    /// as much as its brake allows: a connection that is read for many requests at once is answered in one write. The
    /// other half is for messages that do not queue: notes and disconnections.
    pub(super) fn poll_turn(&self, ticket: &mut Option<Ticket>, cx: &mut Context<'_>) -> Poll<()> {
        if ticket.is_none() && !self.is_half_full() {
            return Poll::Ready(());
        }
        let mut queue = self.queue();
        let number = *ticket.get_or_insert_with(|| {
            queue.last += 1;
            queue.last
        });
        // Checked under the lock, so that either this reader sees the free slot, or the request that leaves sees this
        // reader.
        if self.is_half_full() {
            queue.readers.insert(number, cx.waker().clone());
            return Poll::Pending;
        }
        queue.readers.remove(&number);
        *ticket = None;
        Poll::Ready(())
    }

    /// Removes a reader that has stopped waiting.
    pub(super) fn give_up(&self, ticket: Ticket) {
        self.queue().readers.remove(&ticket);
    }

    fn is_half_full(&self) -> bool {
        self.waiting.load(Ordering::Acquire) >= self.half
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        // No code under the lock can panic halfway through a change.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a message of `bytes` counts as large. Smaller messages are bounded by their number and never wait for
    /// large ones.
    pub(super) fn is_large(&self, bytes: usize) -> bool {
        bytes >= self.large_bytes
    }

    /// Waits for the share of bytes of a large message, in order of arrival.
    ///
    /// Requests that do not end (the peer does not read, the disk hangs) can hold all bytes. So a message may also pass
    /// once its own connection has nothing else in flight (`idle` resolves), one such message at a time.
    pub(super) async fn room(&self, bytes: usize, idle: impl Future<Output = ()>) -> Option<Room> {
        let pass = async {
            idle.await;
            self.spare.clone().acquire_owned().await
        };
        tokio::select! {
            biased;
            room = self.short.clone().wait(bytes) => room,
            // The semaphore is never closed, so there is no error.
            room = pass => room.ok(),
        }
    }

    /// The share of bytes for a long-running request, if it is free now. It may be held for minutes, so nothing waits
    /// for it.
    pub(super) fn long_room(&self, bytes: usize) -> Option<Room> {
        self.long.now(bytes)
    }
}

/// A budget of bytes. A message larger than the budget takes all of it.
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
