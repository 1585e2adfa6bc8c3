//! The turn of a thread: started, steered and interrupted by clients, and followed by its reports.

use std::future::ready;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::messages::{CompactThread, EndTurn, InterruptTurn, ReviewThread, RunUserCommand, StartTurn, SteerTurn};
use super::refusals::{busy, no_turn_to, no_words_during};
use super::step::Step;
use super::steps::{Taken, Ways, not_recorded, question};
use super::{Running, Thread};
use crate::context::Context;
use crate::post::Post;
use crate::protocol::RpcError;
use crate::protocol::thread::Empty;
use crate::protocol::turn::{CodexErrorInfo, NonSteerableTurnKind};
use crate::reply::Reply;
use crate::store;
use crate::turn::{
    Interrupt, Purpose, Report, RunCommand, Steer, Turn, TurnEvent, TurnRules, TurnTask, UserCommand, UserRequest,
    UserWords,
};

impl Thread {
    /// A user's words begin a turn, or join the one that runs.
    fn hear(&mut self, words: UserWords, rules: TurnRules, ctx: &mut Context<Self>) {
        match &self.running {
            Some(_) => {
                self.rules = Some(rules);
                self.steer(words, ctx);
            }
            None => self.begin(Purpose::Answer(words), rules, ctx),
        }
    }

    pub(super) fn begin(&mut self, purpose: Purpose, rules: TurnRules, ctx: &mut Context<Self>) {
        let turn_id = Uuid::now_v7().to_string();
        let pursues = matches!(purpose, Purpose::Pursue(_));
        let compact_first = self.compacts_first(&purpose, &rules);
        self.state.begin(&turn_id, pursues, self.parts.clock.unix_ms());
        let task = TurnTask {
            thread_id: self.record.id,
            turn_id: turn_id.as_str().into(),
            rules: match purpose {
                Purpose::Review(_) => rules.clone().for_review(),
                _ if self.goal.is_some() => rules.clone().with_goal(),
                _ => rules.clone(),
            },
            shells: self.shells.clone(),
            servers: self.servers.clone(),
            allowed: self.allowed.clone(),
            history: self.history.as_ref().map(|known| known.entries().to_vec()),
            compact_first,
            purpose,
        };
        let deaf = match task.purpose {
            Purpose::Compact(_) => Some(NonSteerableTurnKind::Compact),
            Purpose::Review(_) => Some(NonSteerableTurnKind::Review),
            Purpose::Answer(_) | Purpose::Pursue(_) | Purpose::Command(_) => None,
        };
        self.rules = Some(rules);
        self.activity.set(self.state.activity());
        let turn = Turn::start(&self.parts.turns, task, ctx.address().recipient());
        let period = self.parts.turns.limits.record_milliseconds.duration();
        let progress = self.history.is_none().then(|| ctx.run_interval(period, Self::record_progress));
        let (ended, _work) = (CancellationToken::new(), self.parts.work.token());
        self.running = Some(Running { turn, deaf, ended, progress, _work });
    }

    /// Whether the conversation is summarised before a turn asks the model: it did not fit, or nearly fills the context.
    fn compacts_first(&mut self, purpose: &Purpose, rules: &TurnRules) -> bool {
        let is_full = rules.compact_from.is_some_and(|tokens| self.state.context_tokens() >= tokens);
        match purpose {
            Purpose::Answer(_) | Purpose::Pursue(_) => std::mem::take(&mut self.too_long) || is_full,
            Purpose::Compact(_) => {
                self.too_long = false;
                false
            }
            Purpose::Command(_) | Purpose::Review(_) => false,
        }
    }

    /// Hands words to the turn that runs, which reports them when they are part of the conversation.
    fn steer(&mut self, words: UserWords, ctx: &mut Context<Self>) {
        let Some(running) = &self.running else { return };
        if let Some(kind) = running.deaf {
            return self.refuse(words.reply, &no_words_during(kind), ctx);
        }
        let (words, error) = match running.turn.try_send(Steer(words)) {
            Ok(()) => return,
            Err(SendError::Full(Steer(words))) => (words, RpcError::overloaded()),
            Err(SendError::Closed(Steer(words))) => (words, no_turn_to("steer")),
        };
        self.refuse(words.reply, &error, ctx);
    }

