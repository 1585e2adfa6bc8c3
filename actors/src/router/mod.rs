//! The router: hands every outgoing message to its receivers. It never waits for a client: a peer that does not read is
//! disconnected (laws 5 and 6).
//!
//! For each connection it owns the only recipient of its mailbox, its outbound queue, the means to end it, and the
//! notifications that it does not want. It also knows which connections are subscribed to which threads, and which
//! server requests are pending.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::connection::ConnectionId;
use crate::connection::in_flight::InFlight;
use crate::context::Context;
use crate::limits::Limits;
use crate::metrics::{Metrics, close_label};
use crate::protocol::notification::ServerRequestResolved;
use crate::protocol::thread::ThreadId;
use crate::protocol::{Frame, ServerNotification};
use crate::wire::close::CloseReason;

mod asked;
mod clocks;
mod due;
mod known;
#[cfg(test)]
pub(crate) mod listener;
mod memory;
mod messages;
mod peer;
#[cfg(test)]
mod tests;

use asked::{Answered, PendingRequests, Resolved};
pub use asked::{Ask, AskId};
use memory::{Freed, Work};
pub use messages::{
    Answer, Audience, CloseAll, Connections, CutAll, CutOne, Effect, HandOver, MeasureClients, Outcome, Register,
    SubscribedThreads, Unsubscribe,
};
use peer::{Cut, Peer};

/// See the module's documentation.
pub struct Router {
    limits: Arc<Limits>,
    metrics: Arc<Metrics>,
    clock: Clock,
    /// Not a hash map, which would keep the capacity of the largest number of connections there ever was.
    peers: BTreeMap<ConnectionId, Peer>,
    subscribers: HashMap<ThreadId, HashSet<ConnectionId>>,
    /// Number of connections disconnected because of a limit since the start.
    cut_so_far: u64,
    asked: PendingRequests,
    freed: Freed,
    work: Work,
    /// When the timers were last checked.
    checked: Instant,
    /// The last check was left out.
    spared: bool,
    /// The ticks while there are connections, and how many of them there were.
    ticking: Option<(SpawnHandle, u64)>,
    /// Resolved when the last connection has ended, after [`CloseAll`].
    emptied: Option<oneshot::Sender<()>>,
}

impl Router {
    /// Creates a router without connections.
    pub fn new(limits: Arc<Limits>, metrics: Arc<Metrics>, clock: Clock) -> Self {
        Self {
            asked: PendingRequests::new(limits.pending_server_requests, metrics.clone()),
            limits,
            metrics,
            clock,
            peers: BTreeMap::new(),
            subscribers: HashMap::new(),
            cut_so_far: 0,
            freed: Freed::default(),
            work: Work::of_process(),
            checked: Instant::now(),
            spared: false,
            ticking: None,
            emptied: None,
        }
    }

    /// Starts the router on the calling arbiter, for tests of whoever speaks to it.
    #[cfg(test)]
    pub(crate) fn start(self) -> Arc<Addr<Self>> {
        crate::mailbox::start(self.limits.router_mailbox_messages, self)
    }

    fn apply(&mut self, outcome: Outcome) {
        if let Some(answer) = outcome.answer {
            self.answer(answer);
        }
        for effect in outcome.effects {
            match effect {
                Effect::Answer(answer) => self.answer(answer),
                Effect::Admit { connection, client, opt_out, scopes } => {
                    if let Some(peer) = self.peers.get_mut(&connection) {
                        peer.admit(client, opt_out, scopes);
                        peer.log_name(connection);
                    }
                }
                Effect::Forget { connection } => self.forget(connection),
                Effect::Subscribe { connection, thread } => {
                    if let Some(peer) = self.peers.get_mut(&connection) {
                        peer.subscriptions.insert(thread);
                        self.subscribers.entry(thread).or_default().insert(connection);
                        self.ask_again(connection, thread);
                    }
                }
                Effect::Ask(ask) => self.ask(ask),
                Effect::Answered { connection, id, answer } => match self.asked.answer(connection, &id, &answer) {
                    Answered::Resolved(resolved) => self.resolve(resolved),
                    Answered::Waiting => {}
                    Answered::Ignored => {
                        log::debug!("connection {connection} answered {id:?}, which it was not asked or not in time")
                    }
                },
                Effect::Withdraw { thread, ask } => {
                    self.asked.withdraw(thread, ask).into_iter().for_each(|resolved| self.resolve(resolved));
                }
                Effect::Tell { audience, notification } => self.tell(audience, &notification),
            }
        }
    }

