//! The messages of `Threads`.

use std::sync::Arc;

use actix::prelude::*;

use crate::metrics::state::LoadedThreads;
use crate::protocol::thread::ThreadRequest;
use crate::reply::Reply;

/// Sent by the processor. The answer goes to the router. Mailbox full: the processor pauses.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ThreadsRequest {
    /// The duty to answer.
    pub reply: Reply,
    /// Name of the client.
    pub originator: Arc<str>,
    /// The request.
    pub request: ThreadRequest,
}

/// Sent by whoever looks at the metrics. The reply is how many threads are loaded, and what they do. Mailbox full: the
/// sender waits.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "LoadedThreads")]
pub struct MeasureThreads;

/// Sent by `Actors` when the server ends: every running turn is interrupted. The reply comes when the end of each is on
/// disk. Mailbox full: the sender waits.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct EndTurns;
