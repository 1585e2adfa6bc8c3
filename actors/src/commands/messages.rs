//! The messages of the registry of commands.

use actix::prelude::*;

use crate::protocol::command::CommandRequest;
use crate::reply::Reply;

/// Sent by the processor for a client's request. The answer goes to the router. Mailbox full: the client receives
/// -32001.
#[derive(Message)]
#[rtype(result = "()")]
pub struct CommandsRequest {
    /// The duty to answer.
    pub reply: Reply,
    /// The request.
    pub request: CommandRequest,
}

/// Sent by the hub at shutdown: ends all commands and starts no more. The reply comes when none is left. Mailbox full:
/// the hub waits.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct EndAll;
