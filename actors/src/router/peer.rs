//! A connection from the router's view.

use std::collections::HashSet;
use std::sync::Arc;

use actix::prelude::*;
use tokio::time::Instant;

use super::clocks::{Clocks, Due, Signs};
use super::messages::Register;
use crate::clock::Clock;
use crate::connection::ConnectionOrigin;
use crate::connection::in_flight::InFlight;
use crate::connection::kill::Kill;
use crate::connection::messages::Deliver;
use crate::connection::outbound::Outbound;
use crate::connection::pulse::Pulse;
use crate::limits::Limits;
use crate::protocol::scope::{Scope, Scopes};
use crate::protocol::thread::ThreadId;
use crate::protocol::{Frame, ServerNotification};
use crate::wire::close::CloseReason;

pub(super) struct Peer {
    pub(super) origin: ConnectionOrigin,
    /// For people; empty if the transport says it all.
    pub(super) address: String,
    /// Name and version of the client; `None` until the connection is initialized.
    pub(super) client: Option<String>,
    pub(super) since: Instant,
    deliver: Recipient<Deliver>,
    outbound: Arc<Outbound>,
    pub(super) pulse: Arc<Pulse>,
    kill: Kill,
    /// Taken when the connection is closed because of it.
    expires_at_ms: Option<i64>,
    /// `None` until the connection is initialized; then the notifications that it does not want.
    opt_out: Option<HashSet<String>>,
    scopes: Scopes,
    pub(super) subscriptions: HashSet<ThreadId>,
    clocks: Clocks,
    /// Text that waits for more of the same place, because the peer is behind.
    growing: Option<ServerNotification>,
}

/// Why a connection is disconnected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Gone,
    QueueFull,
    BytesOverBudget,
    Stalled,
    CloseOverdue,
    ShutdownOverdue,
    Unwanted,
}

impl Cut {
    /// A fixed label for filters of logs and for metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::QueueFull => "queue_full",
            Self::BytesOverBudget => "bytes_over_budget",
            Self::Stalled => "stalled",
            Self::CloseOverdue => "close_overdue",
            Self::ShutdownOverdue => "shutdown_overdue",
            Self::Unwanted => "operator",
        }
    }

    /// A peer that does not answer a close frame is no reason for a warning.
    pub(super) fn level(self) -> log::Level {
        match self {
            Self::Gone => log::Level::Debug,
            Self::CloseOverdue | Self::ShutdownOverdue | Self::Unwanted => log::Level::Info,
            Self::QueueFull | Self::BytesOverBudget | Self::Stalled => log::Level::Warn,
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Gone => "its actor ended",
            Self::QueueFull => "too many messages are queued for its peer",
            Self::BytesOverBudget => "too many bytes are queued for its peer",
            Self::Stalled => "its peer has read nothing for too long",
            Self::CloseOverdue => "its peer did not answer the close frame in time",
            Self::ShutdownOverdue => "it did not end in time during the shutdown",
            Self::Unwanted => "an operator wanted it gone",
        }
    }
}

impl Peer {
    /// `expires_at_ms` is when its token expires, on the steady clock.
    pub(super) fn new(register: Register, now: Instant, expires_at_ms: Option<i64>) -> Self {
        Self {
            origin: register.origin,
            address: register.address,
            client: None,
            since: now,
            deliver: register.deliver,
            outbound: register.outbound,
            pulse: register.pulse,
            kill: register.kill,
            expires_at_ms,
            opt_out: None,
            scopes: Scopes::NONE,
            subscriptions: HashSet::new(),
            clocks: Clocks::new(now),
            growing: None,
        }
    }

    pub(super) fn origin(&self) -> ConnectionOrigin {
        self.origin
    }

    pub(super) fn outbound(&self) -> &Arc<Outbound> {
        &self.outbound
    }

    pub(super) fn queued_bytes(&self) -> usize {
        self.outbound.queued_bytes()
    }

    pub(super) fn admit(&mut self, client: String, opt_out: HashSet<String>, scopes: Scopes) {
        self.client = Some(client);
        self.opt_out = Some(opt_out);
        self.scopes = scopes;
    }

    /// Whether it may hear what is told to more than one connection.
    pub(super) fn observes(&self) -> bool {
        self.scopes.include(Scope::Observe)
    }

    /// Whether it may be asked for approvals and the like: its handshake is over, and it may converse.
    pub(super) fn may_answer(&self) -> bool {
        self.opt_out.is_some() && self.scopes.include(Scope::Converse)
    }

