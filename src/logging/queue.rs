//! The queue of lines for a stream that is read slowly or not at all.

use std::{
    collections::VecDeque,
    mem,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Overhead of a queued line, in bytes.
const LINE_OVERHEAD: usize = 64;

/// A bounded queue between all code that logs and the thread that writes. Adding never blocks: a line that does not fit
/// is dropped and counted.
pub struct Queue {
    state: Mutex<State>,
    /// Wakes the writer for a new line or for a new deadline.
    added: Condvar,
    /// Signals that everything is written.
    emptied: Condvar,
}

struct State {
    entries: VecDeque<Entry>,
    bytes: usize,
    most_bytes: usize,
    /// Lines dropped since the last such entry.
    untold: u64,
    dropped: u64,
    /// Whether the writer is writing an entry.
    writing: bool,
    woken: bool,
}

/// An entry for the writer.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// A line of the log with its newline.
    Line(Vec<u8>),
    /// What is said on stderr in any case, with its newline.
    Said(Vec<u8>),
    /// A number of lines that were dropped at this point.
    Dropped(u64),
}

impl Entry {
    /// Bytes that it counts for.
    fn cost(&self) -> usize {
        match self {
            Self::Line(text) | Self::Said(text) => text.len() + LINE_OVERHEAD,
            Self::Dropped(_) => 0,
        }
    }
}

impl Queue {
    /// Creates a queue for `most_bytes`.
    pub const fn new(most_bytes: usize) -> Self {
        let state = State {
            entries: VecDeque::new(),
            bytes: 0,
            most_bytes,
            untold: 0,
            dropped: 0,
            writing: false,
            woken: false,
        };
        Self { state: Mutex::new(state), added: Condvar::new(), emptied: Condvar::new() }
    }

    /// Changes the bound. Queued lines are kept.
    pub fn set_most_bytes(&self, most_bytes: usize) {
        self.lock().most_bytes = most_bytes;
    }

    /// Adds a line, or drops it if the queue is full. Never blocks.
    pub fn push(&self, line: Vec<u8>) {
        self.add(Entry::Line(line));
    }

    /// The same for what is said on stderr in any case.
    pub fn push_said(&self, text: Vec<u8>) {
        self.add(Entry::Said(text));
    }

    fn add(&self, entry: Entry) {
        let mut state = self.lock();
        let cost = entry.cost();
        if state.bytes + cost > state.most_bytes {
            state.untold += 1;
            state.dropped += 1;
            return;
        }
        state.tell_of_dropped();
        state.bytes += cost;
        state.entries.push_back(entry);
        drop(state);
        self.added.notify_one();
    }

    /// Waits for the next entry until `deadline` or [`Self::wake`]. The previous entry counts as written from now on.
    pub fn next(&self, deadline: Option<Instant>) -> Option<Entry> {
        let mut state = self.lock();
        state.writing = false;
        loop {
            if state.entries.is_empty() {
                state.tell_of_dropped();
            }
            if let Some(entry) = state.entries.pop_front() {
                state.bytes -= entry.cost();
                state.writing = true;
                return Some(entry);
            }
            self.emptied.notify_all();
            if mem::take(&mut state.woken) {
                return None;
            }
            state = match deadline {
                None => self.added.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    self.added.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Makes [`Self::next`] return without an entry.
    pub fn wake(&self) {
        self.lock().woken = true;
        self.added.notify_one();
    }

    /// Waits until everything is written, for `limit` at most.
    pub fn wait_until_empty(&self, limit: Duration) {
        let state = self.lock();
        let busy = |state: &mut State| state.writing || state.untold > 0 || !state.entries.is_empty();
        drop(self.emptied.wait_timeout_while(state, limit, busy));
    }

    /// Number of lines dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell_of_dropped(&mut self) {
        match mem::take(&mut self.untold) {
            0 => {}
            dropped => self.entries.push_back(Entry::Dropped(dropped)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Entry {
        Entry::Line(text.as_bytes().to_vec())
    }

    fn push(queue: &Queue, text: &str) {
        queue.push(text.as_bytes().to_vec());
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_told_where_it_is_missing() {
        let queue = Queue::new(2 * (1 + LINE_OVERHEAD));
        for text in ["a", "b", "c", "d"] {
            push(&queue, text);
        }
        assert_eq!(queue.next(None), Some(line("a")));
        push(&queue, "e");
        push(&queue, "f");
        assert_eq!(queue.next(None), Some(line("b")));
        assert_eq!(queue.next(None), Some(Entry::Dropped(2)));
        assert_eq!(queue.next(None), Some(line("e")));
        assert_eq!(queue.next(None), Some(Entry::Dropped(1)), "although nothing came after it");
        assert_eq!(queue.dropped(), 3);
    }

    #[test]
    fn a_line_larger_than_the_bound_is_dropped() {
        let queue = Queue::new(10);
        push(&queue, "a");
        assert_eq!(queue.next(None), Some(Entry::Dropped(1)));
    }

    #[test]
    fn the_writer_waits_no_longer_than_told() {
        let queue = Queue::new(1000);
        assert_eq!(queue.next(Some(Instant::now())), None);
        queue.wake();
        assert_eq!(queue.next(None), None);
    }

    #[test]
    fn an_entry_counts_as_written_when_the_next_one_is_asked_for() {
        let queue = Queue::new(1000);
        push(&queue, "a");
        assert_eq!(queue.next(None), Some(line("a")));
        queue.wait_until_empty(Duration::ZERO);
        assert!(queue.lock().writing, "the wait ended by its limit");
        std::thread::scope(|scope| {
            scope.spawn(|| queue.wait_until_empty(Duration::from_secs(60)));
            queue.wake();
            assert_eq!(queue.next(None), None);
        });
    }
}
