//! What the files actor is told.

use actix::prelude::*;

use crate::protocol::fs::FsRequest;
use crate::reply::Reply;

/// Sent by the processor for a client's request. Nothing comes back: the client is answered by way of the router.
/// Mailbox full: the client is told to retry (-32001).
#[derive(Message)]
#[rtype(result = "()")]
pub struct FilesRequest {
    /// The duty to answer.
    pub reply: Reply,
    /// The client's request.
    pub request: FsRequest,
}
