//! What a connection is told, and what it says last.

use actix::prelude::*;

use super::ConnectionId;
use super::close::CloseReason;
use super::in_flight::InFlight;
use crate::protocol::Frame;

/// Sent by the router only. Nothing comes back. A connection's mailbox is its outbound queue: when it is full the
/// router cuts the connection (law 5) and never waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub enum Deliver {
    /// Write this to the peer.
    Frame {
        /// The message.
        frame: Frame,
        /// Set on answers: the request that is no longer in flight.
        settles: Option<InFlight>,
    },
    /// Write what was delivered before, say goodbye, and end.
    Close {
        /// Why.
        reason: CloseReason,
    },
    /// Ask the peer for a sign of life. Only WebSocket connections are told.
    Ping,
}

/// Sent by a connection as its last act to the processor, which passes it on to the actors that hold something for it.
/// Nothing comes back. Mailbox full: the sender waits in a task of its own.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Disconnected {
    /// Who.
    pub connection: ConnectionId,
}