    /// Sends a request to all subscribers of a thread that are initialized and may answer. If there are none, the
    /// request waits for one.
    fn ask(&mut self, ask: Ask) {
        let subscribers = self.subscribers.get(&ask.thread()).into_iter().flatten();
        let asked: Vec<ConnectionId> =
            subscribers.copied().filter(|id| self.peers.get(id).is_some_and(Peer::may_answer)).collect();
        let Some(frame) = self.asked.ask(ask, asked.iter().copied()) else { return };
        for connection in asked {
            self.deliver(connection, frame.clone(), None);
        }
    }

    fn ask_again(&mut self, connection: ConnectionId, thread: ThreadId) {
        if !self.peers.get(&connection).is_some_and(Peer::may_answer) {
            return;
        }
        for frame in self.asked.ask_again(thread, connection) {
            self.deliver(connection, frame, None);
        }
    }

    fn resolve(&mut self, Resolved { thread, request, is_told }: Resolved) {
        if is_told {
            let resolved = ServerRequestResolved { thread_id: thread, request_id: request };
            self.tell(Audience::Subscribers(thread), &ServerNotification::ServerRequestResolved(resolved));
        }
    }

    fn answer(&mut self, Answer { connection, frame, settles }: Answer) {
        self.deliver(connection, frame, Some(settles));
    }

    /// Encodes a notification once and hands the same text to all receivers (law 4).
    fn tell(&mut self, audience: Audience, notification: &ServerNotification) {
        let Self { limits, clock, peers, subscribers, .. } = self;
        let method = notification.method();
        let (mut frame, mut cuts) = (None, Vec::new());
        let mut offer = |id: ConnectionId, peer: &mut Peer| {
            if peer.wants(method) {
                let shared = || frame.get_or_insert_with(|| Frame::notification(notification, clock.unix_ms())).clone();
                let told = peer.tell(notification, shared, clock, limits);
                cuts.extend(told.err().map(|cut| (id, cut)));
            }
        };
        match audience {
            Audience::Everyone => {
                peers.iter_mut().filter(|(_, peer)| peer.observes()).for_each(|(id, peer)| offer(*id, peer));
            }
            Audience::Subscribers(thread) => {
                for id in subscribers.get(&thread).into_iter().flatten() {
                    if let Some(peer) = peers.get_mut(id).filter(|peer| peer.observes()) {
                        offer(*id, peer);
                    }
                }
            }
            Audience::One(id) => peers.get_mut(&id).into_iter().for_each(|peer| offer(id, peer)),
        }
        for (id, cut) in cuts {
            self.cut(id, cut);
        }
    }

    fn deliver(&mut self, id: ConnectionId, frame: Frame, settles: Option<InFlight>) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        if let Err(cut) = peer.hand_over(frame, settles, &self.clock, &self.limits) {
            self.cut(id, cut);
        }
    }

    /// Ends a connection. A peer that merely reads too slowly receives close code 1013 if it reads on in time.
    fn cut(&mut self, id: ConnectionId, cut: Cut) {
        let Some(peer) = self.peers.get(&id) else { return };
        match cut {
            Cut::Gone => log::log!(cut.level(), "connection {id} has ended"),
            cause => {
                self.cut_so_far += 1;
                self.metrics.cuts.add(cause.label());
                log::log!(
                    cause.level(),
                    cause = cause.label(), queued_bytes = peer.queued_bytes(), cut_so_far = self.cut_so_far;
                    "connection {id} ({}) was disconnected: {}; it can reconnect and resume", peer.origin(), cause.text()
                );
            }
        }
        if matches!(cut, Cut::QueueFull | Cut::BytesOverBudget) && peer.give_up() {
            return;
        }
        peer.kill();
        self.forget(id);
    }

    fn forget(&mut self, id: ConnectionId) {
        if let Some(peer) = self.peers.remove(&id) {
            peer.log_end(id);
            self.metrics.ended.add(close_label(peer.pulse.close_code()));
            self.freed.connection(peer.outbound());
            peer.outbound().close();
            let refused = self.asked.forget(id, None);
            for thread in peer.subscriptions {
                self.unsubscribe(id, thread);
            }
            refused.into_iter().for_each(|resolved| self.resolve(resolved));
        }
        if self.peers.is_empty()
            && let Some(emptied) = self.emptied.take()
        {
            // The sender may have stopped waiting.
            let _ = emptied.send(());
        }
    }

    fn unsubscribe(&mut self, id: ConnectionId, thread: ThreadId) -> bool {
        let Some(subscribers) = self.subscribers.get_mut(&thread) else { return false };
        let was_subscribed = subscribers.remove(&id);
        if subscribers.is_empty() {
            self.subscribers.remove(&thread);
        }
        was_subscribed
    }
}

