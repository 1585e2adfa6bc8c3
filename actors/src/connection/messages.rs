//! The messages of a connection.

use actix::prelude::*;

use super::ConnectionId;
use super::in_flight::InFlight;
use crate::protocol::Frame;
use crate::wire::close::CloseReason;

/// Sent by the router only. No reply. A connection's mailbox is its outbound queue: when it is full, the router
/// disconnects the peer (law 5) and never waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub enum Deliver {
    /// Write a message to the peer.
    Frame {
        /// The message.
        frame: Frame,
        /// For an answer: the request that is no longer in flight.
        settles: Option<InFlight>,
    },
    /// Write the messages delivered so far, send a close frame, and end.
    Close {
        /// The reason for closing.
        reason: CloseReason,
    },
    /// Ping the peer. Sent to WebSocket connections only.
    Ping,
}

/// Sent by an ended connection to the processor, which passes it on to the actors that hold something for it. No reply.
/// Mailbox full: the sender waits in a separate task.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Disconnected {
    /// The connection.
    pub connection: ConnectionId,
}
