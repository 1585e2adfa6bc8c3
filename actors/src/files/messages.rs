//! The messages of the files actor.

use actix::prelude::*;

use crate::protocol::fs::FsRequest;
use crate::reply::Reply;

/// Sent by the processor for a client's request. The answer goes to the router. Mailbox full: the client receives
/// -32001.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FilesRequest {
    /// The duty to answer.
    pub reply: Reply,
    /// The request.
    pub request: FsRequest,
}