    /// A user's command begins a turn, or runs in the one that runs.
    fn run_command(&mut self, command: UserCommand, rules: TurnRules, ctx: &mut Context<Self>) {
        let Some(running) = &self.running else { return self.begin(Purpose::Command(command), rules, ctx) };
        if let Some(kind) = running.deaf {
            return self.refuse(command.reply, &no_words_during(kind), ctx);
        }
        let (command, error) = match running.turn.try_send(RunCommand(command)) {
            Ok(()) => return,
            Err(SendError::Full(RunCommand(command))) => (command, RpcError::overloaded()),
            Err(SendError::Closed(RunCommand(command))) => {
                (command, RpcError::internal("the turn has ended; try again"))
            }
        };
        self.refuse(command.reply, &error, ctx);
    }

    fn interrupt(&self, ctx: &mut Context<Self>) {
        if let Some(running) = &self.running {
            ctx.post(&running.turn, Interrupt);
        }
    }

    /// Checks that `expected` is the turn that runs; empty stands for whichever does.
    fn expect_turn(&self, expected: &str, to: &str, quote: &str) -> Result<(), RpcError> {
        let running = self.state.running().ok_or_else(|| no_turn_to(to))?;
        if expected.is_empty() || expected == running {
            return Ok(());
        }
        Err(RpcError::invalid_request(format_args!(
            "expected active turn id {quote}{expected}{quote} but found {quote}{running}{quote}"
        )))
    }

    /// Takes the steps; until they are taken, nothing else happens in this thread.
    pub(super) fn take_steps(&mut self, steps: Vec<Step>) -> ResponseActFuture<Self, ()> {
        let at_ms = self.parts.clock.unix_ms();
        let taken = wrap_future::<_, Self>(self.ways().take(steps, at_ms));
        Box::pin(taken.then(|taken, thread, ctx| thread.after(taken, ctx)))
    }

    fn after(&mut self, taken: Taken, ctx: &mut Context<Self>) -> ResponseActFuture<Self, ()> {
        let Taken { again, commands, released, failure, goal } = taken;
        if goal.is_some() {
            self.know_goal(goal);
        }
        self.activity.set(self.state.activity());
        if released && let Some(running) = self.running.take() {
            running.progress.map(|progress| ctx.cancel_future(progress));
            running.ended.cancel();
        }
        for words in again {
            match (&words.request, self.rules.clone()) {
                (UserRequest::Start, _) if self.reverted => {
                    let error =
                        RpcError::invalid_request("the thread was reverted before the agent heard this; say it again");
                    self.refuse(words.reply, &error, ctx);
                }
                (UserRequest::Start, Some(rules)) => self.hear(words, rules, ctx),
                // It waits on disk.
                (UserRequest::Queued(_), _) => {}
                _ => self.refuse(words.reply, &no_turn_to("steer"), ctx),
            }
        }
        for command in commands {
            match self.rules.clone() {
                Some(rules) if !self.reverted => self.run_command(command, rules, ctx),
                _ => self.refuse(command.reply, &no_turn_to("run the command in"), ctx),
            }
        }
        if released && !self.reverted && !self.parts.work.is_closed() && self.goes_on(ctx) {
            self.take_queued(ctx);
        }
        match failure {
            Some(failure) if !released => {
                // Dropping its address ends the turn; what it still reports is left out.
                self.interrupt(ctx);
                let steps = self.state.fail(not_recorded(&failure), self.parts.clock.unix_ms());
                log::error!("a turn of thread {} ended, because it cannot be recorded: {failure}", self.record.id);
                self.take_steps(steps)
            }
            _ => Box::pin(wrap_future(ready(()))),
        }
    }

    pub(super) fn ways(&self) -> Ways {
        Ways {
            thread_id: self.record.id,
            router: self.parts.router.clone(),
            store: self.history.is_none().then(|| self.parts.store.clone()),
        }
    }

    pub(super) fn refuse(&self, reply: Reply, error: &RpcError, ctx: &mut Context<Self>) {
        ctx.post(&self.parts.router, reply.fail(error));
    }

    /// What a thread that is not on disk must remember itself. `is_current`: the turn that reports is the one that runs.
    fn remember(&mut self, events: &[TurnEvent], is_current: bool) {
        let Some(known) = &mut self.history else { return };
        for event in events {
            match event {
                TurnEvent::Injected { history, .. } => known.add(history),
                _ if !is_current => {}
                TurnEvent::Said { history, .. }
                | TurnEvent::ItemCompleted { history, .. }
                | TurnEvent::Remembered(history) => known.add(history),
                // Threads that are not on disk have no goals.
                TurnEvent::WentOn { .. } => {}
                TurnEvent::Compacted { history, .. } => known.replace(history),
                _ => {}
            }
        }
    }

