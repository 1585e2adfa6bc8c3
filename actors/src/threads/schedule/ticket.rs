//! What the schedule knows of a request.

use crate::connection::ConnectionId;
use crate::protocol::thread::ThreadId;

/// The effect of a request on what others see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::threads) enum Kind {
    /// It has no effect.
    Look,
    /// It reads its thread and creates a new one.
    Create,
    /// It only changes its thread in the database.
    Write,
    /// It changes what is loaded or subscribed, or what the thread does.
    Change,
}

/// The facts about a request that the schedule needs.
#[derive(Clone, Copy, Debug)]
pub(in crate::threads) struct Ticket {
    /// The connection.
    pub(in crate::threads) connection: ConnectionId,
    /// The thread; `None` for many threads or one that does not exist yet.
    pub(in crate::threads) about: Option<ThreadId>,
    pub(in crate::threads) kind: Kind,
    /// Whether its answer may be so large that the client must have read the earlier ones.
    pub(in crate::threads) large: bool,
    /// Increases in order of arrival.
    pub(super) number: u64,
}

impl Ticket {
    pub(in crate::threads) fn new(connection: ConnectionId, about: Option<ThreadId>, kind: Kind, large: bool) -> Self {
        Self { connection, about, kind, large, number: 0 }
    }

    /// Whether it reads many threads.
    pub(super) fn is_overview(&self) -> bool {
        self.about.is_none() && self.kind == Kind::Look
    }

    /// It may change what an overview shows.
    pub(super) fn changes(&self) -> bool {
        self.kind != Kind::Look
    }
}

/// A request, as far as the schedule must ask it.
pub(in crate::threads) trait Request {
    /// Whether its client has read what it was sent before, so that it can be sent a large answer.
    fn peer_has_drained(&self) -> bool;
}