impl Actor for Router {
    type Context = Context<Self>;

    /// What the start has used is given back, too.
    fn started(&mut self, ctx: &mut Self::Context) {
        self.tick_on(ctx);
    }
}

impl Handler<Register> for Router {
    type Result = ();

    fn handle(&mut self, register: Register, ctx: &mut Self::Context) {
        let id = register.connection;
        // From now on the wall clock may be set to another time; that must neither prolong the token nor end it early.
        let first_invalid_ms = register.valid_until.map(|last| last.saturating_add(1).saturating_mul(1000));
        let expires_at_ms = first_invalid_ms.map(|unix_ms| self.clock.steady_at(unix_ms));
        let peer = Peer::new(register, Instant::now(), expires_at_ms);
        peer.log_start(id);
        self.metrics.opened.add(peer.origin.label());
        self.peers.insert(id, peer);
        self.tick_on(ctx);
    }
}

impl Handler<Outcome> for Router {
    type Result = ();

    fn handle(&mut self, outcome: Outcome, _: &mut Self::Context) {
        self.apply(outcome);
    }
}

impl Handler<HandOver> for Router {
    type Result = MessageResult<HandOver>;

    fn handle(&mut self, HandOver { connection, method, frame }: HandOver, _: &mut Self::Context) -> Self::Result {
        let peer = self.peers.get(&connection).filter(|peer| peer.wants(method));
        let outbound = peer.map(|peer| peer.outbound().clone());
        if outbound.is_some() {
            self.deliver(connection, frame, None);
        }
        MessageResult(outbound)
    }
}

impl Handler<Unsubscribe> for Router {
    type Result = bool;

    fn handle(&mut self, message: Unsubscribe, _: &mut Self::Context) -> bool {
        if let Some(peer) = self.peers.get_mut(&message.connection) {
            peer.subscriptions.remove(&message.thread);
        }
        let refused = self.asked.forget(message.connection, Some(message.thread));
        refused.into_iter().for_each(|resolved| self.resolve(resolved));
        self.unsubscribe(message.connection, message.thread)
    }
}

impl Handler<SubscribedThreads> for Router {
    type Result = MessageResult<SubscribedThreads>;

    fn handle(&mut self, _: SubscribedThreads, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.subscribers.keys().copied().collect())
    }
}

impl Handler<CloseAll> for Router {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: CloseAll, _: &mut Self::Context) -> Self::Result {
        let (emptied, gone) = oneshot::channel();
        let ids: Vec<ConnectionId> = self.peers.keys().copied().collect();
        self.emptied = Some(emptied);
        for id in &ids {
            self.close(*id, CloseReason::ShuttingDown);
        }
        if ids.is_empty() {
            self.emptied = None;
        }
        Box::pin(async move {
            // An error means that there were no connections.
            let _ = gone.await;
        })
    }
}

impl Handler<CutAll> for Router {
    type Result = ();

    fn handle(&mut self, _: CutAll, _: &mut Self::Context) {
        let ids: Vec<ConnectionId> = self.peers.keys().copied().collect();
        for id in ids {
            self.cut(id, Cut::ShutdownOverdue);
        }
    }
}