    pub(super) fn wants(&self, method: &str) -> bool {
        !self.pulse.is_closing() && self.opt_out.as_ref().is_some_and(|opt_out| !opt_out.contains(method))
    }

    /// Queues a notification, whose frame all peers share. If the peer is behind, text waits for more of the same place, so
    /// that fewer, longer pieces are queued.
    pub(super) fn tell(
        &mut self,
        notification: &ServerNotification,
        frame: impl FnOnce() -> Frame,
        clock: &Clock,
        limits: &Limits,
    ) -> Result<(), Cut> {
        if !notification.adds_text() || self.outbound.queued_bytes() < limits.joined_from_bytes {
            return self.hand_over(frame(), None, clock, limits);
        }
        if self.growing.as_mut().is_some_and(|growing| growing.join(notification)) {
            return Ok(());
        }
        self.release(clock, limits)?;
        self.growing = Some(notification.clone());
        Ok(())
    }

    /// Queues the text that waits for more.
    pub(super) fn release(&mut self, clock: &Clock, limits: &Limits) -> Result<(), Cut> {
        match self.growing.take() {
            Some(growing) => self.queue(Frame::notification(&growing, clock.unix_ms()), None, limits.outbound_bytes),
            None => Ok(()),
        }
    }

    /// Whether text waits for more although the peer has caught up.
    pub(super) fn has_caught_up(&self, limits: &Limits) -> bool {
        self.growing.is_some() && self.outbound.queued_bytes() < limits.joined_from_bytes
    }

    /// Queues a frame behind the text that waits for more; see [`Self::queue`].
    pub(super) fn hand_over(
        &mut self,
        frame: Frame,
        settles: Option<InFlight>,
        clock: &Clock,
        limits: &Limits,
    ) -> Result<(), Cut> {
        self.release(clock, limits)?;
        self.queue(frame, settles, limits.outbound_bytes)
    }

    /// Queues a frame, or returns why the peer must be disconnected. A frame of any size is accepted if nothing is
    /// queued. Nothing is queued for a connection that is being closed.
    fn queue(&self, frame: Frame, settles: Option<InFlight>, budget: usize) -> Result<(), Cut> {
        if self.pulse.is_closing() {
            return Ok(());
        }
        let (bytes, queued) = (frame.len(), self.outbound.queued_bytes());
        if queued > 0 && queued + bytes > budget {
            return Err(Cut::BytesOverBudget);
        }
        // Counted before the hand-over, because a connection on another arbiter may subtract it at once.
        self.outbound.queue(bytes);
        self.send(Deliver::Frame { frame, settles })
    }

    pub(super) fn send(&self, message: Deliver) -> Result<(), Cut> {
        self.deliver.try_send(message).map_err(|error| match error {
            SendError::Full(_) => Cut::QueueFull,
            SendError::Closed(_) => Cut::Gone,
        })
    }

    pub(super) fn kill(&self) {
        self.kill.cut();
    }

    /// Whether the token of this connection has expired when the steady clock shows `now_ms`. True only once.
    pub(super) fn has_expired(&mut self, now_ms: i64) -> bool {
        self.expires_at_ms.take_if(|at_ms| now_ms >= *at_ms).is_some()
    }

    /// Sends a close frame to a peer that may still read it; its time to answer begins now.
    pub(super) fn close(&self, reason: CloseReason) -> Result<(), Cut> {
        self.pulse.close();
        self.send(Deliver::Close { reason })
    }

    /// Drops the queue and sends a close frame once the peer reads. Returns false if the wire has no close frames.
    pub(super) fn give_up(&self) -> bool {
        if self.is_websocket() {
            self.pulse.give_up();
        }
        self.is_websocket()
    }

    /// The action that its timers demand. Only WebSocket peers have timers: nothing waits for stdio, its memory is
    /// bounded by bytes, and ending it would end the server.
    pub(super) fn due(&mut self, now: Instant, limits: &Limits) -> Option<Due> {
        if !self.is_websocket() {
            return None;
        }
        let signs = Signs {
            initialized: self.opt_out.is_some(),
            queued: self.outbound.queued_bytes() > 0,
            written: self.outbound.steps(),
            heard: self.pulse.heard(),
            resting: self.pulse.is_resting(),
            closing: self.pulse.is_closing(),
        };
        self.clocks.due(now, signs, limits)
    }

    fn is_websocket(&self) -> bool {
        self.origin.is_websocket()
    }
}
