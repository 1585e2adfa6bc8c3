//! Returns memory to the system after connections have ended, so that a past crowd or a disconnected peer costs
//! nothing.

use std::sync::{Arc, Weak};
use std::thread;

use crate::connection::outbound::Outbound;

/// Ticks of the router from one check to the next.
pub(super) const EVERY: u64 = 3;

/// Freed bytes above which memory is returned.
const WORTH_IT: usize = 1024 * 1024;

/// Memory of a connection besides its queue, in bytes.
const CONNECTION_BYTES: usize = 16 * 1024;

/// Bytes that a queue must have lost since the last check to be counted. Less is the ordinary course of things.
const DRAINED_BYTES: usize = 256 * 1024;

/// An estimate of the bytes freed since memory was last returned.
#[derive(Debug, Default)]
pub(super) struct Freed {
    bytes: usize,
    /// Connections that the router has forgotten, and what is queued for each: it is freed when the connection lets go.
    ending: Vec<(Weak<Outbound>, usize)>,
}

impl Freed {
    /// The connection of this queue ends.
    pub(super) fn connection(&mut self, outbound: &Arc<Outbound>) {
        self.ending.push((Arc::downgrade(outbound), outbound.take_peak().saturating_add(CONNECTION_BYTES)));
    }

    /// Looks at the queue of a connection that goes on. Call it once for each check.
    pub(super) fn look_at(&mut self, outbound: &Outbound) {
        let drained = outbound.take_peak().saturating_sub(outbound.queued_bytes());
        if drained >= DRAINED_BYTES {
            self.count(drained);
        }
    }

    fn count(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Counts the connections that have let go of their queues.
    fn settle(&mut self) {
        let ended = self.ending.extract_if(.., |(outbound, _)| outbound.strong_count() == 0);
        let bytes = ended.fold(0, |sum: usize, (_, bytes)| sum.saturating_add(bytes));
        self.count(bytes);
    }

    /// Whether all connections that ended have let go of their queues.
    pub(super) fn is_settled(&self) -> bool {
        self.ending.is_empty()
    }

    /// Whether enough was freed. If so, the count restarts.
    fn take_if_worth_it(&mut self) -> bool {
        self.settle();
        let worth_it = self.bytes >= WORTH_IT;
        if worth_it {
            self.bytes = 0;
        }
        worth_it
    }

    /// Returns memory if enough was freed, on a temporary thread.
    pub(super) fn give_back(&mut self) {
        if self.take_if_worth_it()
            && let Err(error) = thread::Builder::new().name("memory".into()).spawn(command_launcher::give_back_memory)
        {
            log::debug!("memory is given back another time: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(bytes: usize) -> Arc<Outbound> {
        let outbound = Arc::new(Outbound::default());
        outbound.queue(bytes);
        outbound
    }

    #[test]
    fn few_small_connections_are_not_worth_it_and_many_or_a_large_one_are() {
        let mut freed = Freed::default();
        for _ in 0..60 {
            freed.connection(&queue(0));
        }
        assert!(!freed.take_if_worth_it());
        for _ in 0..4 {
            freed.connection(&queue(0));
        }
        assert!(freed.take_if_worth_it());
        assert!(!freed.take_if_worth_it(), "the count starts anew");
        freed.connection(&queue(WORTH_IT));
        assert!(freed.take_if_worth_it());
    }

    #[test]
    fn a_queue_counts_when_the_connection_has_let_go_of_it() {
        let (mut freed, held) = (Freed::default(), queue(WORTH_IT));
        freed.connection(&held);
        assert!(!freed.take_if_worth_it() && !freed.is_settled());
        drop(held);
        assert!(freed.take_if_worth_it() && freed.is_settled());
    }

    #[test]
    fn a_queue_that_drained_counts_however_short_it_was_long() {
        let (mut freed, drained) = (Freed::default(), queue(WORTH_IT));
        freed.look_at(&drained);
        assert!(!freed.take_if_worth_it(), "it is still there");
        drained.written(1, WORTH_IT);
        freed.look_at(&drained);
        assert!(freed.take_if_worth_it());
        drained.queue(WORTH_IT);
        drained.written(1, WORTH_IT);
        freed.look_at(&drained);
        assert!(freed.take_if_worth_it(), "it came and went between two checks");
        drained.queue(DRAINED_BYTES / 2);
        drained.written(1, DRAINED_BYTES / 2);
        for _ in 0..100 {
            freed.look_at(&drained);
        }
        assert!(!freed.take_if_worth_it());
    }
}
