//! Counts for a few fixed labels: for what happens now and then, not for every message.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts by label. Labels stand in the code, so no peer can make new ones.
#[derive(Debug, Default)]
pub struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    /// One more of these.
    pub fn add(&self, label: &'static str) {
        *self.lock().entry(label).or_default() += 1;
    }

    /// How many there were, by label.
    pub fn read(&self) -> BTreeMap<&'static str, u64> {
        self.lock().clone()
    }

    /// How many there were of all labels.
    pub fn total(&self) -> u64 {
        self.lock().values().sum()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        // Nothing under the lock can panic halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
