//! A loaded thread: its settings, and the place where its turns will run.
//!
//! The database owns the stored state of a thread, this actor the live state. There is one actor per thread, so that
//! inputs keep their order and a busy thread does not delay the others.

use std::sync::Arc;

use actix::prelude::*;

use crate::context::Context;
use crate::post::post;
use crate::protocol::RpcError;
use crate::reply::Reply;
use crate::router::Router;
use crate::store::ThreadRecord;

mod messages;

pub use messages::{Describe, TurnInput, TurnRequest};

/// See the module's documentation. It ends when the registry drops its address.
pub struct Thread {
    record: Arc<ThreadRecord>,
    router: Arc<Addr<Router>>,
}

impl Thread {
    /// Creates a thread with the settings of `record`. The rest of `record` only matters for an ephemeral thread, which
    /// is not in the database.
    pub fn new(record: Arc<ThreadRecord>, router: Arc<Addr<Router>>) -> Self {
        Self { record, router }
    }

    /// The answer to a request for a turn.
    fn refusal(&self, request: &TurnRequest) -> RpcError {
        match request {
            TurnRequest::Start(_) => RpcError::invalid_request(format!(
                "turns cannot be run yet: this version of codex-app-server keeps threads, but has no model connected \
                 to them (thread {})",
                self.record.id
            )),
            TurnRequest::Steer(params) if params.expected_turn_id.is_empty() => {
                RpcError::invalid_request("expectedTurnId must not be empty")
            }
            TurnRequest::Steer(_) => RpcError::invalid_request("no active turn to steer"),
            TurnRequest::Interrupt(_) => RpcError::invalid_request("no active turn to interrupt"),
        }
    }

    fn refuse(&self, reply: Reply, request: &TurnRequest, ctx: &mut Context<Self>) {
        let outcome = reply.fail(&self.refusal(request));
        post::<Self, _, _>(&self.router, outcome, ctx);
    }
}

impl Actor for Thread {
    type Context = Context<Self>;
}

impl Handler<Describe> for Thread {
    type Result = Arc<ThreadRecord>;

    fn handle(&mut self, _: Describe, _: &mut Self::Context) -> Arc<ThreadRecord> {
        self.record.clone()
    }
}

impl Handler<TurnInput> for Thread {
    type Result = ();

    fn handle(&mut self, TurnInput { reply, request }: TurnInput, ctx: &mut Self::Context) {
        self.refuse(reply, &request, ctx);
    }
}
