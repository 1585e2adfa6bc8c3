//! What a loaded thread is told.

use std::sync::Arc;

use actix::prelude::*;

use crate::protocol::turn::{TurnInterruptParams, TurnStartParams, TurnSteerParams};
use crate::reply::Reply;
use crate::store::ThreadRecord;

/// Sent by the registry. The record with which the thread was loaded comes back. Mailbox full: the registry's question
/// waits; the registry goes on with other work.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Arc<ThreadRecord>")]
pub struct Describe;

/// Sent by the registry for `turn/*`. The answer goes to the router. Mailbox full: the client is told to retry (-32001).
#[derive(Message)]
#[rtype(result = "()")]
pub struct TurnInput {
    /// The duty to answer.
    pub reply: Reply,
    /// What is asked.
    pub request: TurnRequest,
}

/// What clients ask of a thread's turns.
#[derive(Debug)]
pub enum TurnRequest {
    /// `turn/start`
    Start(Box<TurnStartParams>),
    /// `turn/steer`
    Steer(Box<TurnSteerParams>),
    /// `turn/interrupt`
    Interrupt(TurnInterruptParams),
}
