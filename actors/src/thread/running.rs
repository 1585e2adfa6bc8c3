//! A turn that runs, as clients see it.

use super::activity::Waits;
use super::step::{Record, Step};
use crate::protocol::item::{
    CommandExecutionStatus, Item, ItemKind, PatchApplyStatus, ThreadItem, UserInput, UserMessage,
};
use crate::protocol::model::HistoryItem;
use crate::router::AskId;
use crate::store::TurnRecord;
use crate::turn::AskPurpose;

/// A turn that has ended by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// The agent had begun it, to get nearer to its goal.
    pub(super) pursued: bool,
    /// The agent has done something, and not only talked.
    pub(super) worked: bool,
}

/// A turn that runs, as clients see it.
pub(super) struct RunningTurn {
    pub(super) record: TurnRecord,
    /// Clients know of it, and it is on disk.
    pub(super) announced: bool,
    /// Items in progress, oldest first, with what there is of them so far.
    pub(super) open: Vec<Item>,
    /// There is more of the items in progress than was recorded.
    pub(super) grew: bool,
    /// What clients are asked, and what for.
    pub(super) asks: Vec<(AskId, AskPurpose)>,
    /// The last message of the agent.
    pub(super) last_message: Option<Item>,
    /// How it will have ended.
    pub(super) end: End,
    /// Tokens of its calls to the model.
    pub(super) tokens: i64,
    /// Its calls to the model are about another conversation than the thread's.
    pub(super) aside: bool,
}

impl RunningTurn {
    pub(super) fn waits(&self) -> Waits {
        let waits_for = |purpose| self.asks.iter().any(|(_, asked_for)| *asked_for == purpose);
        Waits { approval: waits_for(AskPurpose::Approval), input: waits_for(AskPurpose::Input) }
    }

    pub(super) fn record_of(&mut self, items: Vec<ThreadItem>, history: Vec<HistoryItem>) -> Record {
        Record { turn: self.record.clone(), items, history, replaces_history: false, dequeued: None }
    }

    /// `item` is no longer in progress.
    pub(super) fn complete(&mut self, item: &Item, encoded: Option<ThreadItem>, history: Vec<HistoryItem>) -> Record {
        self.open.retain(|open| open.id != item.id);
        if matches!(item.kind, ItemKind::AgentMessage(_)) {
            self.last_message = Some(item.clone());
        }
        self.record_of(encoded.into_iter().collect(), history)
    }
}

/// What the result of `review/start` shows: the request as a message of the user. It has the id of its turn, and no item is
/// made of it.
pub(super) fn said_of_review(turn_id: String, label: String) -> Item {
    let content = vec![UserInput::Text { text: label, text_elements: Vec::new() }];
    let kind = ItemKind::UserMessage(UserMessage { client_id: None, content });
    Item { kind, id: turn_id, started_at_ms: None, completed_at_ms: None }
}

/// What a turn took for the goal.
pub(super) fn spent(turn: RunningTurn) -> Step {
    let TurnRecord { id, started_at_ms, completed_at_ms, .. } = turn.record;
    let ms = completed_at_ms.zip(started_at_ms).map_or(0, |(end, start)| (end - start).max(0));
    Step::Spend { turn_id: id, tokens: turn.tokens, ms }
}

/// Whether the agent does something, and does not only talk.
pub(super) fn is_work(item: &Item) -> bool {
    !matches!(item.kind, ItemKind::AgentMessage(_) | ItemKind::Reasoning(_) | ItemKind::Plan(_))
}

/// Bytes of a command's output up to which it is brought to disk while the command runs.
const MOST_PROGRESS: usize = 64 * 1024;

pub(super) fn is_long(item: &Item) -> bool {
    match &item.kind {
        ItemKind::CommandExecution(command) => {
            command.aggregated_output.as_ref().is_some_and(|output| output.len() > MOST_PROGRESS)
        }
        _ => false,
    }
}

/// What an item is like whose turn ended before it did.
pub(super) fn close(item: &mut Item, now_ms: i64) {
    item.completed_at_ms = Some(now_ms);
    match &mut item.kind {
        ItemKind::CommandExecution(command) => command.status = CommandExecutionStatus::Failed,
        ItemKind::FileChange(change) => change.status = PatchApplyStatus::Failed,
        _ => {}
    }
}
