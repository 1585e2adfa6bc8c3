//! The outbound queue of one peer: the router adds to its count, the connection's wire subtracts.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Memory that a queued message takes besides its text: its envelope, its slots in queues, the allocator's rounding. It
/// is counted because thousands of short messages would otherwise take a multiple of their budget.
const OVERHEAD_BYTES: usize = 512;

/// Counts bytes from the hand-over until they are written to the socket. Shared by the router, which enforces the
/// bounds, and the connection, which writes.
#[derive(Debug, Default)]
pub struct Outbound {
    queued_bytes: AtomicUsize,
    /// The most of [`Self::queued_bytes`] since it was last taken.
    peak_bytes: AtomicUsize,
    steps: AtomicU64,
    gone: AtomicBool,
    /// Wakes the tasks that wait in [`Self::room`], one after the other.
    drained: Notify,
}

impl Outbound {
    /// A message of `bytes` is queued, by the router or, for its own errors, by the connection.
    pub fn queue(&self, bytes: usize) {
        let before = self.queued_bytes.fetch_add(bytes + OVERHEAD_BYTES, Ordering::AcqRel);
        let queued = before + bytes + OVERHEAD_BYTES;
        // Most messages are no new peak, and a read costs a fraction of a write.
        if queued > self.peak_bytes.load(Ordering::Relaxed) {
            self.peak_bytes.fetch_max(queued, Ordering::Relaxed);
        }
    }

    /// `messages` messages with `bytes` bytes in total were written to the socket. For a message that was written in
    /// parts, `bytes` includes only its last part.
    pub fn written(&self, messages: usize, bytes: usize) {
        self.queued_bytes.fetch_sub(bytes + messages * OVERHEAD_BYTES, Ordering::AcqRel);
        self.steps.fetch_add(1, Ordering::AcqRel);
        self.drained.notify_one();
    }

    /// `bytes` of a message were written to the socket; more of it follows.
    pub fn written_in_part(&self, bytes: usize) {
        self.queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.steps.fetch_add(1, Ordering::AcqRel);
    }

    /// The connection has ended: wakes everything that waits for it.
    pub fn close(&self) {
        self.gone.store(true, Ordering::Release);
        self.drained.notify_one();
    }

    /// Whether at most `bytes` are queued, or the connection is over.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.queued_bytes() <= bytes || self.gone.load(Ordering::Acquire)
    }

    /// Waits until at most `bytes` are queued, or the connection has ended.
    pub async fn room(&self, bytes: usize) {
        while !self.has_room(bytes) {
            self.drained.notified().await;
        }
        // There may be room for the next waiting task, too.
        self.drained.notify_one();
    }

    /// Bytes that are not written to the socket yet, including the overhead of their messages.
    pub fn queued_bytes(&self) -> usize {
        self.queued_bytes.load(Ordering::Acquire)
    }

    /// The most bytes that were queued since the last call.
    pub fn take_peak(&self) -> usize {
        self.peak_bytes.swap(self.queued_bytes(), Ordering::Relaxed)
    }

    /// Number of writes since the connection opened. If it stays the same while something is queued, the peer makes no
    /// progress.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[actix_rt::test]
    async fn everybody_who_waits_for_room_gets_it() {
        let outbound = Arc::new(Outbound::default());
        outbound.queue(10);
        let wait = |outbound: Arc<Outbound>| actix_rt::spawn(async move { outbound.room(0).await });
        let waiting = [wait(outbound.clone()), wait(outbound.clone())];
        actix_rt::task::yield_now().await;
        assert!(waiting.iter().all(|task| !task.is_finished()));
        outbound.written(1, 10);
        for task in waiting {
            task.await.unwrap();
        }
    }

    #[actix_rt::test]
    async fn nobody_waits_for_a_connection_that_is_over() {
        let outbound = Outbound::default();
        outbound.queue(10);
        outbound.close();
        outbound.room(0).await;
    }
}
