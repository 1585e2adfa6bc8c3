//! How many clients were not let in, and why.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::Denial;

/// A flood of failures makes one line of log in this time.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// Counters by reason. They say nothing of tokens or peers, whose number nobody bounds.
#[derive(Default)]
pub struct Failures {
    counts: [AtomicU64; Denial::LABELS.len()],
    reported: Mutex<Option<Instant>>,
}

impl Failures {
    /// Counts a failure. The first one is logged, and then the counts not more often than once a minute.
    pub fn count(&self, denial: Denial) {
        self.counts[denial.index()].fetch_add(1, Ordering::Relaxed);
        if self.is_due(Instant::now()) {
            let counts: Vec<String> = self.counts().map(|(label, count)| format!("{label} {count}")).collect();
            log::warn!("clients were not let in; since the start: {}", counts.join(", "));
        }
    }

    /// The reasons that occurred since the start, and how often.
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
        for denial in [Denial::Missing, Denial::Expired, Denial::Expired] {
            failures.count(denial);
        }
        failures.count(Denial::TooManyFailures { retry_after_seconds: 9 });
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
