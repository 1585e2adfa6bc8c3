//! What a loaded thread does, as clients see it: idle, or with a turn that runs.
//!
//! This is the pure part of the thread: what a turn reports goes in, and the steps that the thread has to take come out.
//! The steps are taken in their order, and one that records is over before the next one is taken, so what clients are
//! told about a complete item is on disk.

use super::activity::Activity;
use super::behind::{Behind, can_go_on};
use super::running::{End, RunningTurn, close, is_long, is_work, said_of_review, spent};
use super::step::{Answer, Record, Step};
use super::telling::{completed, encoded, goal_updated, grown, progressed, turn_object, typed};
use super::usage::added;
use crate::protocol::ServerNotification as Tell;
use crate::protocol::notification::{ThreadTokenUsageUpdated, TurnDiffUpdated, TurnFailure, TurnPlanUpdated, Warning};
use crate::protocol::thread::ThreadId;
use crate::protocol::turn::{Turn, TurnError, TurnItemsView, TurnStatus};
use crate::protocol::usage::ThreadTokenUsage;
use crate::store::TurnRecord;
use crate::turn::{TurnEvent, TurnOutcome, UserRequest};

/// The state of one loaded thread.
pub struct ThreadState {
    pub(super) thread_id: ThreadId,
    pub(super) turn: Option<RunningTurn>,
    /// Commands that go on behind the end of their turn.
    behind: Behind,
    usage: Option<ThreadTokenUsage>,
    /// Tokens of the last call to the model, as far as the conversation still has them.
    context_tokens: u64,
    /// The agent works towards a goal.
    pursues: bool,
    /// How the last turn ended, if by itself.
    last_end: Option<End>,
    /// The last turn failed, and none has run since.
    failed: bool,
}

impl ThreadState {
    /// A thread at rest.
    pub fn new(thread_id: ThreadId, usage: Option<ThreadTokenUsage>) -> Self {
        let context_tokens = usage.and_then(|usage| u64::try_from(usage.last.total_tokens).ok()).unwrap_or_default();
        Self {
            thread_id,
            turn: None,
            behind: Behind::default(),
            usage,
            context_tokens,
            pursues: false,
            last_end: None,
            failed: false,
        }
    }

    /// What clients are told of it.
    pub fn activity(&self) -> Activity {
        match &self.turn {
            Some(turn) => Activity::Working(turn.waits()),
            None if self.failed => Activity::Failed,
            None => Activity::Idle,
        }
    }

    /// The id of the turn that runs.
    pub fn running(&self) -> Option<&str> {
        self.turn.as_ref().map(|turn| turn.record.id.as_str())
    }

    /// About the tokens of the conversation, as the last call to the model told them.
    pub(super) fn context_tokens(&self) -> u64 {
        self.context_tokens
    }

    /// Whether the agent works towards a goal.
    pub fn pursues(&mut self, pursues: bool) {
        self.pursues = pursues;
    }

    /// How the last turn ended; `None` if not by itself.
    pub(super) fn last_end(&self) -> Option<End> {
        self.last_end
    }

    /// A turn is about to run. Clients are told when its first words are on disk. `pursued`: the agent begins it.
    pub fn begin(&mut self, turn_id: &str, pursued: bool, now_ms: i64) {
        let record = TurnRecord {
            id: turn_id.to_owned(),
            root_turn_id: Some(turn_id.to_owned()),
            status: TurnStatus::InProgress,
            error: None,
            started_at_ms: Some(now_ms),
            completed_at_ms: None,
            token_usage: self.usage,
        };
        self.turn = Some(RunningTurn {
            record,
            announced: false,
            open: Vec::new(),
            grew: false,
            asks: Vec::new(),
            last_message: None,
            end: End { pursued, worked: false },
            tokens: 0,
            aside: false,
        });
        self.last_end = None;
    }

    /// The turn that runs with its items in progress, for a client that joins.
    pub fn in_progress(&self) -> Option<Turn> {
        let turn = self.turn.as_ref().filter(|turn| turn.announced)?;
        let items = turn.open.iter().filter_map(encoded).collect();
        Some(turn_object(&turn.record, items, TurnItemsView::Full))
    }

