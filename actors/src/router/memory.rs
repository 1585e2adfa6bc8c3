//! Memory that connections leave behind goes back to the system: a crowd that was here, or a peer that was cut, shall
//! cost nothing any more.

use std::thread;
use std::time::Duration;

/// How often it is looked at whether there is something to give back.
pub(super) const CHECK: Duration = Duration::from_secs(3);

/// Bytes that are worth the trouble.
const WORTH_IT: usize = 1024 * 1024;

/// What a connection takes besides what is queued towards it.
const CONNECTION_BYTES: usize = 16 * 1024;

/// About how much became free since memory was last given back.
#[derive(Debug, Default)]
pub(super) struct Freed {
    bytes: usize,
}

impl Freed {
    /// A connection has ended, and of what was queued towards it so many bytes were left.
    pub(super) fn connection(&mut self, queued_bytes: usize) {
        self.bytes = self.bytes.saturating_add(CONNECTION_BYTES).saturating_add(queued_bytes);
    }

    /// Whether enough became free; the count starts anew then.
    fn take_if_worth_it(&mut self) -> bool {
        let worth_it = self.bytes >= WORTH_IT;
        if worth_it {
            self.bytes = 0;
        }
        worth_it
    }

    /// Gives it back if that is worth it, on a thread that lives as long as this takes.
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
