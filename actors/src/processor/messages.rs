//! The messages of the processor.

use actix::prelude::*;

use crate::connection::ConnectionId;
use crate::protocol::scope::Scopes;
use crate::protocol::server_request::ClientAnswer;
use crate::protocol::{ClientNotification, ClientRequest, Method, RequestId};
use crate::reply::Reply;

/// Sent by a connection. The answer goes to the router through `reply`. Mailbox full: the connection answers -32001 at
/// once.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Request {
    /// The duty to answer.
    pub reply: Reply,
    /// The method's row in the table.
    pub method: &'static Method,
    /// The request.
    pub request: ClientRequest,
    /// What the connection may do.
    pub scopes: Scopes,
}

/// Sent by a connection for a message that needs no answer. No reply. Mailbox full: the note waits, and the connection
/// is not read meanwhile.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub enum Note {
    /// A notification from a client.
    Notification {
        /// The connection.
        connection: ConnectionId,
        /// The notification.
        notification: ClientNotification,
    },
    /// An answer from a client to a server request.
    Answer {
        /// The connection.
        connection: ConnectionId,
        /// Id of the server request.
        id: RequestId,
        /// The answer.
        answer: ClientAnswer,
    },
}

/// Sent by the hub when the shutdown begins: from now on new work is refused. No reply. Mailbox full: the hub waits.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Drain;
