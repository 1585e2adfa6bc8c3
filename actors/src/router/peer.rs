//! One connection as the router sees it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::time::Instant;

use super::messages::Register;
use crate::connection::ConnectionOrigin;
use crate::connection::kill::Kill;
use crate::connection::messages::Deliver;
use crate::connection::outbound::Outbound;
use crate::protocol::thread::ThreadId;
use crate::protocol::{Frame, Weight};

pub(super) struct Peer {
    origin: ConnectionOrigin,
    deliver: Recipient<Deliver>,
    outbound: Arc<Outbound>,
    kill: Kill,
    /// `None` until the connection is initialized; then the notifications it does not want.
    opt_out: Option<HashSet<String>>,
    pub(super) subscriptions: HashSet<ThreadId>,
    /// Since when there is something queued and no progress, and the progress seen then.
    standstill: Option<(Instant, u64)>,
}

/// Why a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Gone,
    QueueFull,
    BytesOverBudget,
    Stalled,
    ShutdownOverdue,
}

impl Cut {
    /// For a log reader's filter and, one day, a metric.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::QueueFull => "queue_full",
            Self::BytesOverBudget => "bytes_over_budget",
            Self::Stalled => "stalled",
            Self::ShutdownOverdue => "shutdown_overdue",
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Gone => "its actor ended",
            Self::QueueFull => "too many messages wait for its peer to read",
            Self::BytesOverBudget => "too many bytes wait for its peer to read",
            Self::Stalled => "its peer has read nothing for too long",
            Self::ShutdownOverdue => "it did not end in time during the shutdown",
        }
    }
}

impl Peer {
    pub(super) fn new(register: Register) -> Self {
        Self {
            origin: register.origin,
            deliver: register.deliver,
            outbound: register.outbound,
            kill: register.kill,
            opt_out: None,
            subscriptions: HashSet::new(),
            standstill: None,
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

    pub(super) fn admit(&mut self, opt_out: HashSet<String>) {
        self.opt_out = Some(opt_out);
    }

    pub(super) fn wants(&self, method: &str) -> bool {
        self.opt_out.as_ref().is_some_and(|opt_out| !opt_out.contains(method))
    }

    /// Queues a frame, or says why the peer must be cut. A frame of any size may go to a peer that has nothing queued.
    pub(super) fn hand_over(&self, frame: Frame, settles: Option<Weight>, budget: usize) -> Result<(), Cut> {
        let (bytes, queued) = (frame.len(), self.outbound.queued_bytes());
        if queued > 0 && queued + bytes > budget {
            return Err(Cut::BytesOverBudget);
        }
        // Before the hand-over, because the connection may be on another arbiter and take it off at once.
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

    /// Whether nothing has moved for `limit` while something was queued. The process's own stdio is exempt: nobody
    /// else waits for it, its memory is bounded by bytes, and ending it would end the server.
    pub(super) fn is_stalled(&mut self, now: Instant, limit: Duration) -> bool {
        if self.origin != ConnectionOrigin::WebSocket || self.outbound.queued_bytes() == 0 {
            self.standstill = None;
            return false;
        }
        let written = self.outbound.written_messages();
        match self.standstill {
            Some((since, seen)) if seen == written => now.duration_since(since) >= limit,
            _ => {
                self.standstill = Some((now, written));
                false
            }
        }
    }
}
