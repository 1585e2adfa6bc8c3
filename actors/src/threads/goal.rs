//! Requests about goals. A loaded thread decides about its own; those of others are changed in the database, and count when
//! the thread is loaded.

use super::refusals::{thread_id, thread_not_found};
use super::{Threads, Work, decided, finish, hand_over, work};
use crate::protocol::thread::{
    ThreadGoalClearParams, ThreadGoalClearResponse, ThreadGoalGetResponse, ThreadGoalSetParams, ThreadGoalSetResponse,
    ThreadId, ThreadIdParams,
};
use crate::protocol::{RpcError, ServerNotification};
use crate::router::Outcome;
use crate::store::messages::{ChangeGoal, ClearGoal, GoalChange, ReadGoal};
use crate::thread::{ChangeThreadGoal, ClearThreadGoal, goal_updated, no_goal, not_on_disk};

/// Characters of an objective at most (the reference program's number).
const OBJECTIVE_CHARACTERS: usize = 4000;

impl Threads {
    pub(super) fn goal(&self, params: &ThreadIdParams) -> Result<Work, RpcError> {
        let id = thread_id(&params.thread_id)?;
        let (record, goal) = (self.known(id), self.ask(ReadGoal { thread_id: id }));
        work(async move {
            record.await?.ok_or_else(|| thread_not_found(id))?;
            let goal = goal.await?;
            finish(move |_, reply| reply.ok(&ThreadGoalGetResponse { goal }))
        })
    }

    pub(super) fn set_goal(&self, params: ThreadGoalSetParams) -> Result<Work, RpcError> {
        let ThreadGoalSetParams { objective, status, token_budget, .. } = params;
        let id = self.on_disk(&params.thread_id)?;
        let objective = objective.map(|objective| objective.trim().to_owned());
        if objective.as_ref().is_some_and(String::is_empty) {
            return Err(RpcError::invalid_request("goal objective must not be empty"));
        }
        if objective.as_ref().is_some_and(|objective| objective.chars().count() > OBJECTIVE_CHARACTERS) {
            let words = format_args!("goal objective must be at most {OBJECTIVE_CHARACTERS} characters");
            return Err(RpcError::invalid_request(words));
        }
        if token_budget.is_some_and(|budget| budget <= 0) {
            return Err(RpcError::invalid_request("goal budgets must be positive when provided"));
        }
        let change = GoalChange::Set { objective, status, token_budget };
        if !self.loaded.contains_key(&id) {
            let record = self.known(id);
            let changed = self.ask(ChangeGoal { thread_id: id, change, at_ms: self.parts.clock.unix_ms() });
            return work(async move {
                record.await?.ok_or_else(|| thread_not_found(id))?;
                let goal = changed.await?.ok_or_else(|| no_goal(id))?;
                finish(move |_, reply| {
                    reply.ok(&ThreadGoalSetResponse { goal: goal.clone() }).publish(goal_updated(id, None, goal))
                })
            });
        }
        let thread = self.live(&params.thread_id)?;
        let rules = self.rules_now(&params.thread_id)?;
        work(async move {
            let rules = rules.await?;
            hand_over(move |reply| async move {
                // Where the thread fails meanwhile, the reply is dropped with the message, which answers that.
                let _ = thread.send(ChangeThreadGoal { reply, change, rules }).await;
            })
        })
    }

    pub(super) fn clear_goal(&self, params: &ThreadGoalClearParams) -> Result<Work, RpcError> {
        let id = self.on_disk(&params.thread_id)?;
        if self.loaded.contains_key(&id) {
            let thread = self.live(&params.thread_id)?;
            return decided(hand_over(move |reply| async move {
                let _ = thread.send(ClearThreadGoal { reply }).await;
            }));
        }
        let (record, cleared) = (self.known(id), self.ask(ClearGoal { thread_id: id }));
        work(async move {
            record.await?.ok_or_else(|| thread_not_found(id))?;
            let cleared = cleared.await?;
            finish(move |_, reply| {
                let told = cleared.then_some(ServerNotification::ThreadGoalCleared { thread_id: id });
                told.into_iter().fold(reply.ok(&ThreadGoalClearResponse { cleared }), Outcome::publish)
            })
        })
    }

    /// The thread of this id, which must be one that is on disk.
    pub(super) fn on_disk(&self, id: &str) -> Result<ThreadId, RpcError> {
        let id = thread_id(id)?;
        if self.is_ephemeral(id) { Err(not_on_disk()) } else { Ok(id) }
    }
}
