//! The order of what clients wish, so that a wish that took long undoes no later one.

use std::cell::Cell;

/// Counts wishes, and apart from them those that are to be remembered: a passing wish leaves alone what is remembered.
#[derive(Default)]
pub struct Wishes {
    all: Cell<u64>,
    lasting: Cell<u64>,
}

impl Wishes {
    /// The number of a new wish.
    pub fn next(&self) -> u64 {
        self.all.set(self.all.get() + 1);
        self.all.get()
    }

    /// The number of a new wish among those that are to be remembered.
    pub fn next_lasting(&self) -> u64 {
        self.lasting.set(self.lasting.get() + 1);
        self.lasting.get()
    }

    /// Whether nothing else was wished since.
    pub fn is_last(&self, wish: u64) -> bool {
        self.all.get() == wish
    }

    /// Whether nothing else was to be remembered since.
    pub fn is_last_lasting(&self, wish: u64) -> bool {
        self.lasting.get() == wish
    }
}
