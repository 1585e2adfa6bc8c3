//! Params of notifications about turns and their items.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::item::{FileUpdateChange, ThreadItem};
use crate::protocol::thread::ThreadId;
use crate::protocol::turn::{Turn, TurnError, TurnPlanStep};
use crate::protocol::unset::Unset;
use crate::protocol::usage::ThreadTokenUsage;

/// A turn without its items or with its last message only.
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
    /// Why the plan has changed.
    pub explanation: Option<String>,
    /// The steps in order.
    pub plan: Vec<TurnPlanStep>,
}

/// The changes of files by patches of a turn.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct TurnDiffUpdated {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// A unified diff in the format of `git diff`, against the files at the start of the turn.
    pub diff: String,
}

/// The error of a turn, or the cause of a retry.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct TurnFailure {
    /// The error.
    pub error: TurnError,
    /// Whether the turn continues with a retry.
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
    /// Id of the turn that used them last.
    pub turn_id: String,
    /// The tokens.
    pub token_usage: ThreadTokenUsage,
}

/// An item that has started.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ItemStarted {
    /// The item.
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
    /// The complete item.
    pub item: ThreadItem,
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Tokens of its content; null if they were not counted.
    pub content_token_count: Option<i64>,
    /// Unix milliseconds.
    pub completed_at_ms: i64,
}

/// Additional text of an item.
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
    /// The added text.
    pub delta: String,
}

/// Additional text of a reasoning summary.
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
    /// The added text.
    pub delta: String,
    /// Index of the part of the summary, from 0.
    pub summary_index: i64,
}

/// A new part of a reasoning summary.
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
    /// Index of the part of the summary, from 0.
    pub summary_index: i64,
}

/// Additional text of the reasoning.
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
    /// The added text.
    pub delta: String,
    /// Index of the part of the reasoning, from 0.
    pub content_index: i64,
}

/// Input of the agent to a terminal.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TerminalInteractionNotification")]
pub struct TerminalInteraction {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Id of the item of the command in the terminal.
    pub item_id: String,
    /// Id of the process of that command.
    pub process_id: String,
    /// The input; empty if the agent only polled for output.
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
    /// The files; paths are as written by the model.
    pub changes: Vec<FileUpdateChange>,
}

/// An MCP server of a thread starts, works, or does not.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "McpServerStatusUpdatedNotification")]
pub struct McpServerStatusUpdated {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Key in `mcp_servers`.
    pub name: String,
    /// The environment that registers the server; null for a server of all threads.
    #[serde(default)]
    pub environment_id: Unset,
    /// Its state.
    pub status: McpServerStartupState,
    /// Why it does not work.
    pub error: Option<String>,
    /// What could help.
    pub failure_reason: Option<McpServerStartupFailureReason>,
}

/// State of an MCP server that was to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum McpServerStartupState {
    /// It is starting.
    Starting,
    /// It works.
    Ready,
    /// It did not start, or has ended.
    Failed,
}

/// What could help an MCP server that does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum McpServerStartupFailureReason {
    /// A token, or another one.
    ReauthenticationRequired,
}

/// Progress of an MCP tool.
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
