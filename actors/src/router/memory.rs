//! Returns memory to the system after connections have ended, so that a past crowd or a disconnected peer costs
//! nothing.

use std::thread;
use std::time::Duration;

/// Interval between checks.
pub(super) const CHECK: Duration = Duration::from_secs(3);

/// Freed bytes above which memory is returned.
const WORTH_IT: usize = 1024 * 1024;

/// Memory of a connection besides its queue, in bytes.
const CONNECTION_BYTES: usize = 16 * 1024;

/// An estimate of the bytes freed since memory was last returned.
#[derive(Debug, Default)]
pub(super) struct Freed {
    bytes: usize,
}

impl Freed {
    /// A connection has ended with `queued_bytes` left in its queue.
    pub(super) fn connection(&mut self, queued_bytes: usize) {
        self.bytes = self.bytes.saturating_add(CONNECTION_BYTES).saturating_add(queued_bytes);
    }

    /// Whether enough was freed. If so, the count restarts.
    fn take_if_worth_it(&mut self) -> bool {
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

    #[test]
    fn few_small_connections_are_not_worth_it_and_many_or_a_large_one_are() {
        let mut freed = Freed::default();
        for _ in 0..63 {
            freed.connection(0);
        }
        assert!(!freed.take_if_worth_it());
        freed.connection(0);
        assert!(freed.take_if_worth_it());
        assert!(!freed.take_if_worth_it(), "the count starts anew");
        freed.connection(WORTH_IT);
        assert!(freed.take_if_worth_it());
    }
}
