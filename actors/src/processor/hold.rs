//! A processor that takes nothing out of its mailbox, for tests of what goes on meanwhile.

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio::sync::oneshot;

use super::Processor;

/// Sent by tests only. The answer comes when the processor rests, which it does until `until` is told or dropped.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Hold {
    pub(crate) until: oneshot::Receiver<()>,
}

impl Handler<Hold> for Processor {
    type Result = ();

    fn handle(&mut self, Hold { until }: Hold, ctx: &mut Self::Context) {
        ctx.wait(wrap_future::<_, Self>(until).map(|_, _, _| ()));
    }
}
