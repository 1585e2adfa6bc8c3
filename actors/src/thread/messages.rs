//! The messages of a loaded thread.

use std::sync::Arc;

use actix::prelude::*;

use crate::protocol::turn::{TurnInterruptParams, TurnStartParams, TurnSteerParams};
use crate::reply::Reply;
use crate::store::ThreadRecord;

/// Sent by `Threads`. The reply is the record with which the thread was loaded. Mailbox full: this request waits while
/// the registry goes on.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Arc<ThreadRecord>")]
pub struct Describe;

/// Sent by `Threads` for `turn/*`. The answer goes to the router. Mailbox full: the client receives -32001.
#[derive(Message)]
#[rtype(result = "()")]
pub struct TurnInput {
    /// The duty to answer.
    pub reply: Reply,
    /// The request.
    pub request: TurnRequest,
}

/// A request about turns.
#[derive(Debug)]
pub enum TurnRequest {
    /// `turn/start`
    Start(Box<TurnStartParams>),
    /// `turn/steer`
    Steer(Box<TurnSteerParams>),
    /// `turn/interrupt`
    Interrupt(TurnInterruptParams),
}
