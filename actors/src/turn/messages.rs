//! What a turn is told, and what it reports.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;

use crate::protocol::account::RateLimitSnapshot;
use crate::protocol::item::{Item, UserInput};
use crate::protocol::model::{HistoryItem, TokenUsage};
use crate::protocol::review::ReviewTarget;
use crate::protocol::thread::ThreadGoal;
use crate::protocol::turn::{TurnError, TurnPlanStep};
use crate::reply::Reply;
use crate::router::{Ask, AskId};

/// Sent by the thread when a user says something while the turn runs. Nothing comes back: the turn reports the message
/// when it is part of the conversation, or gives it back when it ended first. Mailbox full: the user is told to retry
/// (-32001).
#[derive(Message)]
#[rtype(result = "()")]
pub struct Steer(pub UserWords);

/// Sent by the thread when somebody wants the turn to end now. Nothing comes back but the report of the end. Mailbox
/// full: the thread waits, because the turn takes its messages without waiting for anything.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Interrupt;

/// Sent by the thread when a client adds to what the model sees while the turn runs. Nothing comes back: the turn reports
/// it when it is part of the conversation, which is after the model's answer. Mailbox full: the client is told to retry
/// (-32001).
#[derive(Message)]
#[rtype(result = "()")]
pub struct Inject {
    /// Answered when it is part of the conversation.
    pub reply: Reply,
    /// What the model is to see after everything else.
    pub history: Vec<HistoryItem>,
}

/// Sent by the thread when a user wants a command run while the turn runs. Nothing comes back: the turn reports that it
/// has begun. Mailbox full: the user is told to retry (-32001).
#[derive(Message)]
#[rtype(result = "()")]
pub struct RunCommand(pub UserCommand);

/// A shell command of a user, and the duty to answer when it begins.
pub struct UserCommand {
    /// Answered when it begins.
    pub reply: Reply,
    /// What the shell is to run.
    pub script: String,
    /// How long it may run.
    pub timeout: Duration,
}

/// What is to be reviewed, and the duty to answer when the review begins.
pub struct ReviewWanted {
    /// Answered when it begins.
    pub reply: Reply,
    /// What is reviewed.
    pub target: ReviewTarget,
}

/// What a user says, and the duty to answer when it is on disk.
pub struct UserWords {
    /// Answered when the words are part of the conversation.
    pub reply: Reply,
    /// The request that brought them.
    pub request: UserRequest,
    /// The client's own id of this message.
    pub client_id: Option<String>,
    /// The parts.
    pub content: Vec<UserInput>,
    /// Further context for the model, as text, oldest source first.
    pub context: Vec<String>,
}

/// The request that brought a user's words; its result differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRequest {
    /// `turn/start`
    Start,
    /// `turn/steer`
    Steer,
    /// None: the message with this id waited in the queue.
    Queued(String),
}

/// Sent by a turn to its thread: what happened since the last report, in its order. The answer comes when all of it is
/// recorded and told, so a slow thread slows the model's stream. Mailbox full: the turn waits.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Report {
    /// Which turn.
    pub turn_id: Arc<str>,
    /// At least one event.
    pub events: Vec<TurnEvent>,
}

