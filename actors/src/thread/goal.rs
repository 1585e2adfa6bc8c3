//! The goal of a thread: changes of it, and the turns that the agent begins by itself to reach it.
//!
//! The database owns the goal. The thread knows it while the agent works towards it: when a turn ends by itself, the next one
//! begins. Who interrupts a turn stops that, until the next turn of a user, or until the goal is made active again. So does a
//! turn that fails; and an agent that only talks, some turns in a row, counts as blocked, so that no model is asked for ever.

use std::future::ready;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;

use super::Thread;
use super::messages::{ChangeThreadGoal, ClearThreadGoal};
use super::refusals::{no_goal, not_on_disk};
use super::telling::goal_updated;
use crate::context::Context;
use crate::post::Post;
use crate::protocol::ServerNotification;
use crate::protocol::notification::Warning;
use crate::protocol::thread::{ThreadGoal, ThreadGoalClearResponse, ThreadGoalSetResponse, ThreadGoalStatus};
use crate::router::Outcome;
use crate::store::messages::{ChangeGoal, ClearGoal, GoalChange};
use crate::store::{self, StoreError};
use crate::turn::Purpose;

impl Thread {
    /// The goal is this now; `None` if there is none.
    pub(super) fn know_goal(&mut self, goal: Option<ThreadGoal>) {
        self.goal = goal.filter(|goal| goal.status == ThreadGoalStatus::Active);
        self.state.pursues(self.goal.is_some());
    }

    /// Begins a turn towards the goal, if there is one and nothing else runs.
    pub(super) fn pursue(&mut self, ctx: &mut Context<Self>) {
        if let (Some(goal), Some(rules), None) = (self.goal.clone(), self.rules.clone(), &self.running) {
            self.begin(Purpose::Pursue(goal), rules, ctx);
        }
    }

    /// A turn has ended by itself. Whether the agent is to go on: not where it has only talked for too long.
    pub(super) fn goes_on(&mut self, ctx: &mut Context<Self>) -> bool {
        let Some(end) = self.state.last_end() else { return false };
        self.idle_turns = if end.worked || !end.pursued { 0 } else { self.idle_turns + 1 };
        let most = self.parts.turns.limits.goal_idle_turns;
        if self.goal.is_none() || self.idle_turns < most {
            return true;
        }
        self.idle_turns = 0;
        let thread_id = self.record.id;
        let message = format!(
            "The goal is set to blocked: the agent has ended {most} turns in a row without doing anything for it \
             (`turns.goal_idle_turns`). Make it active again to let it try once more."
        );
        let warning = ServerNotification::Warning(Warning { thread_id, message });
        let settled = self.change_goal(GoalChange::Settle(ThreadGoalStatus::Blocked));
        ctx.spawn(settled.map(move |changed, thread, ctx| match changed {
            Ok(Some(goal)) => {
                let told = Outcome::none().publish(warning).publish(goal_updated(thread_id, None, goal));
                ctx.post(&thread.parts.router, told);
            }
            Ok(None) => {}
            Err(error) => log::warn!("the goal of thread {thread_id} cannot be set to blocked: {error}"),
        }));
        self.know_goal(None);
        false
    }

    fn change_goal(&self, change: GoalChange) -> ResponseActFuture<Self, Result<Option<ThreadGoal>, StoreError>> {
        let question = ChangeGoal { thread_id: self.record.id, change, at_ms: self.parts.clock.unix_ms() };
        Box::pin(wrap_future(store::ask(&self.parts.store, question)))
    }
}

impl Handler<ChangeThreadGoal> for Thread {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, message: ChangeThreadGoal, ctx: &mut Self::Context) -> Self::Result {
        let ChangeThreadGoal { reply, change, rules } = message;
        if self.history.is_some() {
            self.refuse(reply, &not_on_disk(), ctx);
            return AtomicResponse::new(Box::pin(wrap_future(ready(()))));
        }
        let changed = self.change_goal(change);
        AtomicResponse::new(Box::pin(changed.map(move |changed, thread: &mut Self, ctx| match changed {
            Ok(Some(goal)) => {
                let id = thread.record.id;
                let answer = reply.ok(&ThreadGoalSetResponse { goal: goal.clone() });
                ctx.post(&thread.parts.router, answer.publish(goal_updated(id, None, goal.clone())));
                thread.know_goal(Some(goal));
                thread.idle_turns = 0;
                thread.rules = Some(*rules);
                thread.pursue(ctx);
            }
            Ok(None) => thread.refuse(reply, &no_goal(thread.record.id), ctx),
            Err(error) => thread.refuse(reply, &error.refusal(), ctx),
        })))
    }
}

impl Handler<ClearThreadGoal> for Thread {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, ClearThreadGoal { reply }: ClearThreadGoal, _: &mut Self::Context) -> Self::Result {
        let thread_id = self.record.id;
        let asked = wrap_future::<_, Self>(store::ask(&self.parts.store, ClearGoal { thread_id }));
        AtomicResponse::new(Box::pin(asked.map(move |cleared, thread: &mut Self, ctx| match cleared {
            Ok(cleared) => {
                thread.know_goal(None);
                let answer = reply.ok(&ThreadGoalClearResponse { cleared });
                let told = cleared.then_some(ServerNotification::ThreadGoalCleared { thread_id });
                ctx.post(&thread.parts.router, told.into_iter().fold(answer, Outcome::publish));
            }
            Err(error) => thread.refuse(reply, &error.refusal(), ctx),
        })))
    }
}
