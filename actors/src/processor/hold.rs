//! A processor that pauses, for tests of what happens meanwhile.

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio::sync::oneshot;

use super::Processor;

/// Sent by tests only. The reply comes when the processor pauses; it resumes when `until` resolves.
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