/// One thing that happened in a turn. The first event of a turn is [`TurnEvent::Said`], [`TurnEvent::Began`],
/// [`TurnEvent::WentOn`] or [`TurnEvent::ReviewBegan`], the last one [`TurnEvent::Ended`]; every item that started has completed
/// before that.
pub enum TurnEvent {
    /// The turn began without words of a user.
    Began {
        /// Whoever wanted it.
        reply: Reply,
    },
    /// A review began.
    ReviewBegan {
        /// Whoever wanted it.
        reply: Reply,
        /// What is reviewed, in a few words.
        label: String,
    },
    /// A user's command is about to run.
    Taken {
        /// Whoever wanted it.
        reply: Reply,
    },
    /// A user's words are part of the conversation now.
    Said {
        /// The words as an item; it is complete.
        item: Item,
        /// What the model sees of them, and of what was to be said before them.
        history: Vec<HistoryItem>,
        /// Whoever waits for it.
        reply: Reply,
        /// What they asked.
        request: UserRequest,
    },
    /// The agent began the turn by itself, to get nearer to its goal.
    WentOn {
        /// What the model is told.
        history: Vec<HistoryItem>,
    },
    /// The agent has changed the goal of the thread, and the change is on disk.
    GoalChanged(ThreadGoal),
    /// An item began.
    ItemStarted(Item),
    /// An item in progress became longer.
    Grew {
        /// Which item.
        item_id: Arc<str>,
        /// By what.
        growth: Growth,
    },
    /// A tool of an MCP server says how far it is.
    Progressed {
        /// Its item, which is in progress.
        item_id: String,
        /// In its own words.
        message: String,
    },
    /// An item is complete.
    ItemCompleted {
        /// The item in its last state.
        item: Item,
        /// What the model sees of it.
        history: Vec<HistoryItem>,
    },
    /// The model sees more, which is not an item.
    Remembered(Vec<HistoryItem>),
    /// The history was summarised: from now on the model sees these entries in place of the others.
    Compacted {
        /// The compaction as an item; it is complete.
        item: Item,
        /// The whole history.
        history: Vec<HistoryItem>,
    },
    /// A call to the model used this much.
    Used {
        /// The figures of this call.
        usage: TokenUsage,
        /// Tokens that fit into the model's context window, if known.
        context_window: Option<u64>,
    },
    /// The provider stated a rate limit of the account.
    Limited(Box<RateLimitSnapshot>),
    /// The call to the model failed, and is made again.
    Retrying(TurnError),
    /// A client is asked something, in the name of an item that has started or of none.
    Asking {
        /// The request.
        ask: Ask,
        /// What for.
        purpose: AskPurpose,
    },
    /// Nobody waits for the answer to this request any more.
    AskEnded(AskId),
    /// Something that the user should know.
    Warning(String),
    /// The agent has changed its plan.
    Planned {
        /// Why.
        explanation: Option<String>,
        /// All steps, in their order.
        steps: Vec<TurnPlanStep>,
    },
    /// Files have changed: what the turn has changed so far, as git shows it.
    Changed(String),
    /// The agent has typed into a command, or looked at it. The command may belong to an earlier turn.
    Typed {
        /// The turn of the command.
        turn_id: Arc<str>,
        /// Its item.
        item_id: String,
        /// Its number.
        number: u32,
        /// The text; empty where it only looked.
        text: String,
    },
    /// The turn is over.
    Ended {
        /// How.
        outcome: TurnOutcome,
    },
    /// A client has added this to what the model sees. It counts also after the end of the turn.
    Injected {
        /// What was added.
        history: Vec<HistoryItem>,
        /// Whoever waits for it.
        reply: Reply,
    },
    /// This command came too late: the turn had ended. The report that holds it comes after the end.
    UnheardCommand(UserCommand),
    /// These words came too late: the turn had ended. The report that holds them comes after the end.
    Unheard(Vec<UserWords>),
}

/// What a client is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskPurpose {
    /// To allow something.
    Approval,
    /// To answer a question of the agent.
    Input,
    /// To do something itself, without its user.
    Tool,
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq)]
pub enum TurnOutcome {
    /// By itself.
    Completed,
    /// Somebody wanted it.
    Interrupted,
    /// It could not go on.
    Failed(TurnError),
}

impl TurnOutcome {
    /// In one word.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Interrupted => "interrupted",
            Self::Failed(_) => "failed",
        }
    }
}

/// By what an item in progress became longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Growth {
    /// Text of a message.
    Text(String),
    /// Text of a plan.
    Plan(String),
    /// A further part of the summary of the model's thoughts, empty so far.
    SummaryPart {
        /// Its place, counted from 0.
        index: usize,
    },
    /// Text of such a part.
    Summary {
        /// The part.
        index: usize,
        /// What follows the text so far.
        text: String,
    },
    /// The model's thoughts in its own words.
    Thought {
        /// The part, counted from 0.
        index: usize,
        /// What follows the text so far.
        text: String,
    },
    /// Output of a command.
    Output(String),
}