    /// The items in progress, if there is more of them than was recorded. From now on they count as recorded.
    pub fn unrecorded(&mut self) -> Option<Record> {
        let turn = self.turn.as_mut().filter(|turn| turn.grew && turn.announced)?;
        turn.grew = false;
        // The output of a command may be long, and is on disk when it has ended.
        let items = turn.open.iter().filter(|item| !is_long(item)).filter_map(encoded).collect();
        Some(Record { turn: turn.record.clone(), items, history: Vec::new(), replaces_history: false, dequeued: None })
    }

    /// What [`Self::unrecorded`] gave is not on disk: the items in progress are to be recorded once more.
    pub fn not_recorded(&mut self) {
        if let Some(turn) = &mut self.turn {
            turn.grew = true;
        }
    }

    /// Takes in what the turn `turn_id` reports. What an older turn reports is left out.
    pub fn report(&mut self, turn_id: &str, events: Vec<TurnEvent>, now_ms: i64) -> Vec<Step> {
        let mut steps = Vec::new();
        for event in events {
            match event {
                // What came too late counts whichever turn runs now.
                TurnEvent::Unheard(words) => steps.push(Step::Again(words)),
                TurnEvent::UnheardCommand(command) => steps.push(Step::AgainCommand(command)),
                TurnEvent::Typed { turn_id, item_id, number, text } => {
                    steps.push(Step::Tell(typed(self.thread_id, &turn_id, item_id, number, text)));
                }
                TurnEvent::Injected { history, reply } => steps.push(Step::Remember(history, reply)),
                event if self.running() == Some(turn_id) => self.take(event, now_ms, &mut steps),
                TurnEvent::Grew { item_id, growth } => {
                    let turn = self.behind.grew(&item_id, &growth);
                    steps.extend(turn.map(|turn| Step::Tell(grown(self.thread_id, turn, &item_id, growth))));
                }
                TurnEvent::ItemCompleted { item, .. } => {
                    let Some(turn) = self.behind.complete(&item.id) else { continue };
                    let Some(encoded) = encoded(&item) else { continue };
                    let told = completed(self.thread_id, turn.id.clone(), &item, encoded.clone());
                    let items = vec![encoded];
                    let (history, dequeued) = (Vec::new(), None);
                    steps.push(Record { turn, items, history, replaces_history: false, dequeued }.into());
                    steps.push(told);
                }
                _ => log::debug!("an event of turn {turn_id}, which has ended, is left out"),
            }
        }
        steps
    }

