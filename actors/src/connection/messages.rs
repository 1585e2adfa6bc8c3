//! What a connection is told.

use actix::prelude::*;

use crate::protocol::{Frame, Weight};

/// Sent by the router only. Nothing comes back. A connection's mailbox is its outbound queue: when it is full the
/// router cuts the connection (law 5) and never waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub enum Deliver {
    /// Write this to the peer.
    Frame {
        /// The message.
        frame: Frame,
        /// Set on answers: which kind of request is no longer in flight.
        settles: Option<Weight>,
    },
    /// Write what was delivered before, say goodbye, and end.
    Close {
        /// Why, as the WebSocket close code and its text.
        reason: CloseReason,
    },
}

/// Why the server closes a connection (RFC 6455 7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// 1001: the server goes away.
    ShuttingDown,
}

impl CloseReason {
    /// For a person.
    pub fn text(self) -> &'static str {
        match self {
            Self::ShuttingDown => "the server is shutting down",
        }
    }
}
