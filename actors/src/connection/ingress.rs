//! What all connections share on their way in: the processor's mailbox, and room for large messages.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::yield_now;

use crate::limits::Limits;

/// How full the processor's mailbox is, and how many bytes of large requests are in flight.
#[derive(Debug)]
pub struct Ingress {
    waiting: AtomicUsize,
    half: usize,
    /// Requests that a reader may bring when its turn has come.
    turn: usize,
    /// Requests that have left the mailbox so far.
    left: AtomicUsize,
    queue: Mutex<Queue>,
    large_bytes: usize,
    short: Bytes,
    long: Bytes,
    /// For one large message of a connection that has nothing in flight, when there is no room.
    spare: Arc<Semaphore>,
}

/// Readers with a message in hand that wait until the mailbox is less than half full.
#[derive(Debug, Default)]
struct Queue {
    last: Ticket,
    readers: BTreeMap<Ticket, Waker>,
}

/// A place in the queue; kept until its turn has come.
pub(super) type Ticket = u64;

/// Room for one large message; given back when this is dropped.
pub type Room = OwnedSemaphorePermit;

impl Ingress {
    /// Nothing is on its way.
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

    /// A request goes into the processor's mailbox.
    pub(super) fn enter(&self) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
    }

    /// A request has left the processor's mailbox: the next reader is called when as many have left as it may bring. One
    /// for each request would come for nothing, most of them.
    pub(super) fn leave(self: &Arc<Self>) {
        let waiting = self.waiting.fetch_sub(1, Ordering::AcqRel) - 1;
        let left = self.left.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let is_due = waiting == 0 || (waiting < self.half && left.is_multiple_of(self.turn));
        if is_due && self.call(1) && waiting == 0 {
            let ingress = self.clone();
            actix_rt::spawn(async move { ingress.call_the_rest().await });
        }
    }

    /// Calls the first readers. True when others wait behind them.
    fn call(&self, readers: usize) -> bool {
        let mut queue = self.queue();
        for _ in 0..readers {
            let Some((_, reader)) = queue.readers.pop_first() else { return false };
            reader.wake();
        }
        !queue.readers.is_empty()
    }

    /// A reader that was called may bring little, or have gone to sleep with its peer, which does not read. Of an empty
    /// mailbox nothing leaves that would call those behind it.
    async fn call_the_rest(&self) {
        while !self.is_half_full() && self.call(self.half) {
            yield_now().await;
        }
    }

    /// Ready when a message may go into the mailbox. While that is half full readers queue up, and the first ones bring
    /// as much as their brakes allow: a connection that is read for many requests at once is answered in one write.
    /// The other half is for what does not queue, notes and goodbyes.
    pub(super) fn poll_turn(&self, ticket: &mut Option<Ticket>, cx: &mut Context<'_>) -> Poll<()> {
        if ticket.is_none() && !self.is_half_full() {
            return Poll::Ready(());
        }
        let mut queue = self.queue();
        let number = *ticket.get_or_insert_with(|| {
            queue.last += 1;
            queue.last
        });
        // Under the lock, so that whoever makes room sees this reader in the queue, or this reader sees the room.
        if self.is_half_full() {
            queue.readers.insert(number, cx.waker().clone());
            return Poll::Pending;
        }
        queue.readers.remove(&number);
        *ticket = None;
        Poll::Ready(())
    }

    /// A reader that waits no more.
    pub(super) fn give_up(&self, ticket: Ticket) {
        self.queue().readers.remove(&ticket);
    }

    fn is_half_full(&self) -> bool {
        self.waiting.load(Ordering::Acquire) >= self.half
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        // Nothing that is done under the lock can leave it half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
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
