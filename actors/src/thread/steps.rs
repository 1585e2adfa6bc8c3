//! Taking the steps that the state machine asks for: first to disk, then to the clients.

use std::sync::Arc;

use actix::prelude::*;

use super::step::{Answer, Record, Step};
use super::telling::goal_updated;
use crate::protocol::ServerNotification as Tell;
use crate::protocol::model::HistoryItem;
use crate::protocol::review::ReviewStartResponse;
use crate::protocol::thread::{Empty, ThreadGoal, ThreadId};
use crate::protocol::turn::{CodexErrorInfo, TurnError, TurnStartResponse, TurnStatus, TurnSteerResponse};
use crate::router::{Effect, Outcome, Router};
use crate::store::messages::{ChangeGoal, GoalChange, HistoryChange, RecordModelHistory, RecordTurn};
use crate::store::{self, Store, StoreError};
use crate::turn::{UserCommand, UserWords};

/// Where the steps of one thread lead.
#[derive(Clone)]
pub(super) struct Ways {
    pub(super) thread_id: ThreadId,
    pub(super) router: Arc<Addr<Router>>,
    /// `None` for a thread that is not on disk.
    pub(super) store: Option<Arc<Addr<Store>>>,
}

/// What is left to do for the thread when the steps are taken.
#[derive(Default)]
pub(super) struct Taken {
    /// Words to be treated as if they came now.
    pub(super) again: Vec<UserWords>,
    /// Commands to be treated so.
    pub(super) commands: Vec<UserCommand>,
    /// The turn has ended.
    pub(super) released: bool,
    /// The goal has changed.
    pub(super) goal: Option<ThreadGoal>,
    /// Something could not be brought to disk. The steps behind it were not taken.
    pub(super) failure: Option<StoreError>,
}

impl Ways {
    /// Takes the steps in their order. What follows a step that failed is not told; requests that wait for it are refused.
    pub(super) async fn take(self, steps: Vec<Step>, at_ms: i64) -> Taken {
        let (mut taken, mut outcome) = (Taken::default(), Outcome::none());
        // Of a turn whose end is told all the same.
        let mut status = None;
        for step in steps {
            match (step, &taken.failure) {
                (Step::Record(record), None) => {
                    let Some(store) = &self.store else { continue };
                    // What was to be told before must not wait for the disk.
                    self.tell(std::mem::take(&mut outcome)).await;
                    let question = question(self.thread_id, *record, at_ms);
                    taken.failure = store::ask_patiently(store, question).await.err();
                }
                (Step::Remember(history, reply), None) => {
                    let answer = self.remember(history).await.map(|()| Empty {}).map_err(|error| error.refusal());
                    outcome = outcome.followed_by(reply.answer(answer));
                }
                (Step::Tell(notification), None) => {
                    outcome = outcome.publish(notification);
                }
                (Step::Answer(reply, answer), None) => {
                    outcome = outcome.followed_by(answer_with(self.thread_id, reply, answer));
                }
                (Step::Answer(reply, _) | Step::Remember(_, reply), Some(failure)) => {
                    outcome = outcome.followed_by(reply.fail(&failure.refusal()));
                }
                (Step::Ask(ask), None) => outcome = outcome.then(Effect::Ask(ask)),
                (Step::Withdraw(id), _) => {
                    outcome = outcome.then(Effect::Withdraw { thread: self.thread_id, ask: Some(id) });
                }
                (Step::Again(words), _) => taken.again.extend(words),
                (Step::AgainCommand(command), _) => taken.commands.push(command),
                (Step::Spend { turn_id, tokens, ms }, None) => {
                    if let Some(goal) = self.spend(tokens, ms, at_ms).await {
                        outcome = outcome.publish(goal_updated(self.thread_id, Some(turn_id), goal.clone()));
                        taken.goal = Some(goal);
                    }
                }
                (Step::Release, _) => taken.released = true,
                // Clients would wait for ever for a turn whose end cannot be kept.
                (Step::Tell(Tell::TurnCompleted(mut end)), Some(failure)) => {
                    end.turn.status = TurnStatus::Failed;
                    end.turn.error = Some(not_recorded(failure));
                    log::error!("the end of a turn of thread {} cannot be recorded: {failure}", self.thread_id);
                    outcome = status.take().into_iter().fold(outcome, Outcome::publish);
                    outcome = outcome.publish(Tell::TurnCompleted(end));
                }
                (Step::Tell(tell @ Tell::ThreadStatusChanged { .. }), Some(_)) => status = Some(tell),
                // An ask that is dropped tells whoever waits for it.
                (Step::Record(_) | Step::Tell(_) | Step::Ask(_) | Step::Spend { .. }, Some(_)) => {}
            }
        }
        self.tell(outcome).await;
        taken
    }

    /// Counts what a turn took for the goal. The goal comes back, if there is one that is worked towards.
    async fn spend(&self, tokens: i64, ms: i64, at_ms: i64) -> Option<ThreadGoal> {
        let question = ChangeGoal { thread_id: self.thread_id, change: GoalChange::Spend { tokens, ms }, at_ms };
        let spent = store::ask_patiently(self.store.as_ref()?, question).await;
        let failed = |error| log::warn!("what the goal of thread {} took is not counted: {error}", self.thread_id);
        spent.map_err(failed).ok().flatten()
    }

    async fn remember(&self, history: Vec<HistoryItem>) -> Result<(), StoreError> {
        let Some(store) = &self.store else { return Ok(()) };
        let question = RecordModelHistory { thread_id: self.thread_id, change: HistoryChange::Append(history) };
        let kept = store::ask_patiently(store, question).await.map(|_| ());
        kept.inspect_err(|error| log::warn!("what a client added to thread {} is not kept: {error}", self.thread_id))
    }

    async fn tell(&self, outcome: Outcome) {
        if !outcome.is_none() && self.router.send(outcome).await.is_err() {
            log::debug!("the router ended before a turn of thread {}", self.thread_id);
        }
    }
}

/// Why a turn ends that cannot be kept.
pub(super) fn not_recorded(failure: &StoreError) -> TurnError {
    TurnError {
        message: format!("the turn was ended, because what happens in it cannot be kept: {failure}"),
        codex_error_info: Some(CodexErrorInfo::Other),
        additional_details: None,
        misalignment: Default::default(),
    }
}

/// What brings a record to disk.
pub(super) fn question(thread_id: ThreadId, record: Record, at_ms: i64) -> RecordTurn {
    let Record { turn, items, history, replaces_history, dequeued } = record;
    let model_history = if replaces_history { HistoryChange::Replace(history) } else { HistoryChange::Append(history) };
    RecordTurn { thread_id, turn, items, model_history, dequeued, at_ms }
}

fn answer_with(thread_id: ThreadId, reply: crate::reply::Reply, answer: Answer) -> Outcome {
    match answer {
        Answer::Turn(turn) => reply.ok(&TurnStartResponse { turn: *turn }),
        Answer::Review(turn) => reply.ok(&ReviewStartResponse { turn: *turn, review_thread_id: thread_id }),
        Answer::Steered(turn_id) => reply.ok(&TurnSteerResponse { turn_id }),
        Answer::Done => reply.ok(&Empty {}),
    }
}