    /// Brings the text of items in progress to disk from time to time. Nobody waits for it.
    pub(super) fn record_progress(&mut self, ctx: &mut Context<Self>) {
        let Some(store) = self.ways().store else { return };
        if self.recording {
            return;
        }
        let Some(record) = self.state.unrecorded() else { return };
        self.recording = true;
        // Asked here and not in the task, because what the turn reports next must not be overwritten by this.
        let recorded = store::ask(&store, question(self.record.id, record, self.parts.clock.unix_ms()));
        ctx.spawn(wrap_future::<_, Self>(recorded).map(|result, thread, _| {
            thread.recording = false;
            if let Err(error) = result {
                thread.state.not_recorded();
                log::warn!("the text of a running turn is not on disk yet: {error}");
            }
        }));
    }
}

impl Handler<StartTurn> for Thread {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, StartTurn { words, record, rules }: StartTurn, ctx: &mut Self::Context) -> Self::Result {
        let Some(record) = record.filter(|record| *record != self.record) else {
            self.hear(words, *rules, ctx);
            return AtomicResponse::new(Box::pin(wrap_future(ready(()))));
        };
        // What is acknowledged with the turn is kept with it.
        let saved = self.save(record);
        AtomicResponse::new(Box::pin(saved.map(move |saved, thread: &mut Self, ctx| match saved {
            Ok(()) => thread.hear(words, *rules, ctx),
            Err(error) => thread.refuse(words.reply, &error.refusal(), ctx),
        })))
    }
}

impl Handler<EndTurn> for Thread {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: EndTurn, ctx: &mut Self::Context) -> Self::Result {
        self.interrupt(ctx);
        let ended = self.running.as_ref().map(|running| running.ended.clone());
        let (shells, servers) = (self.shells.clone(), self.servers.clone());
        Box::pin(async move {
            if let Some(ended) = ended {
                ended.cancelled().await;
            }
            futures_util::future::join(shells.end(|_| true), servers.end()).await;
        })
    }
}

impl Handler<SteerTurn> for Thread {
    type Result = ();

    fn handle(&mut self, SteerTurn { words, expected_turn_id }: SteerTurn, ctx: &mut Self::Context) {
        match self.expect_turn(&expected_turn_id, "steer", "`") {
            Ok(()) => self.steer(words, ctx),
            Err(error) => self.refuse(words.reply, &error, ctx),
        }
    }
}

impl Handler<InterruptTurn> for Thread {
    type Result = ();

    fn handle(&mut self, InterruptTurn { reply, turn_id }: InterruptTurn, ctx: &mut Self::Context) {
        let expected = self.expect_turn(&turn_id, "interrupt", "");
        if expected.is_ok() {
            self.interrupt(ctx);
        }
        ctx.post(&self.parts.router, reply.answer(expected.map(|()| Empty {})));
    }
}

impl Handler<RunUserCommand> for Thread {
    type Result = ();

    fn handle(&mut self, RunUserCommand { command, rules }: RunUserCommand, ctx: &mut Self::Context) {
        self.run_command(command, *rules, ctx);
    }
}

impl Handler<CompactThread> for Thread {
    type Result = ();

    fn handle(&mut self, CompactThread { reply, rules }: CompactThread, ctx: &mut Self::Context) {
        match self.running {
            Some(_) => self.refuse(reply, &busy(), ctx),
            None => self.begin(Purpose::Compact(reply), *rules, ctx),
        }
    }
}

impl Handler<ReviewThread> for Thread {
    type Result = ();

    fn handle(&mut self, ReviewThread { wanted, rules }: ReviewThread, ctx: &mut Self::Context) {
        match self.running {
            Some(_) => self.refuse(wanted.reply, &busy(), ctx),
            None => self.begin(Purpose::Review(wanted), *rules, ctx),
        }
    }
}

impl Handler<Report> for Thread {
    type Result = AtomicResponse<Self, ()>;

    fn handle(&mut self, Report { turn_id, events }: Report, _: &mut Self::Context) -> Self::Result {
        let is_current = self.state.running() == Some(&*turn_id);
        self.remember(&events, is_current);
        self.too_long |= is_current && events.iter().any(is_too_long);
        for event in &events {
            if let TurnEvent::GoalChanged(goal) = event {
                self.know_goal(Some(goal.clone()));
            }
        }
        let steps = self.state.report(&turn_id, events, self.parts.clock.unix_ms());
        AtomicResponse::new(self.take_steps(steps))
    }
}

/// Whether the turn ended because the conversation does not fit into the model's context.
fn is_too_long(event: &TurnEvent) -> bool {
    let TurnEvent::Ended { outcome: crate::turn::TurnOutcome::Failed(error) } = event else { return false };
    error.codex_error_info == Some(CodexErrorInfo::ContextWindowExceeded)
}
