//! The life of one turn: the user's words, the model's answers, the end.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use actix_rt::task::spawn_blocking;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use super::answer::started;
use super::ask::Showing;
use super::compact;
use super::context::instructions;
use super::files_of_place::FilesOfPlace;
use super::messages::{Inject, Report, TurnEvent, TurnOutcome, UserCommand, UserWords};
use super::report::{Reporter, ThreadGone};
use super::task::{Purpose, TurnRules, TurnSetup, TurnTask};
use super::tools::{Made, Toolbox};
use super::waiting::Waiting;
use super::words;
use crate::model::{ModelClient, ModelRequest};
use crate::protocol::item::{Item, ItemKind, UserMessage};
use crate::protocol::model::{HistoryItem, Role};
use crate::protocol::thread::ThreadId;
use crate::protocol::turn::{CodexErrorInfo, TurnError};
use crate::store;
use crate::traces::{Span, TURN};

/// What reaches a turn while it runs.
pub(super) enum Input {
    Steer(Waiting<UserWords>),
    Inject(Waiting<Inject>),
    Command(Waiting<UserCommand>),
    Interrupt,
}

/// A turn at work. It owns the conversation as the model sees it.
pub(super) struct Run {
    pub(super) setup: Arc<TurnSetup>,
    pub(super) models: ModelClient,
    pub(super) task: Outline,
    pub(super) reporter: Reporter,
    pub(super) inbox: mpsc::Receiver<Input>,
    pub(super) history: Vec<HistoryItem>,
    /// Words that came while the model was answering.
    pub(super) waiting: Vec<Waiting<UserWords>>,
    /// What clients added while the model was answering.
    pub(super) injected: Vec<Waiting<Inject>>,
    /// What is said now belongs to a conversation beside the thread's own.
    pub(super) aside: bool,
    /// Tokens of the last call.
    pub(super) last_tokens: u64,
    pub(super) toolbox: Rc<Toolbox>,
    /// Calls of tools that run, and commands of users.
    pub(super) calls: FuturesUnordered<LocalBoxFuture<'static, Made>>,
    /// Those that are over, and that the model has not seen.
    pub(super) made: Vec<Made>,
}

/// What stays of the task once its words are taken.
pub(super) struct Outline {
    thread_id: ThreadId,
    pub(super) turn_id: Arc<str>,
    pub(super) rules: TurnRules,
    compact_first: bool,
}

/// Why the conversation does not go on.
pub(super) enum Stop {
    Interrupted,
    Failed(TurnError),
    /// There is nobody left to tell.
    Gone,
}

impl From<ThreadGone> for Stop {
    fn from(ThreadGone: ThreadGone) -> Self {
        Self::Gone
    }
}

/// What reached the turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Words of a user.
    Words,
    /// Somebody wants the turn to end.
    Interrupt,
    /// Anything else.
    Other,
}

/// What came of one answer of the model.
#[derive(Default)]
pub(super) struct Answered {
    /// How many calls of tools the model made.
    pub(super) calls: usize,
    /// The text of the last message.
    pub(super) text: String,
    /// The model is to be asked again.
    pub(super) goes_on: bool,
}

impl Run {
    /// A turn that begins when [`Self::run`] is called, and what it is for.
    pub(super) fn new(
        setup: Arc<TurnSetup>,
        models: ModelClient,
        task: TurnTask,
        reporter: Reporter,
        inbox: mpsc::Receiver<Input>,
        thread: Recipient<Report>,
    ) -> (Self, Purpose) {
        let TurnTask { thread_id, turn_id, purpose, rules, history, compact_first, shells, servers, allowed } = task;
        let toolbox =
            Toolbox::new(setup.clone(), thread_id, turn_id.clone(), rules.clone(), thread, (shells, servers), allowed);
        let task = Outline { thread_id, turn_id, rules, compact_first };
        let history = history.unwrap_or_default();
        (
            Self {
                setup,
                models,
                task,
                reporter,
                inbox,
                history,
                waiting: Vec::new(),
                injected: Vec::new(),
                aside: false,
                last_tokens: 0,
                toolbox: Rc::new(toolbox),
                calls: FuturesUnordered::new(),
                made: Vec::new(),
            },
            purpose,
        )
    }

