//! The messages of a loaded thread.

use std::pin::Pin;
use std::sync::Arc;

use actix::prelude::*;

use super::activity::Activity;
use crate::protocol::RpcError;
use crate::protocol::model::HistoryItem;
use crate::protocol::thread::QueuedSubmission;
use crate::protocol::turn::Turn;
use crate::reply::Reply;
use crate::router::Outcome;
use crate::store::messages::{GoalChange, LastTokenUsage, ListItems, ListTurns, ReadGoal, RevertThread};
use crate::store::{Question, ThreadRecord};
use crate::turn::{ReviewWanted, TurnRules, UserCommand, UserWords};

/// Sent by `Threads`. The reply is the record with the settings in force. Mailbox full: this request waits while the
/// registry goes on.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Arc<ThreadRecord>")]
pub struct Describe;

/// Sent by `Threads` for `turn/start`. The thread has taken the words up when the reply comes; the answer goes to the
/// router when they are on disk. Mailbox full: the registry goes on with other threads.
#[derive(Message)]
#[rtype(result = "()")]
pub struct StartTurn {
    /// The words, and the duty to answer.
    pub words: UserWords,
    /// The rules from this turn on, where the request changes them.
    pub record: Option<Arc<ThreadRecord>>,
    /// The rules of this turn.
    pub rules: Box<TurnRules>,
}

/// Sent by `Threads` for `turn/steer`. As for [`StartTurn`].
#[derive(Message)]
#[rtype(result = "()")]
pub struct SteerTurn {
    /// The words, and the duty to answer.
    pub words: UserWords,
    /// The turn that the client believes to run.
    pub expected_turn_id: String,
}

/// Sent by `Threads` for `turn/interrupt`. The answer goes to the router at once; the turn ends a moment later. Mailbox
/// full: the registry goes on with other threads.
#[derive(Message)]
#[rtype(result = "()")]
pub struct InterruptTurn {
    /// The duty to answer.
    pub reply: Reply,
    /// The turn; empty for whichever runs.
    pub turn_id: String,
}

/// Sent by `Threads` for `thread/shellCommand`. As for [`StartTurn`].
#[derive(Message)]
#[rtype(result = "()")]
pub struct RunUserCommand {
    /// The command, and the duty to answer.
    pub command: UserCommand,
    /// The rules of the turn that runs it, where none runs.
    pub rules: Box<TurnRules>,
}

/// Sent by `Threads` for `thread/compact/start`. As for [`StartTurn`].
#[derive(Message)]
#[rtype(result = "()")]
pub struct CompactThread {
    /// The duty to answer.
    pub reply: Reply,
    /// The rules of the turn that summarises.
    pub rules: Box<TurnRules>,
}

/// Sent by `Threads` for `review/start`. As for [`StartTurn`].
#[derive(Message)]
#[rtype(result = "()")]
pub struct ReviewThread {
    /// What is reviewed, and the duty to answer.
    pub wanted: ReviewWanted,
    /// The rules of the thread.
    pub rules: Box<TurnRules>,
}

/// Sent by `Threads` for `thread/settings/update`. The settings are on disk, in force, told and acknowledged when the reply
/// comes. Mailbox full: the registry goes on with other threads.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ChangeSettings {
    /// The duty to answer.
    pub reply: Reply,
    /// The thread with its new settings.
    pub record: Arc<ThreadRecord>,
    /// The rules of turns that the thread begins by itself; `None` where the configuration allows none.
    pub rules: Option<Box<TurnRules>>,
}

/// Sent by `Threads` for `thread/goal/set`. The change is on disk, told and acknowledged when the reply comes, and the agent goes
/// on if the goal is active. Mailbox full: the registry goes on with other threads.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ChangeThreadGoal {
    /// The duty to answer.
    pub reply: Reply,
    /// The change.
    pub change: GoalChange,
    /// The rules of the turns that the thread begins by itself.
    pub rules: Box<TurnRules>,
}

/// Sent by `Threads` for `thread/goal/clear`. As for [`ChangeThreadGoal`].
#[derive(Message)]
#[rtype(result = "()")]
pub struct ClearThreadGoal {
    /// The duty to answer.
    pub reply: Reply,
}

/// Sent by `Threads` for `thread/queue/add`. The message is on disk and acknowledged when the reply comes; where the thread is
/// idle, its turn begins. Mailbox full: the registry goes on with other threads.
#[derive(Message)]
#[rtype(result = "()")]
pub struct QueueWords {
    /// The duty to answer.
    pub reply: Reply,
    /// The message.
    pub submission: QueuedSubmission,
    /// The rules of its turn, where it begins now.
    pub rules: Box<TurnRules>,
}

/// Sent by `Threads` for `thread/inject_items`. The thread has taken them up when the reply comes; the answer goes to the
/// router when they are on disk. Mailbox full: the registry goes on with other threads.
#[derive(Message)]
#[rtype(result = "()")]
pub struct InjectItems {
    /// The duty to answer.
    pub reply: Reply,
    /// What the model is to see after everything else.
    pub history: Vec<HistoryItem>,
}

/// Sent by `Threads` for `thread/revert`, which then loads the thread anew. Refused while a turn runs. Nothing else happens
/// in the thread until the answer of the database comes back; and when the turns are gone, no turn begins in it any more, so
/// that none is written behind the revert. Mailbox full: this request waits while the registry goes on.
#[derive(Message)]
#[rtype(result = "Result<<RevertQuestion as Question>::Answer, RpcError>")]
pub struct Revert(pub RevertQuestion);

/// The revert, and what is told of the thread after it.
pub type RevertQuestion = (RevertThread, (LastTokenUsage, ReadGoal), (ListTurns, ListItems));

/// Sent by `Threads` when the server ends: the turn that runs is interrupted. The reply comes when it has ended and its
/// end is on disk; at once where none runs. Mailbox full: the sender waits.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct EndTurn;

/// Sent by `Threads` for `thread/resume`: what answers and subscribes a client. It is called with what the thread does at
/// that moment, and its outcome goes to the router; until then nothing happens in the thread, so that what the thread tells
/// next follows what the client has seen. The reply comes when the router has the outcome. Mailbox full: this request waits
/// while the registry goes on.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Attach(pub AttachClient);

/// See [`Attach`].
pub type AttachClient = Box<dyn FnOnce(ThreadSnapshot) -> Pin<Box<dyn Future<Output = Outcome>>> + Send>;

/// What a loaded thread does.
#[derive(Clone, Debug)]
pub struct ThreadSnapshot {
    /// The settings in force.
    pub record: Arc<ThreadRecord>,
    /// What it does.
    pub activity: Activity,
    /// The turn that runs, with its items in progress as they are now. Its complete items are on disk.
    pub turn: Option<Turn>,
}
