//! Params of the notifications about turns and their items.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::item::{FileUpdateChange, ThreadItem};
use crate::protocol::thread::ThreadId;
use crate::protocol::turn::{Turn, TurnError, TurnPlanStep};
use crate::protocol::usage::ThreadTokenUsage;

/// A turn as it is now, without its items or with the last message only.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct TurnChanged {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// The turn.
    pub turn: Turn,
}

/// Id of the turn.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct TurnOfThread {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
}

/// The agent's plan.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct TurnPlanUpdated {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Why it changed.
    pub explanation: Option<String>,
    /// Its steps in their order.
    pub plan: Vec<TurnPlanStep>,
}

/// What a turn changed in files by patches.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct TurnDiffUpdated {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// A unified diff in the form of `git diff`, against the files as the turn found them.
    pub diff: String,
}

/// Why a turn failed, or why it asks the model once more.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct TurnFailure {
    /// What went wrong.
    pub error: TurnError,
    /// The turn goes on; otherwise it ends.
    pub will_retry: bool,
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
}

/// The tokens that a thread has used.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ThreadTokenUsageUpdated {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// The turn that used them last.
    pub turn_id: String,
    /// Number of lines.
    pub token_usage: ThreadTokenUsage,
}

/// An item that began.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ItemStarted {
    /// The item as it is now.
    pub item: ThreadItem,
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Unix milliseconds.
    pub started_at_ms: i64,
}

/// An item that is complete.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ItemCompleted {
    /// The item as it stays.
    pub item: ThreadItem,
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Tokens of its content; null when nobody counted them.
    pub content_token_count: Option<i64>,
    /// Unix milliseconds.
    pub completed_at_ms: i64,
}

/// A text of an item that became longer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ItemDelta {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Id of the item.
    pub item_id: String,
    /// What was added.
    pub delta: String,
}

/// A summary of thoughts that became longer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReasoningSummaryTextDeltaNotification")]
pub struct ReasoningSummaryTextDelta {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Id of the item.
    pub item_id: String,
    /// What was added.
    pub delta: String,
    /// Which part of the summary, from 0.
    pub summary_index: i64,
}

/// A summary of thoughts with a further part.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReasoningSummaryPartAddedNotification")]
pub struct ReasoningSummaryPartAdded {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Id of the item.
    pub item_id: String,
    /// Which part of the summary, from 0.
    pub summary_index: i64,
}

/// Thoughts that became longer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReasoningTextDeltaNotification")]
pub struct ReasoningTextDelta {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Id of the item.
    pub item_id: String,
    /// What was added.
    pub delta: String,
    /// Which part of the thoughts, from 0.
    pub content_index: i64,
}

/// What the agent wrote into a terminal.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TerminalInteractionNotification")]
pub struct TerminalInteraction {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// The item of the command that runs in the terminal.
    pub item_id: String,
    /// The process of that item.
    pub process_id: String,
    /// What was written; empty when the agent only looked for output.
    pub stdin: String,
}

/// A patch as far as the model has written it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FileChangePatchUpdatedNotification")]
pub struct FileChangePatchUpdated {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Id of the item.
    pub item_id: String,
    /// The files; their paths are as the model writes them.
    pub changes: Vec<FileUpdateChange>,
}

/// How far a tool of an MCP server is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "McpToolCallProgressNotification")]
pub struct McpToolCallProgress {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Id of the item.
    pub item_id: String,
    /// Description for a person.
    pub message: String,
}
