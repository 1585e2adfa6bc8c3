//! Returns memory to the system after connections have ended, so that a past crowd or a disconnected peer costs
//! nothing, and code after work, so that an idle server is small.

use std::sync::{Arc, Weak};
use std::thread;

use crate::connection::outbound::Outbound;

/// Ticks of the router from one check to the next.
pub(super) const EVERY: u64 = 3;

/// Freed bytes above which memory is returned.
const WORTH_IT: usize = 1024 * 1024;

/// Page faults between two checks up to which nothing is being done.
const QUIET: u64 = 8;

/// Page faults after which there is code to give back: of 64 KiB each, as the kernel maps sixteen pages at once. What an idle
/// server needs of it again takes fewer.
const WORK: u64 = 64;

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

    /// Returns memory if enough was freed.
    pub(super) fn give_back(&mut self) {
        if self.take_if_worth_it() {
            aside(command_launcher::give_back_memory);
        }
    }
}

/// Tells when work is over. A request runs code of every part of the program, and the kernel maps sixteen pages for each that
/// is touched: without this, an idle server keeps most of the program resident.
#[derive(Debug)]
pub(super) struct Work {
    /// Page faults of this process so far.
    faults: fn() -> u64,
    /// How many there were at the last check.
    checked: u64,
    /// How many there were when code was last given back.
    given_back: u64,
}

impl Work {
    /// Of this process.
    pub(super) fn of_process() -> Self {
        Self::seen_by(command_launcher::page_faults)
    }

    /// `faults` is the number of page faults so far.
    pub(super) fn seen_by(faults: fn() -> u64) -> Self {
        Self { faults, checked: 0, given_back: 0 }
    }

    /// Whether there has been work since it last was over, and none since the last check. Call it once for each check.
    fn is_over(&mut self, faults: u64) -> bool {
        let since_check = faults.saturating_sub(std::mem::replace(&mut self.checked, faults));
        let is_over = since_check <= QUIET && !self.is_settled();
        if is_over {
            self.given_back = faults;
        }
        is_over
    }

    /// Whether there is nothing to give back.
    pub(super) fn is_settled(&self) -> bool {
        self.checked.saturating_sub(self.given_back) < WORK
    }

    /// Gives back code if work is over.
    pub(super) fn give_back(&mut self) {
        if self.is_over((self.faults)()) {
            aside(|| {
                if let Err(error) = command_launcher::give_back_code() {
                    log::debug!("code stays mapped: {error}");
                }
            });
        }
    }
}

/// On a temporary thread.
fn aside(work: fn()) {
    if let Err(error) = thread::Builder::new().name("memory".into()).spawn(work) {
        log::debug!("memory is given back another time: {error}");
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

    #[test]
    fn work_is_over_once_when_a_check_has_seen_none() {
        let mut work = Work::of_process();
        let mut check = |faults| (work.is_over(faults), work.is_settled());
        assert_eq!(check(500), (false, false), "the start is work");
        assert_eq!(check(501), (true, true));
        assert_eq!(check(502), (false, true), "once");
        assert_eq!(check(532), (false, true), "what an idle server needs again is no work");
        assert_eq!(check(600), (false, false));
        assert_eq!(check(700), (false, false), "not yet over");
        assert_eq!(check(703), (true, true));
    }
}
