//! The numbers of items.

use crate::model::event::ModelEvent;
use crate::protocol::model::HistoryItem;

/// Numbers the items of an answer, and counts those that were reported.
#[derive(Debug)]
pub struct Numbers {
    /// The number of the next item.
    pub next: u32,
    /// Items that are complete.
    pub done: u32,
}

impl Numbers {
    /// The first item gets the number `first`.
    pub fn new(first: u32) -> Self {
        Self { next: first, done: 0 }
    }

    /// Takes the next number.
    pub fn take(&mut self) -> u32 {
        let number = self.next;
        self.next = number.saturating_add(1);
        number
    }

    /// Reports a complete item.
    pub fn finish(&mut self, item: u32, entry: HistoryItem, cut: bool, out: &mut Vec<ModelEvent>) {
        self.done = self.done.saturating_add(1);
        out.push(ModelEvent::ItemDone { item, entry, cut });
    }
}
