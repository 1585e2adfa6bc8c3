//! What a thread has to do, one thing after the other.

use crate::protocol::ServerNotification as Tell;
use crate::protocol::item::ThreadItem;
use crate::protocol::model::HistoryItem;
use crate::protocol::turn::Turn;
use crate::reply::Reply;
use crate::router::{Ask, AskId};
use crate::store::TurnRecord;
use crate::turn::{UserCommand, UserWords};

/// One thing that a thread has to do.
pub enum Step {
    /// Bring this to disk. The next step is taken when it is there.
    Record(Box<Record>),
    /// Tell clients.
    Tell(Tell),
    /// Answer a request that the turn has taken up.
    Answer(Reply, Answer),
    /// Ask those who follow the thread.
    Ask(Ask),
    /// Take back what they were asked, unless it was answered.
    Withdraw(AskId),
    /// Bring this to disk, which the model sees after everything else and clients do not, and answer the request that
    /// brought it. It is no part of a turn: where it fails, only that request is refused.
    Remember(Vec<HistoryItem>, Reply),
    /// Treat these words as if they came now.
    Again(Vec<UserWords>),
    /// Treat this command as if it came now.
    AgainCommand(UserCommand),
    /// Count what a turn took for the goal, and tell how the goal is then.
    Spend {
        /// The turn.
        turn_id: String,
        /// Tokens of its calls to the model.
        tokens: i64,
        /// Its time.
        ms: i64,
    },
    /// Let the turn go: it has ended.
    Release,
}

/// The result of a request that a turn has taken up.
#[derive(Debug)]
pub enum Answer {
    /// Of `turn/start`.
    Turn(Box<Turn>),
    /// Of `review/start`.
    Review(Box<Turn>),
    /// Of `turn/steer`: the id of the turn.
    Steered(String),
    /// Of a request whose result has no members.
    Done,
}

/// What is brought to disk in one write.
pub struct Record {
    /// The turn.
    pub turn: TurnRecord,
    /// Its items that are new or have changed.
    pub items: Vec<ThreadItem>,
    /// What the model sees more.
    pub history: Vec<HistoryItem>,
    /// `history` takes the place of everything that the model saw before.
    pub replaces_history: bool,
    /// The queued message that the turn says, which leaves the queue.
    pub dequeued: Option<String>,
}

impl From<Record> for Step {
    fn from(record: Record) -> Self {
        Self::Record(Box::new(record))
    }
}
