//! A histogram of times. Recording one costs two additions to shared counters.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets of requests, in nanoseconds: 25 µs to 10 min.
pub const REQUESTS: &[u64] = &[
    25_000,
    100_000,
    500_000,
    1_000_000,
    5_000_000,
    25_000_000,
    100_000_000,
    500_000_000,
    2_500_000_000,
    10_000_000_000,
    60_000_000_000,
    600_000_000_000,
];

/// Upper bounds of the buckets of what the disk does, in nanoseconds: 50 µs to 5 s.
pub const DISK: &[u64] =
    &[50_000, 250_000, 1_000_000, 2_500_000, 10_000_000, 50_000_000, 250_000_000, 1_000_000_000, 5_000_000_000];

/// Upper bounds of the buckets of models, tools and people, in nanoseconds: 10 ms to 1 h.
pub const WORK: &[u64] = &[
    10_000_000,
    50_000_000,
    250_000_000,
    1_000_000_000,
    2_500_000_000,
    10_000_000_000,
    30_000_000_000,
    120_000_000_000,
    600_000_000_000,
    3_600_000_000_000,
];

/// See the module's documentation.
#[derive(Debug)]
pub struct Durations {
    bounds: &'static [u64],
    /// One more than there are bounds: the last one is for what is longer than all of them.
    buckets: Box<[AtomicU64]>,
    sum_ns: AtomicU64,
}

/// What a histogram held at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// Upper bound of each bucket in seconds, and how many fell into it and into no earlier one. The last bound is
    /// [`f64::MAX`].
    pub buckets: Vec<(f64, u64)>,
    /// How many there were.
    pub count: u64,
    /// Their sum, in seconds.
    pub sum: f64,
}

impl Durations {
    /// An empty histogram with these upper bounds, in nanoseconds, in ascending order.
    pub fn new(bounds: &'static [u64]) -> Self {
        Self { bounds, buckets: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(), sum_ns: AtomicU64::new(0) }
    }

    /// Something took so long.
    pub fn record(&self, took: Duration) {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        // Most are short, so this looks at one or two bounds.
        let bucket = self.bounds.iter().position(|bound| ns <= *bound).unwrap_or(self.bounds.len());
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// What it holds now.
    pub fn read(&self) -> Distribution {
        let bounds = self.bounds.iter().map(|ns| Duration::from_nanos(*ns).as_secs_f64()).chain([f64::MAX]);
        let buckets: Vec<(f64, u64)> = bounds.zip(self.buckets.iter().map(|it| it.load(Ordering::Relaxed))).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        Distribution { buckets, count, sum: Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed)).as_secs_f64() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_counts_in_the_first_bucket_that_holds_it() {
        let times = Durations::new(DISK);
        for (ns, bucket) in [(0, 0), (50_000, 0), (50_001, 1), (5_000_000_000, 8), (5_000_000_001, 9), (u64::MAX, 9)] {
            let before = times.read().buckets[bucket].1;
            times.record(Duration::from_nanos(ns));
            assert_eq!(times.read().buckets[bucket].1, before + 1, "{ns} ns");
        }
        let read = times.read();
        assert_eq!(read.count, 6);
        assert_eq!(read.buckets.last().map(|(bound, _)| *bound), Some(f64::MAX));
    }

    #[test]
    fn every_list_of_bounds_ascends() {
        for bounds in [REQUESTS, DISK, WORK] {
            assert!(bounds.is_sorted_by(|a, b| a < b), "{bounds:?}");
        }
    }
}