    /// Runs the turn to its end, which is reported.
    pub(super) async fn run(mut self, purpose: Purpose, is_ephemeral: bool) {
        let since = Instant::now();
        let ended = self.converse(purpose, is_ephemeral).await;
        if ended.is_err() {
            // Commands outlive a turn only where it ended by itself.
            self.toolbox.end_shells().await;
        }
        let outcome = match ended {
            Ok(()) => TurnOutcome::Completed,
            Err(Stop::Interrupted) => {
                self.remember_end();
                TurnOutcome::Interrupted
            }
            Err(Stop::Failed(error)) => {
                self.remember_outputs();
                TurnOutcome::Failed(error)
            }
            Err(Stop::Gone) => return,
        };
        self.setup.metrics.turns.add(outcome.label());
        self.setup.traces.ended(Span {
            turn_id: &self.task.turn_id,
            name: TURN,
            since,
            failed: matches!(outcome, TurnOutcome::Failed(_)),
            attributes: &[("thread", &self.task.thread_id.to_string()), ("end", outcome.label())],
        });
        self.toolbox.changes.finish().await;
        self.add_injected();
        self.reporter.push(TurnEvent::Ended { outcome });
        if self.reporter.flush().await.is_err() {
            return;
        }
        // The thread sends nothing more now. What it had sent before it knew of the end goes back.
        self.inbox.close();
        let mut unheard = std::mem::take(&mut self.waiting);
        while let Some(input) = self.inbox.recv().await {
            match input {
                Input::Steer(words) => unheard.push(words),
                Input::Inject(injected) => self.injected.push(injected),
                Input::Command(command) => self.reporter.push(TurnEvent::UnheardCommand(command.take())),
                Input::Interrupt => {}
            }
        }
        self.add_injected();
        if !unheard.is_empty() {
            self.reporter.push(TurnEvent::Unheard(unheard.into_iter().map(Waiting::take).collect()));
        }
        // Where the thread is gone, the replies are dropped, which answers them.
        let _ = self.reporter.flush().await;
    }

    async fn converse(&mut self, purpose: Purpose, is_ephemeral: bool) -> Result<(), Stop> {
        if !is_ephemeral {
            self.read_history().await?;
        }
        match purpose {
            Purpose::Compact(reply) => {
                self.reporter.push(TurnEvent::Began { reply });
                return self.compact().await;
            }
            Purpose::Command(command) => return self.run_command(command).await,
            Purpose::Review(wanted) => return self.review(wanted).await,
            Purpose::Answer(words) => {
                self.remember_outputs();
                self.say(words).await?;
            }
            Purpose::Pursue(goal) => {
                self.remember_outputs();
                self.go_on(&goal).await?;
            }
        }
        self.meet_servers().await?;
        if self.task.compact_first {
            self.compact().await?;
        }
        loop {
            let goes_on = self.answer().await?.goes_on;
            self.add_injected();
            let steered = !self.waiting.is_empty();
            for words in std::mem::take(&mut self.waiting) {
                self.say(words.take()).await?;
            }
            if !goes_on && !steered {
                return Ok(());
            }
            if self.task.rules.compact_from.is_some_and(|tokens| self.last_tokens >= tokens) {
                self.compact().await?;
            }
        }
    }

    async fn read_history(&mut self) -> Result<(), Stop> {
        let question = store::messages::ReadModelHistory { thread_id: self.task.thread_id };
        let failed = |reason: String| {
            Stop::Failed(failure(format!("the history of this thread cannot be read: {reason}"), CodexErrorInfo::Other))
        };
        self.history =
            store::ask_patiently(&self.setup.store, question).await.map_err(|error| failed(error.to_string()))?;
        Ok(())
    }

