//! Messages that wait until the thread is idle. They stay in the database until the turn that says them has begun there, so
//! none is lost and none is said twice.

use std::future::ready;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;

use super::Thread;
use super::messages::QueueWords;
use super::refusals::not_on_disk;
use super::telling::added;
use crate::context::Context;
use crate::post::Post;
use crate::protocol::thread::QueuedSubmission;
use crate::reply::Reply;
use crate::store;
use crate::store::messages::{AddQueued, ListQueued, Queued};
use crate::turn::{Purpose, TurnRules, UserRequest, UserWords};

impl Thread {
    /// Begins the turn of the message that waits longest, if nothing else runs, and else one towards the goal.
    pub(super) fn take_queued(&mut self, ctx: &mut Context<Self>) {
        if !self.may_have_queued {
            return self.pursue(ctx);
        }
        let first = ListQueued { thread_id: self.record.id, after: String::new(), most: 1 };
        let asked = wrap_future::<_, Self>(store::ask(&self.parts.store, first));
        ctx.spawn(asked.map(|found, thread, ctx| match found.map(|found| found.into_iter().next()) {
            Ok(Some(submission)) => thread.say_queued(submission, ctx),
            Ok(None) => {
                thread.may_have_queued = false;
                thread.pursue(ctx);
            }
            Err(error) => log::warn!("the queue of thread {} cannot be read: {error}", thread.record.id),
        }));
    }

    fn say_queued(&mut self, submission: QueuedSubmission, ctx: &mut Context<Self>) {
        if let (Some(rules), None) = (self.rules.clone(), &self.running) {
            let QueuedSubmission { id, client_user_message_id, input, .. } = submission;
            let words = UserWords {
                reply: Reply::to_nobody(),
                request: UserRequest::Queued(id),
                client_id: Some(client_user_message_id),
                content: input,
                context: Vec::new(),
            };
            let rules = TurnRules { output_schema: None, ..rules };
            self.begin(Purpose::Answer(words), rules, ctx);
        }
    }
}

impl Handler<QueueWords> for Thread {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, QueueWords { reply, submission, rules }: QueueWords, ctx: &mut Self::Context) -> Self::Result {
        if self.history.is_some() {
            self.refuse(reply, &not_on_disk(), ctx);
            return AtomicResponse::new(Box::pin(wrap_future(ready(()))));
        }
        let thread_id = self.record.id;
        let most = self.parts.turns.limits.queued_messages;
        let asked = wrap_future::<_, Self>(store::ask(&self.parts.store, AddQueued { thread_id, submission, most }));
        AtomicResponse::new(Box::pin(asked.map(move |queued, thread: &mut Self, ctx| {
            let queued = queued.map_err(|error| error.refusal());
            let is_added = matches!(queued, Ok(Queued::Added(_)));
            let answer = added(thread_id, most, queued, reply);
            ctx.post(&thread.parts.router, answer);
            if is_added {
                thread.may_have_queued = true;
                if thread.running.is_none() {
                    thread.rules = Some(*rules);
                    thread.take_queued(ctx);
                }
            }
        })))
    }
}