    /// The turn cannot be recorded any more: it ends here, for clients as for us.
    pub fn fail(&mut self, error: TurnError, now_ms: i64) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.turn.is_some() {
            self.end(TurnOutcome::Failed(error), now_ms, &mut steps);
        }
        steps.retain(|step| !matches!(step, Step::Record(_)));
        steps
    }

    fn take(&mut self, event: TurnEvent, now_ms: i64, steps: &mut Vec<Step>) {
        let thread_id = self.thread_id;
        let Some(turn) = &mut self.turn else { return };
        let turn_id = turn.record.id.clone();
        match event {
            TurnEvent::Began { reply } => {
                steps.push(turn.record_of(Vec::new(), Vec::new()).into());
                steps.push(Step::Answer(reply, Answer::Done));
                self.announce(steps);
            }
            TurnEvent::ReviewBegan { reply, label } => {
                turn.aside = true;
                steps.push(turn.record_of(Vec::new(), Vec::new()).into());
                let said = said_of_review(turn_id, label);
                let shown = turn_object(&turn.record, encoded(&said).into_iter().collect(), TurnItemsView::NotLoaded);
                steps.push(Step::Answer(reply, Answer::Review(Box::new(shown))));
                self.announce(steps);
            }
            TurnEvent::Taken { reply } => steps.push(Step::Answer(reply, Answer::Done)),
            TurnEvent::Said { item, history, reply, request } => {
                let encoded = encoded(&item);
                let record = turn.record_of(encoded.iter().cloned().collect(), history);
                let (record, told) = match request {
                    UserRequest::Start => {
                        let turn = turn_object(&turn.record, Vec::new(), TurnItemsView::NotLoaded);
                        (record, Step::Answer(reply, Answer::Turn(Box::new(turn))))
                    }
                    UserRequest::Steer => (record, Step::Answer(reply, Answer::Steered(turn_id))),
                    UserRequest::Queued(id) => {
                        let told = Step::Tell(Tell::ThreadQueueChanged { thread_id });
                        (Record { dequeued: Some(id), ..record }, told)
                    }
                };
                steps.extend([record.into(), told]);
                self.announce(steps);
                steps.extend(self.started(&item));
                steps.extend(encoded.and_then(|encoded| self.completed(&item, encoded)));
            }
            TurnEvent::WentOn { history } => {
                steps.push(turn.record_of(Vec::new(), history).into());
                self.announce(steps);
            }
            TurnEvent::GoalChanged(goal) => steps.push(Step::Tell(goal_updated(thread_id, Some(turn_id), goal))),
            TurnEvent::ItemStarted(item) => {
                steps.extend(self.started(&item));
                if let Some(turn) = &mut self.turn {
                    turn.end.worked |= is_work(&item);
                    turn.open.push(item);
                    turn.grew = true;
                }
            }
            TurnEvent::Grew { item_id, growth } => {
                if let Some(item) = turn.open.iter_mut().find(|item| item.id == *item_id) {
                    growth.apply(item);
                    turn.grew = true;
                    steps.push(Step::Tell(grown(thread_id, turn_id, &item_id, growth)));
                }
            }
            TurnEvent::ItemCompleted { item, history } => {
                let encoded = encoded(&item);
                steps.push(turn.complete(&item, encoded.clone(), history).into());
                steps.extend(encoded.and_then(|encoded| self.completed(&item, encoded)));
            }
            TurnEvent::Compacted { item, history } => {
                let encoded = encoded(&item);
                self.context_tokens = 0;
                let record = turn.complete(&item, encoded.clone(), history);
                steps.push(Record { replaces_history: true, ..record }.into());
                steps.extend(encoded.and_then(|encoded| self.completed(&item, encoded)));
            }
            TurnEvent::Remembered(history) => match steps.last_mut() {
                Some(Step::Record(last)) if !last.replaces_history => last.history.extend(history),
                _ => steps.push(turn.record_of(Vec::new(), history).into()),
            },
            TurnEvent::Progressed { item_id, message } => {
                steps.push(Step::Tell(progressed(thread_id, turn_id, item_id, message)));
            }
            TurnEvent::Used { usage, context_window } => {
                turn.tokens = turn.tokens.saturating_add(i64::try_from(usage.total).unwrap_or(i64::MAX));
                if !turn.aside {
                    self.context_tokens = usage.total;
                }
                let usage = added(self.usage, usage, context_window);
                turn.record.token_usage = Some(usage);
                self.usage = Some(usage);
                let updated = ThreadTokenUsageUpdated { thread_id, turn_id, token_usage: usage };
                steps.push(Step::Tell(Tell::ThreadTokenUsageUpdated(updated)));
            }
            TurnEvent::Limited(limit) => {
                steps.push(Step::Tell(Tell::AccountRateLimitsUpdated { rate_limits: limit }));
            }
            TurnEvent::Retrying(error) => {
                let failure = TurnFailure { error, will_retry: true, thread_id, turn_id };
                steps.push(Step::Tell(Tell::Error(Box::new(failure))));
            }
            TurnEvent::Asking { ask, purpose } => {
                let before = turn.waits();
                turn.asks.push((ask.id(), purpose));
                if turn.waits() != before {
                    steps.push(self.status_changed());
                }
                steps.push(Step::Ask(ask));
            }
            TurnEvent::AskEnded(id) => {
                let before = turn.waits();
                turn.asks.retain(|(asked, _)| *asked != id);
                let changed = turn.waits() != before;
                steps.push(Step::Withdraw(id));
                if changed {
                    steps.push(self.status_changed());
                }
            }
            TurnEvent::Planned { explanation, steps: plan } => {
                let updated = TurnPlanUpdated { thread_id, turn_id, explanation, plan };
                steps.push(Step::Tell(Tell::TurnPlanUpdated(updated)));
            }
            TurnEvent::Changed(diff) => {
                steps.push(Step::Tell(Tell::TurnDiffUpdated(TurnDiffUpdated { thread_id, turn_id, diff })));
            }
            TurnEvent::Warning(message) => steps.push(Step::Tell(Tell::Warning(Warning { thread_id, message }))),
            TurnEvent::Ended { outcome } => self.end(outcome, now_ms, steps),
            // Handled before, because they count also after the end.
            TurnEvent::Unheard(_)
            | TurnEvent::UnheardCommand(_)
            | TurnEvent::Injected { .. }
            | TurnEvent::Typed { .. } => {}
        }
    }

    /// Tells of the turn, once.
    fn announce(&mut self, steps: &mut Vec<Step>) {
        let Some(turn) = self.turn.as_mut().filter(|turn| !turn.announced) else { return };
        turn.announced = true;
        self.failed = false;
        steps.push(self.status_changed());
        steps.extend(self.turn_changed(TurnItemsView::NotLoaded, Vec::new(), Tell::TurnStarted));
    }

    fn end(&mut self, outcome: TurnOutcome, now_ms: i64, steps: &mut Vec<Step>) {
        let Some(turn) = &mut self.turn else { return };
        let (status, error) = match outcome {
            TurnOutcome::Completed => (TurnStatus::Completed, None),
            TurnOutcome::Interrupted => (TurnStatus::Interrupted, None),
            TurnOutcome::Failed(error) => (TurnStatus::Failed, Some(error)),
        };
        turn.record.status = status;
        turn.record.error.clone_from(&error);
        turn.record.completed_at_ms = Some(now_ms);
        let is_completed = status == TurnStatus::Completed;
        self.last_end = is_completed.then_some(turn.end);
        let (behind, mut open): (Vec<_>, Vec<_>) =
            std::mem::take(&mut turn.open).into_iter().partition(|item| is_completed && can_go_on(item));
        open.iter_mut().for_each(|item| close(item, now_ms));
        steps.extend(turn.asks.drain(..).map(|(id, _)| Step::Withdraw(id)));
        let (was_announced, last_message) = (turn.announced, turn.last_message.take());
        if was_announced {
            let closed: Vec<_> = open.iter().filter_map(|item| Some((item, encoded(item)?))).collect();
            let items = closed.iter().map(|(_, encoded)| encoded.clone()).chain(behind.iter().filter_map(encoded));
            steps.push(turn.record_of(items.collect(), Vec::new()).into());
            self.behind.keep(&turn.record, behind);
            for (item, encoded) in closed {
                steps.extend(self.completed(item, encoded));
            }
            self.failed = error.is_some();
            let (thread_id, turn_id) = (self.thread_id, self.running().unwrap_or_default().to_owned());
            let ended: Vec<_> = last_message.iter().filter_map(encoded).collect();
            let view = if ended.is_empty() { TurnItemsView::NotLoaded } else { TurnItemsView::Summary };
            let completed = self.turn_changed(view, ended, Tell::TurnCompleted);
            // What a turn took counts also where it has settled the goal.
            let pursues = self.pursues;
            steps.extend(self.turn.take().filter(|turn| pursues || turn.end.pursued).map(spent));
            steps.push(self.status_changed());
            if let Some(error) = error {
                let failure = TurnFailure { error, will_retry: false, thread_id, turn_id };
                steps.push(Step::Tell(Tell::Error(Box::new(failure))));
            }
            steps.extend(completed);
        }
        self.turn = None;
        steps.push(Step::Release);
    }
}
