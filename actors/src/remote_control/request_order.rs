//! The order of clients' requests to enable and disable, so that a slow request cannot override a newer one.

use std::cell::Cell;

/// Counts requests, and separately those that are remembered: an ephemeral request does not affect what is remembered.
#[derive(Default)]
pub struct RequestOrder {
    all: Cell<u64>,
    lasting: Cell<u64>,
}

impl RequestOrder {
    /// The number of a new request.
    pub fn next(&self) -> u64 {
        self.all.set(self.all.get() + 1);
        self.all.get()
    }

    /// The number of a new request among those that are remembered.
    pub fn next_lasting(&self) -> u64 {
        self.lasting.set(self.lasting.get() + 1);
        self.lasting.get()
    }

    /// Whether no newer request has been made.
    pub fn is_last(&self, number: u64) -> bool {
        self.all.get() == number
    }

    /// Whether no newer request is to be remembered.
    pub fn is_last_lasting(&self, number: u64) -> bool {
        self.lasting.get() == number
    }
}
