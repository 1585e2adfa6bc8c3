//! Requests about one thread finish in order of arrival; requests about different threads do not wait for each other.

use std::collections::{HashMap, VecDeque};

use crate::protocol::thread::ThreadId;

/// The unfinished requests of each thread, oldest first. A request that is done before an earlier one waits here as a
/// `T`.
pub(super) struct Lanes<T> {
    lanes: HashMap<ThreadId, VecDeque<(u64, Option<T>)>>,
    last_ticket: u64,
}

/// A request's place in the lane of its thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    thread: ThreadId,
    ticket: u64,
}

impl<T> Lanes<T> {
    pub(super) fn new() -> Self {
        Self { lanes: HashMap::new(), last_ticket: 0 }
    }

    /// Takes the last place in the lane of `thread`.
    pub(super) fn enter(&mut self, thread: ThreadId) -> Place {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        self.lanes.entry(thread).or_default().push_back((ticket, None));
        Place { thread, ticket }
    }

    /// The request at `place` is done. Returns what may finish now, in order.
    pub(super) fn done(&mut self, place: Place, outcome: T) -> Vec<T> {
        let Some(lane) = self.lanes.get_mut(&place.thread) else { return Vec::new() };
        if let Ok(index) = lane.binary_search_by_key(&place.ticket, |(ticket, _)| *ticket) {
            lane[index].1 = Some(outcome);
        }
        let mut ended = Vec::new();
        while let Some(outcome) = lane.front_mut().and_then(|(_, outcome)| outcome.take()) {
            lane.pop_front();
            ended.push(outcome);
        }
        if lane.is_empty() {
            self.lanes.remove(&place.thread);
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_about_one_thread_end_in_their_order() {
        let (mut lanes, thread) = (Lanes::new(), ThreadId::new());
        let [first, second, third] = [(); 3].map(|()| lanes.enter(thread));
        assert!(lanes.done(second, 2).is_empty());
        assert_eq!(lanes.done(first, 1), [1, 2]);
        assert_eq!(lanes.done(third, 3), [3]);
        assert!(lanes.lanes.is_empty(), "nothing is kept");
    }

    #[test]
    fn other_threads_do_not_wait() {
        let mut lanes = Lanes::new();
        let slow = lanes.enter(ThreadId::new());
        let quick = lanes.enter(ThreadId::new());
        assert_eq!(lanes.done(quick, "quick"), ["quick"]);
        assert_eq!(lanes.done(slow, "slow"), ["slow"]);
    }
}
