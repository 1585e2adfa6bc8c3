//! The requests of one client.

use std::collections::VecDeque;

use super::{Request, Ticket};

/// What one client has asked and not been answered.
pub(super) struct Client<R, A> {
    /// Requests that must not be decided yet, and all that came behind them.
    waiting: VecDeque<(Ticket, R)>,
    /// The request at the head waits until the client has read what it was sent before.
    waits_for_peer: bool,
    /// A large answer is being made.
    large: bool,
    /// Undecided requests that may change what an overview shows.
    changes: usize,
    /// Undecided overviews.
    overviews: usize,
    /// Requests about threads that have entered their lanes, oldest first. An answer behind one about the same thread
    /// waits here.
    unanswered: VecDeque<(Ticket, Option<A>)>,
}

/// What comes next of a client.
pub(super) enum Next<R> {
    /// This request.
    Request(Ticket, R),
    /// A large request, when the client has read what it was sent before.
    WaitsForPeer,
    /// Nothing before something else happens.
    Waits,
}

impl<R, A> Default for Client<R, A> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            waits_for_peer: false,
            large: false,
            changes: 0,
            overviews: 0,
            unanswered: VecDeque::new(),
        }
    }
}

impl<R: Request, A> Client<R, A> {
    pub(super) fn wait(&mut self, ticket: Ticket, request: R) {
        self.waiting.push_back((ticket, request));
    }

    pub(super) fn head(&self) -> Option<&R> {
        self.waiting.front().map(|(_, request)| request)
    }

    pub(super) fn peer_drained(&mut self) {
        self.waits_for_peer = false;
    }

    /// The next request, unless it must wait.
    pub(super) fn take_next(&mut self) -> Next<R> {
        let Some((ticket, request)) = self.waiting.front() else { return Next::Waits };
        let too_early = (ticket.is_overview() && self.changes > 0)
            || (ticket.changes() && self.overviews > 0)
            || (ticket.large && self.large);
        if self.waits_for_peer || too_early {
            return Next::Waits;
        }
        if ticket.large && !request.peer_has_drained() {
            self.waits_for_peer = true;
            return Next::WaitsForPeer;
        }
        self.waiting.pop_front().map_or(Next::Waits, |(ticket, request)| Next::Request(ticket, request))
    }

    /// The request that was taken last has got its number.
    pub(super) fn entered(&mut self, ticket: Ticket) {
        self.changes += usize::from(ticket.changes());
        self.overviews += usize::from(ticket.is_overview());
        self.large |= ticket.large;
        if ticket.about.is_some() {
            self.unanswered.push_back((ticket, None));
        }
    }

    /// Whether the client waits for the answer to a request about the same thread from before this one.
    pub(super) fn owes_before(&self, ticket: &Ticket) -> bool {
        let before = self.unanswered.iter().take_while(|(other, _)| other.number < ticket.number);
        before.into_iter().any(|(other, _)| other.about == ticket.about)
    }

    pub(super) fn decided(&mut self, ticket: &Ticket) {
        self.changes -= usize::from(ticket.changes());
        self.overviews -= usize::from(ticket.is_overview());
    }

    /// The answers that may be sent now.
    pub(super) fn answered(&mut self, ticket: Ticket, answer: A) -> Vec<(Ticket, A)> {
        if ticket.about.is_none() {
            return vec![(ticket, answer)];
        }
        if let Ok(index) = self.unanswered.binary_search_by_key(&ticket.number, |(other, _)| other.number) {
            self.unanswered[index].1 = Some(answer);
        }
        let mut answers = Vec::new();
        let mut index = 0;
        while let Some((other, answer)) = self.unanswered.get_mut(index) {
            if other.about != ticket.about {
                index += 1;
                continue;
            }
            let other = *other;
            let Some(answer) = answer.take() else { break };
            answers.push((other, answer));
            self.unanswered.remove(index);
        }
        answers
    }

    /// The router has the large answer.
    pub(super) fn delivered(&mut self) {
        self.large = false;
    }

    pub(super) fn is_idle(&self) -> bool {
        let nothing_undecided = self.changes == 0 && self.overviews == 0 && !self.large;
        nothing_undecided && self.waiting.is_empty() && self.unanswered.is_empty()
    }
}
