//! A running turn: it asks the model, turns the answer into items, and reports what happens to its thread.
//!
//! A turn owns the conversation as the model sees it; its thread owns what clients see, and keeps both on disk. The turn
//! waits until each report is recorded and told, so that a slow thread slows the model's stream, and nothing piles up
//! between them. It runs on an arbiter off the hub, because reading a model's answer is work.
//!
//! | file | what it is |
//! |---|---|
//! | [`run`] | the turn from its first words to its end |
//! | [`ask`] | one call to the model |
//! | [`answer`], [`plan`] | from an answer to items |
//! | [`report`] | telling the thread |
//! | [`context`], [`instructions`], [`words`] | what the model is told |
//! | [`calls`] | the calls of tools that the model makes |
//! | [`tools`], [`client_tools`], [`servers`] | what the model may call |
//! | [`shell`] | a shell command that a tool runs |
//! | [`program`], [`dialogue`] | a short program; one that is asked again and again |
//! | [`changes`] | what the turn has changed in files |
//! | [`history`], [`compact`] | what must hold of a conversation, and how it is made shorter |
//! | [`figures`] | what is counted of calls to models |
//! | [`goal`] | a turn that the agent begins by itself |
//! | [`review`] | the model looks at changes with fresh eyes |
//! | [`waiting`] | the bound of what waits for its place in it |

mod answer;
mod ask;
mod calls;
mod changes;
mod client_tools;
mod compact;
mod context;
mod dialogue;
mod figures;
mod files_of_place;
mod goal;
mod growth;
mod history;
mod instructions;
mod messages;
mod place;
mod plan;
mod program;
mod report;
mod review;
mod run;
mod servers;
mod shell;
mod task;
mod tools;
mod waiting;
mod words;

use std::cell::OnceCell;
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio::sync::mpsc;

use crate::context::Context;
use crate::mailbox::reserve;
use crate::model::ModelClient;
use crate::panics::guarded_future;
use crate::protocol::RpcError;
use crate::protocol::turn::{CodexErrorInfo, TurnError};
use report::Reporter;
use run::{Input, Run};
use waiting::{Waiting, WaitingRoom};

pub use changes::LeftAlone;
pub use client_tools::client_tools;
pub use instructions::InstructionSearch;
pub use messages::{
    AskPurpose, Growth, Inject, Interrupt, Report, ReviewWanted, RunCommand, Steer, TurnEvent, TurnOutcome,
    UserCommand, UserRequest, UserWords,
};
pub use shell::{ShellHandle, Shells};
pub use task::{Purpose, TurnLimits, TurnRules, TurnSetup, TurnTask, usual_shell};
pub use tools::{goal_tools, offered};

/// See the module's documentation. It ends with the turn.
pub struct Turn {
    task: Option<(Arc<TurnSetup>, TurnTask, mpsc::Receiver<Input>)>,
    thread: Recipient<Report>,
    inbox: mpsc::Sender<Input>,
    /// For what is in the inbox, and for what the turn has taken from it and not made part of the conversation.
    room: WaitingRoom,
}

impl Turn {
    /// Starts a turn, whose reports go to `thread`.
    pub fn start(setup: &Arc<TurnSetup>, task: TurnTask, thread: Recipient<Report>) -> Arc<Addr<Self>> {
        let (messages, setup) = (setup.limits.waiting_messages, setup.clone());
        let (address, mailbox) = reserve(messages);
        mailbox.run_on(&setup.arbiter.clone(), move || {
            let (inbox, received) = mpsc::channel(messages);
            Self { task: Some((setup, task, received)), thread, inbox, room: WaitingRoom::new(messages) }
        });
        address
    }

