//! What the registry of commands is told.

use actix::prelude::*;

use crate::protocol::command::CommandRequest;
use crate::reply::Reply;

/// Sent by the processor for a client's request. Nothing comes back: the client is answered by way of the router.
/// Mailbox full: the client is told to retry (-32001).
#[derive(Message)]
#[rtype(result = "()")]
pub struct CommandsRequest {
    /// The duty to answer.
    pub reply: Reply,
    /// The client's request.
    pub request: CommandRequest,
}

/// Sent by the hub at shutdown: ends every command, and starts no more. The answer comes when none is left. Mailbox
/// full: the hub waits.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct EndAll;
