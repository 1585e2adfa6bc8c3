//! What the processor is told.

use actix::prelude::*;

use crate::connection::ConnectionId;
use crate::protocol::{ClientNotification, ClientRequest, Method, RequestId};
use crate::reply::Reply;

/// Sent by a connection. The answer goes to the router, by way of the reply. Mailbox full: the connection answers
/// -32001 itself, at once.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Request {
    /// The duty to answer.
    pub reply: Reply,
    /// The row of the method table.
    pub method: &'static Method,
    /// What is asked.
    pub request: ClientRequest,
}

/// Sent by a connection for what wants no answer. Nothing comes back. Mailbox full: the connection waits with it, and is
/// not read meanwhile.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub enum Note {
    /// A client told something.
    Notification {
        /// Who.
        connection: ConnectionId,
        /// What.
        notification: ClientNotification,
    },
    /// A client answered a server request.
    Answer {
        /// Who.
        connection: ConnectionId,
        /// Which server request.
        id: RequestId,
    },
}

/// Sent by the hub when the shutdown begins: from now on no new work is started. Nothing comes back. Mailbox full: the
/// hub waits.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Drain;