    /// Lets a message wait until the turn takes it.
    ///
    /// # Errors
    /// The message, and why it cannot wait: there is no room, or the turn has `ended`.
    fn let_wait<T>(&self, message: T, input: fn(Waiting<T>) -> Input, ended: RpcError) -> Result<(), (T, RpcError)> {
        let place = match self.inbox.try_reserve() {
            Ok(place) => place,
            Err(mpsc::error::TrySendError::Full(())) => return Err((message, RpcError::overloaded())),
            Err(mpsc::error::TrySendError::Closed(())) => return Err((message, ended)),
        };
        let waiting = self.room.admit(message).map_err(|message| (message, RpcError::overloaded()))?;
        place.send(input(waiting));
        Ok(())
    }

    /// What is reported when the turn itself failed, and could not say so.
    fn lost() -> TurnError {
        TurnError {
            message: "the server failed while it worked on this turn; it is safe to go on".to_owned(),
            codex_error_info: Some(CodexErrorInfo::Other),
            additional_details: None,
            misalignment: Default::default(),
        }
    }
}

thread_local! {
    /// Connections to providers belong to one arbiter, and all turns there share them.
    static MODELS: OnceCell<ModelClient> = const { OnceCell::new() };
}

fn models_of_this_arbiter(setup: &TurnSetup) -> ModelClient {
    MODELS.with(|models| models.get_or_init(|| ModelClient::new(setup.models.clone())).clone())
}

impl Actor for Turn {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some((setup, task, inbox)) = self.task.take() else { return };
        let (turn_id, is_ephemeral) = (task.turn_id.clone(), task.history.is_some());
        let reporter = Reporter::new(turn_id.clone(), self.thread.clone());
        let models = models_of_this_arbiter(&setup);
        let (thread, shells, metrics) = (self.thread.clone(), task.shells.clone(), setup.metrics.clone());
        let (run, purpose) = Run::new(setup, models, task, reporter, inbox, thread.clone());
        let life = async move {
            if guarded_future("a turn", run.run(purpose, is_ephemeral)).await.is_none() {
                shells.end(|shell| shell.turn_id == turn_id).await;
                let mut reporter = Reporter::new(turn_id, thread);
                let outcome = TurnOutcome::Failed(Self::lost());
                metrics.turns.add(outcome.label());
                reporter.push(TurnEvent::Ended { outcome });
                // Where the thread is gone too, nobody can be told.
                let _ = reporter.flush().await;
            }
        };
        ctx.spawn(wrap_future::<_, Self>(life).map(|(), _, ctx| ctx.stop()));
    }
}

impl Handler<Steer> for Turn {
    type Result = ();

    fn handle(&mut self, Steer(words): Steer, ctx: &mut Self::Context) {
        let ended = RpcError::invalid_request("no active turn to steer");
        if let Err((words, error)) = self.let_wait(words, Input::Steer, ended) {
            words.reply.post::<Self>(Err::<(), _>(error), ctx);
        }
    }
}

impl Handler<Inject> for Turn {
    type Result = ();

    fn handle(&mut self, injected: Inject, ctx: &mut Self::Context) {
        let ended = RpcError::internal("the turn has ended; try again");
        if let Err((injected, error)) = self.let_wait(injected, Input::Inject, ended) {
            injected.reply.post::<Self>(Err::<(), _>(error), ctx);
        }
    }
}

impl Handler<RunCommand> for Turn {
    type Result = ();

    fn handle(&mut self, RunCommand(command): RunCommand, ctx: &mut Self::Context) {
        let ended = RpcError::internal("the turn has ended; try again");
        if let Err((command, error)) = self.let_wait(command, Input::Command, ended) {
            command.reply.post::<Self>(Err::<(), _>(error), ctx);
        }
    }
}

impl Handler<Interrupt> for Turn {
    type Result = ();

    fn handle(&mut self, _: Interrupt, ctx: &mut Self::Context) {
        // Behind waiting messages, an interruption waits for the turn to take them, which it does at once.
        let inbox = self.inbox.clone();
        ctx.spawn(wrap_future(async move {
            // An error means that the turn has ended.
            let _ = inbox.send(Input::Interrupt).await;
        }));
    }
}
