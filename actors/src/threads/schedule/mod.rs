//! The order in which requests are decided and answered.
//!
//! - Each request about a thread takes its place in the thread's [`lane`], whoever sent it, and looks at what is loaded,
//!   subscribed and stored when its turn comes. Requests overlap where they cannot tell the difference: those that only
//!   look, and those that only write to the database, which keeps their order.
//! - A client's requests are answered as if it had sent each one after the answer to the one before ([`client`]): answers
//!   about one thread go out in order, and lists of threads show what the client has changed before.
//! - Large answers go out one at a time to each client, and only to a client that has read what it was sent before. A
//!   client that does not read delays only itself, because its request waits before it enters the lane.
//!
//! What waits here is bounded by the requests that the connections may have in flight.

use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;

use crate::connection::ConnectionId;
use crate::protocol::thread::ThreadId;

mod client;
mod lane;
#[cfg(test)]
mod tests;
mod ticket;

use client::{Client, Next};
use lane::Lane;
pub(super) use ticket::{Kind, Request, Ticket};

/// A request `R` becomes, after some work, a decision `D`, and that in the end an answer `A`.
pub(super) struct Schedule<R, D, A> {
    clients: HashMap<ConnectionId, Client<R, A>, RandomState>,
    lanes: HashMap<ThreadId, Lane<R, D>, RandomState>,
    /// Requests whose turn has come.
    due: VecDeque<(Ticket, R)>,
    /// Clients whose next request waits until they have read.
    undrained: Vec<ConnectionId>,
    last_number: u64,
}

impl<R: Request, D, A> Schedule<R, D, A> {
    pub(super) fn new() -> Self {
        Self {
            clients: HashMap::default(),
            lanes: HashMap::default(),
            due: VecDeque::new(),
            undrained: Vec::new(),
            last_number: 0,
        }
    }

    /// A request has come.
    pub(super) fn arrive(&mut self, ticket: Ticket, request: R) {
        self.clients.entry(ticket.connection).or_default().wait(ticket, request);
        self.admit(ticket.connection);
    }

    /// Whether every request of a client is answered, so that its next one need not wait for another of its own.
    pub(super) fn owes_nothing(&self, connection: ConnectionId) -> bool {
        !self.clients.contains_key(&connection)
    }

    /// The next request whose turn has come.
    pub(super) fn next_due(&mut self) -> Option<(Ticket, R)> {
        self.due.pop_front()
    }

    /// A client whose next request waits until it has read what it was sent before, and that request; then
    /// [`Self::peer_drained`] is to be called.
    pub(super) fn next_undrained(&mut self) -> Option<(ConnectionId, &R)> {
        let connection = self.undrained.pop()?;
        Some((connection, self.clients.get(&connection)?.head()?))
    }

    pub(super) fn peer_drained(&mut self, connection: ConnectionId) {
        if let Some(client) = self.clients.get_mut(&connection) {
            client.peer_drained();
        }
        self.admit(connection);
    }

    /// The work for a request is done. What may be decided now, in its order: that of other requests may come first.
    pub(super) fn worked(&mut self, ticket: Ticket, decision: D) -> Vec<(Ticket, D)> {
        match (ticket.kind, ticket.about.and_then(|thread| self.lanes.get_mut(&thread))) {
            (Kind::Write, Some(lane)) => lane.written(ticket, decision),
            _ => vec![(ticket, decision)],
        }
    }

    /// A request is decided: those behind it may look at the world.
    pub(super) fn decided(&mut self, ticket: Ticket) {
        if let Some(client) = self.clients.get_mut(&ticket.connection) {
            client.decided(&ticket);
        }
        if let Some(thread) = ticket.about {
            if let Some(lane) = self.lanes.get_mut(&thread) {
                lane.decided(&ticket);
            }
            self.advance(thread);
        }
        self.admit(ticket.connection);
    }

    /// A request has its answer. What may be sent now, in its order. A large answer is then to be followed by
    /// [`Self::delivered`].
    pub(super) fn answered(&mut self, ticket: Ticket, answer: A) -> Vec<(Ticket, A)> {
        let Some(client) = self.clients.get_mut(&ticket.connection) else { return vec![(ticket, answer)] };
        let answers = client.answered(ticket, answer);
        if let Some(thread) = ticket.about {
            self.advance(thread);
        }
        self.forget_idle(ticket.connection);
        answers
    }

    /// The router has a large answer, and knows what is queued towards the client. The client's next large request may
    /// come if that is little.
    pub(super) fn delivered(&mut self, ticket: Ticket) {
        if let Some(client) = self.clients.get_mut(&ticket.connection) {
            client.delivered();
        }
        self.admit(ticket.connection);
        self.forget_idle(ticket.connection);
    }

    /// Lets in what need not wait for the client's other requests.
    fn admit(&mut self, connection: ConnectionId) {
        while let Some(client) = self.clients.get_mut(&connection) {
            match client.take_next() {
                Next::Request(ticket, request) => self.enter(ticket, request),
                Next::WaitsForPeer => return self.undrained.push(connection),
                Next::Waits => return,
            }
        }
    }

    /// The request takes its place: from here on its order is settled.
    fn enter(&mut self, mut ticket: Ticket, request: R) {
        self.last_number += 1;
        ticket.number = self.last_number;
        self.clients.entry(ticket.connection).or_default().entered(ticket);
        match ticket.about {
            None => self.due.push_back((ticket, request)),
            Some(thread) => {
                self.lanes.entry(thread).or_default().push(ticket, request);
                self.advance(thread);
            }
        }
    }

    /// Lets the requests at the head of a lane have their turn.
    fn advance(&mut self, thread: ThreadId) {
        let Some(lane) = self.lanes.get_mut(&thread) else { return };
        while let Some(ticket) = lane.head() {
            let owed = self.clients.get(&ticket.connection).is_some_and(|client| client.owes_before(&ticket));
            let Some(request) = lane.begin(owed) else { return };
            self.due.push_back(request);
        }
        if lane.is_empty() {
            self.lanes.remove(&thread);
        }
    }

    fn forget_idle(&mut self, connection: ConnectionId) {
        if self.clients.get(&connection).is_some_and(Client::is_idle) {
            self.clients.remove(&connection);
        }
    }
}
