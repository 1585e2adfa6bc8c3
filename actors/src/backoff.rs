//! Waits after failures (spec: remote control 10.4).

use std::time::Duration;

/// Counts failures in a row. After each failure comes a random wait between half a window and the whole window. The
/// window doubles with each failure, up to a bound.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    failures: u32,
}

impl Backoff {
    /// No failure has happened yet. `first` is the longest wait after the first failure, `most` the longest wait ever.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, failures: 0 }
    }

    /// Counts a failure, and returns the wait after it. `random` is at least 0 and below 1.
    pub fn next(&mut self, random: f64) -> Duration {
        // Beyond 31 doublings every first window is at the bound.
        let window = self.first.saturating_mul(1 << self.failures.min(31)).min(self.most);
        self.failures = self.failures.saturating_add(1);
        window.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
    }

    /// Forgets all failures.
    pub fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backoff() -> Backoff {
        Backoff::new(Duration::from_secs(5), Duration::from_secs(30))
    }

    fn waits(random: f64) -> Vec<u128> {
        let mut backoff = backoff();
        (0..5).map(|_| backoff.next(random).as_millis()).collect()
    }

    #[test]
    fn windows_double_up_to_the_bound_and_stay_there() {
        assert_eq!(waits(0.0), [2_500, 5_000, 10_000, 15_000, 15_000]);
        assert_eq!(waits(1.0), [5_000, 10_000, 20_000, 30_000, 30_000]);
    }

    #[test]
    fn a_thousand_failures_overflow_nothing_and_a_reset_forgets_them() {
        let mut backoff = backoff();
        (0..1000).for_each(|_| assert!(backoff.next(0.5) <= Duration::from_secs(30)));
        backoff.reset();
        assert_eq!(backoff.next(0.0), Duration::from_millis(2_500));
    }
}
