//! Attaching a client to the thread.

use actix::fut::wrap_future;
use actix::prelude::*;

use super::{Attach, Thread, ThreadSnapshot};
use crate::panics::guarded_future;

impl Handler<Attach> for Thread {
    /// Nothing else is handled meanwhile, so that no event falls between the snapshot and the subscription.
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, Attach(attach): Attach, _: &mut Self::Context) -> Self::Result {
        let now = ThreadSnapshot {
            record: self.record.clone(),
            activity: self.state.activity(),
            turn: self.state.in_progress(),
        };
        let router = self.parts.router.clone();
        // After a panic the reply is dropped, which answers the client.
        let outcome = guarded_future("an attach", async move { attach(now).await });
        AtomicResponse::new(Box::pin(wrap_future(async move {
            let outcome = outcome.await.unwrap_or_default();
            if router.send(outcome).await.is_err() {
                log::debug!("the router ended before a client was attached");
            }
        })))
    }
}
