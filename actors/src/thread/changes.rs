//! Changes of a thread without a turn: its settings, what is added for the model, and turns that are removed.

use std::future::ready;
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;

use super::Thread;
use super::messages::{ChangeSettings, InjectItems, Revert, RevertQuestion};
use super::refusals::busy;
use super::step::Step;
use super::telling::settings_updated;
use crate::post::Post;
use crate::protocol::RpcError;
use crate::protocol::thread::Empty;
use crate::router::Outcome;
use crate::store::messages::{Reverted, SaveThreadSettings};
use crate::store::{self, Question, StoreError, ThreadRecord};
use crate::turn::Inject;

impl Thread {
    /// Keeps the settings of `record`, which are in force from then on, and tells those who follow the thread.
    pub(super) fn save(&mut self, record: Arc<ThreadRecord>) -> ResponseActFuture<Self, Result<(), StoreError>> {
        let question = SaveThreadSettings(Box::new(ThreadRecord::clone(&record)));
        let kept = self.ways().store.map(|store| store::ask(&store, question));
        let kept = async move {
            match kept {
                Some(kept) => kept.await.map(|_| ()),
                None => Ok(()),
            }
        };
        Box::pin(wrap_future::<_, Self>(kept).map(move |kept, thread, ctx| {
            kept?;
            let told = Outcome::none().publish(settings_updated(&record));
            thread.record = record;
            ctx.post(&thread.parts.router, told);
            Ok(())
        }))
    }
}

impl Handler<ChangeSettings> for Thread {
    type Result = AtomicResponse<Self, ()>;

    fn handle(
        &mut self,
        ChangeSettings { reply, record, rules }: ChangeSettings,
        _: &mut Self::Context,
    ) -> Self::Result {
        let saved = self.save(record);
        AtomicResponse::new(Box::pin(saved.map(move |saved, thread: &mut Self, ctx| match saved {
            Ok(()) => {
                thread.rules = rules.map(|rules| *rules);
                ctx.post(&thread.parts.router, reply.ok(&Empty {}));
            }
            Err(error) => thread.refuse(reply, &error.refusal(), ctx),
        })))
    }
}

impl Handler<InjectItems> for Thread {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, InjectItems { reply, history }: InjectItems, ctx: &mut Self::Context) -> Self::Result {
        // What waits for a turn is not part of the conversation yet; it is bounded by itself.
        if let Some(Err(refusal)) = self.history.as_ref().map(|known| known.check_room(&history)) {
            self.refuse(reply, &refusal, ctx);
            return AtomicResponse::new(Box::pin(wrap_future(ready(()))));
        }
        let Some(running) = &self.running else {
            if let Some(known) = &mut self.history {
                known.add(&history);
            }
            return AtomicResponse::new(self.take_steps(vec![Step::Remember(history, reply)]));
        };
        // The turn that runs owns the conversation, and reports them when they are part of it.
        let (reply, error) = match running.turn.try_send(Inject { reply, history }) {
            Ok(()) => return AtomicResponse::new(Box::pin(wrap_future(ready(())))),
            Err(SendError::Full(Inject { reply, .. })) => (reply, RpcError::overloaded()),
            Err(SendError::Closed(Inject { reply, .. })) => {
                (reply, RpcError::internal("the turn has ended; try again"))
            }
        };
        self.refuse(reply, &error, ctx);
        AtomicResponse::new(Box::pin(wrap_future(ready(()))))
    }
}

impl Handler<Revert> for Thread {
    type Result = AtomicResponse<Self, Result<<RevertQuestion as Question>::Answer, RpcError>>;

    fn handle(&mut self, Revert(question): Revert, _: &mut Self::Context) -> Self::Result {
        if self.state.running().is_some() {
            return AtomicResponse::new(Box::pin(wrap_future(ready(Err(busy())))));
        }
        let asked = wrap_future::<_, Self>(store::ask(&self.parts.store, question));
        AtomicResponse::new(Box::pin(asked.map(|answer, thread, _| {
            let answer = answer.map_err(|error| error.refusal())?;
            thread.reverted = matches!(answer.0, Reverted::Thread(_));
            Ok(answer)
        })))
    }
}