    /// Makes a user's words part of the conversation, and before them what the model does not know yet of the place.
    async fn say(&mut self, words: UserWords) -> Result<(), Stop> {
        let UserWords { reply, request, client_id, content, context } = words;
        let (rules, image_bytes) = (self.task.rules.clone(), self.setup.limits.image_bytes);
        let spoken = content.clone();
        let looked = spawn_blocking(move || {
            let surroundings = FilesOfPlace::read(&rules, &spoken);
            (surroundings, words::message(&spoken, &rules.cwd, image_bytes))
        });
        let (files, message) = looked.await.map_err(|_| {
            Stop::Failed(failure("the server failed while it read the files of the message", CodexErrorInfo::Other))
        })?;
        self.warn_of(&files);
        let mut history = self.unknown_place(&files);
        history.extend(context.into_iter().map(|text| HistoryItem::text(Role::User, text)));
        history.push(message);
        history.extend(files.called.texts.into_iter().map(|text| HistoryItem::text(Role::User, text)));
        self.history.extend(history.iter().cloned());

        let now = self.setup.clock.unix_ms();
        let mut item = started(ItemKind::UserMessage(UserMessage { client_id, content }), now);
        item.completed_at_ms = Some(now);
        self.reporter.push(TurnEvent::Said { item, history, reply, request });
        self.reporter.flush().await?;
        Ok(())
    }

    pub(super) fn request(&self, input: Vec<HistoryItem>) -> ModelRequest {
        let rules = &self.task.rules;
        ModelRequest {
            model: rules.model.clone(),
            instructions: instructions(rules.base_instructions.as_deref(), rules.developer_instructions.as_deref()),
            input,
            tools: self.offered(),
            effort: rules.effort.clone(),
            summary: rules.summary,
            output_schema: rules.output_schema.clone(),
            service_tier: rules.service_tier.clone(),
            thread_id: self.task.thread_id.to_string(),
            trace: self.setup.traces.context(&self.task.turn_id),
        }
    }

    pub(super) fn remember(&mut self, history: Vec<HistoryItem>) {
        if !history.is_empty() {
            self.history.extend(history.iter().cloned());
            if !self.aside {
                self.reporter.push(TurnEvent::Remembered(history));
            }
        }
    }

    /// Makes what clients added part of the conversation.
    fn add_injected(&mut self) {
        for Inject { reply, history } in std::mem::take(&mut self.injected).into_iter().map(Waiting::take) {
            self.history.extend(history.iter().cloned());
            self.reporter.push(TurnEvent::Injected { history, reply });
        }
    }

    /// Closes calls whose tools never answered, so that the history can be sent again.
    fn remember_outputs(&mut self) {
        self.remember(HistoryItem::missing_outputs(&self.history));
    }

    fn remember_end(&mut self) {
        self.remember_outputs();
        self.remember(vec![HistoryItem::interruption()]);
    }

    /// Lets the model summarise the conversation.
    async fn compact(&mut self) -> Result<(), Stop> {
        let item = started(ItemKind::ContextCompaction, self.setup.clock.unix_ms());
        self.reporter.push(TurnEvent::ItemStarted(item.clone()));
        self.reporter.flush().await?;
        let result = self.summarise().await;
        let item = Item { completed_at_ms: Some(self.setup.clock.unix_ms()), ..item };
        match result {
            Ok(history) => {
                self.history.clone_from(&history);
                self.last_tokens = 0;
                self.reporter.push(TurnEvent::Compacted { item, history });
                Ok(self.reporter.flush().await?)
            }
            Err(stop) => {
                self.reporter.push(TurnEvent::ItemCompleted { item, history: Vec::new() });
                Err(stop)
            }
        }
    }

    async fn summarise(&mut self) -> Result<Vec<HistoryItem>, Stop> {
        let input = self.history.iter().cloned().chain([compact::question()]).collect();
        let request = ModelRequest { tools: [].into(), output_schema: None, ..self.request(input) };
        let mut answered = Answered::default();
        self.ask(request, Showing::Nothing, &mut answered).await?;
        let summary = answered.text;
        if summary.trim().is_empty() {
            let words =
                "the model wrote no summary, so the conversation stays as it is; try again, or use another model";
            return Err(Stop::Failed(failure(words, CodexErrorInfo::Other)));
        }
        let context = self.told_of_skills().into_iter().chain([self.surroundings()]).chain(self.way_of_working());
        Ok(compact::compacted(&self.history, context.collect(), &summary))
    }
}

pub(super) fn failure(message: impl Into<String>, info: CodexErrorInfo) -> TurnError {
    TurnError {
        message: message.into(),
        codex_error_info: Some(info),
        additional_details: None,
        misalignment: Default::default(),
    }
}
