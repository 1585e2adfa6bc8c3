//! What is queued towards one peer, seen from both ends: the router adds, the connection's wire takes off.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Bytes that a queued message takes besides its text: its envelope, its places in queues, the allocator's rounding.
/// Counted, because thousands of short messages would otherwise take a multiple of their budget.
const OVERHEAD_BYTES: usize = 512;

/// Shared by the router, which judges it, and the connection, which writes. Counts from hand-over until the bytes were
/// given to the socket.
#[derive(Debug, Default)]
pub struct Outbound {
    queued_bytes: AtomicUsize,
    steps: AtomicU64,
    gone: AtomicBool,
    /// Wakes those who wait for room, one after the other.
    drained: Notify,
}

impl Outbound {
    /// The router (or the connection itself, for an error it answers on its own) queues a message of `bytes`.
    pub fn queue(&self, bytes: usize) {
        self.queued_bytes.fetch_add(bytes + OVERHEAD_BYTES, Ordering::AcqRel);
    }

    /// The wire has given so many messages, `bytes` together, to the socket. Of one that it gave in parts before, these are
    /// the last.
    pub fn written(&self, messages: usize, bytes: usize) {
        self.queued_bytes.fetch_sub(bytes + messages * OVERHEAD_BYTES, Ordering::AcqRel);
        self.steps.fetch_add(1, Ordering::AcqRel);
        self.drained.notify_one();
    }

    /// The wire has given `bytes` of a message to the socket, and has more of it.
    pub fn written_in_part(&self, bytes: usize) {
        self.queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.steps.fetch_add(1, Ordering::AcqRel);
    }

    /// The connection is over: nobody has to wait for it any more.
    pub fn close(&self) {
        self.gone.store(true, Ordering::Release);
        self.drained.notify_one();
    }

    /// Returns when at most `bytes` are queued, or the connection is over.
    pub async fn room(&self, bytes: usize) {
        while self.queued_bytes() > bytes && !self.gone.load(Ordering::Acquire) {
            self.drained.notified().await;
        }
        // There may be room for the next one, too.
        self.drained.notify_one();
    }

    /// Bytes not yet given to the socket, and what they take besides.
    pub fn queued_bytes(&self) -> usize {
        self.queued_bytes.load(Ordering::Acquire)
    }

    /// How often something was given to the socket since the connection opened: when it stands still while something is
    /// queued, the peer makes no progress.
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
