//! Counters of refused clients, by reason.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::{Denial, PeerNetwork};

/// Minimum interval between log lines about failures.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Counters by reason. They do not include tokens or peers, whose number is unbounded.
#[derive(Default)]
pub struct Failures {
    counts: [AtomicU64; Denial::LABELS.len()],
    reported: Mutex<Option<Instant>>,
}

impl Failures {
    /// Counts a failure of a client in the network `peer`. The first one is logged, then the counts at most once a minute.
    pub fn count(&self, denial: Denial, peer: PeerNetwork) {
        self.counts[denial.index()].fetch_add(1, Ordering::Relaxed);
        if self.is_due(Instant::now()) {
            let counts: Vec<String> = self.counts().map(|(label, count)| format!("{label} {count}")).collect();
            log::warn!(
                peer = peer.to_string();
                "clients failed to authenticate, the last one from {peer}; counts since the start: {}", counts.join(", ")
            );
        }
    }

    /// The reasons since the start with their counts.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = Denial::LABELS.into_iter().zip(&self.counts);
        counts.map(|(label, count)| (label, count.load(Ordering::Relaxed))).filter(|(_, count)| *count > 0)
    }

    fn is_due(&self, now: Instant) -> bool {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let due = reported.is_none_or(|last| now.duration_since(last) >= REPORT_EVERY);
        if due {
            *reported = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_reason() {
        let failures = Failures::default();
        let peer = PeerNetwork::of([127, 0, 0, 1].into());
        for denial in [Denial::Missing, Denial::Expired, Denial::Expired] {
            failures.count(denial, peer);
        }
        failures.count(Denial::TooManyFailures { retry_after_seconds: 9 }, peer);
        let counts: Vec<_> = failures.counts().collect();
        assert_eq!(counts, [("missing", 1), ("expired", 2), ("too_many_failures", 1)]);
    }

    #[test]
    fn a_flood_is_one_line_a_minute() {
        let failures = Failures::default();
        let start = Instant::now();
        assert!(failures.is_due(start));
        assert!(!failures.is_due(start + Duration::from_secs(59)));
        assert!(failures.is_due(start + Duration::from_secs(60)));
        assert!(!failures.is_due(start + Duration::from_secs(61)));
    }
}
