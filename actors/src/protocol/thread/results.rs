//! Results, members in the reference program's order; every optional member is written, as null when there is nothing.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Thread, ThreadId};
use crate::protocol::item::ThreadItemEntry;
use crate::protocol::settings::{
    ActivePermissionProfile, ApprovalsReviewer, AskForApproval, CollaborationMode, MultiAgentMode, SandboxPolicy,
};
use crate::protocol::turn::Turn;
use crate::protocol::unset::{Unoffered, Unset};

/// A thread that has just been loaded, and the settings in force.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoadedThread {
    /// The thread.
    pub thread: Thread,
    /// Its model.
    pub model: String,
    /// Who serves the model.
    pub model_provider: String,
    /// Tier of service at the provider.
    pub service_tier: Option<String>,
    /// Plugins that are off for this thread.
    pub disabled_plugin_ids: Vec<String>,
    /// Its working directory, absolute.
    pub cwd: String,
    /// Absolute paths of the workspace.
    #[schemars(extend("x-experimental" = true))]
    pub runtime_workspace_roots: Vec<String>,
    /// Files whose instructions are in force.
    pub instruction_sources: Vec<String>,
    /// When to ask.
    pub approval_policy: AskForApproval,
    /// Whom to ask.
    pub approvals_reviewer: ApprovalsReviewer,
    /// What commands may touch.
    pub sandbox: SandboxPolicy,
    /// The profile behind the sandbox policy.
    #[schemars(extend("x-experimental" = true))]
    pub active_permission_profile: Option<ActivePermissionProfile>,
    /// How hard the model thinks; `None` for the model's own default.
    pub reasoning_effort: Option<String>,
}

/// Result of `thread/start`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ThreadStartResponse {
    /// The thread and its settings.
    #[serde(flatten)]
    pub loaded: LoadedThread,
    /// Always the default.
    #[schemars(extend("x-experimental" = true))]
    pub multi_agent_mode: MultiAgentMode,
}

/// Result of `thread/fork`.
pub type ThreadForkResponse = ThreadStartResponse;

/// Result of `thread/resume`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadResumeResponse {
    /// The thread and its settings.
    #[serde(flatten)]
    pub loaded: LoadedThread,
    /// How person and agent share the work.
    pub collaboration_mode: Option<CollaborationMode>,
    /// Always the default.
    #[schemars(extend("x-experimental" = true))]
    pub multi_agent_mode: MultiAgentMode,
    /// The page of turns that was asked for.
    #[schemars(extend("x-experimental" = true))]
    pub initial_turns_page: Option<TurnsPage>,
    /// From where `thread/turns/list` reads backwards; `None` without turns.
    pub turns_backwards_cursor: Option<String>,
    /// From where `thread/items/list` reads backwards; `None` without items.
    pub items_backwards_cursor: Option<String>,
}

/// Result of `thread/read`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadReadResponse {
    /// The thread.
    pub thread: Thread,
    /// What its user has read; `None` when this is not kept.
    #[schemars(extend("x-experimental" = true))]
    pub read_state: Option<ThreadReadState>,
}

/// What a thread's user has read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadReadState {
    /// The first thing not yet read.
    pub first_unread: Option<UnreadPosition>,
    /// Changes with every change of this state.
    pub revision: String,
}

/// The first thing not yet read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[schemars(rename = "ThreadUnreadPosition")]
pub enum UnreadPosition {
    /// Everything.
    ThreadStart,
    /// A turn and all after it.
    Turn {
        /// Id of the turn.
        turn_id: String,
    },
}

/// What a user did with a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
#[schemars(rename = "ThreadReadStateOperation")]
pub enum ReadStateOperation {
    /// Read it.
    Read,
    /// Marked it as unread.
    Unread,
}

/// Result of `thread/readState/update`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadReadStateUpdateResponse {
    /// The state now.
    pub read_state: ThreadReadState,
}

/// Result of `thread/list`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadListResponse {
    /// The threads of this page.
    pub data: Vec<Thread>,
    /// What their user has read; `None` when this is not kept.
    #[schemars(extend("x-experimental" = true))]
    pub read_states: Option<BTreeMap<ThreadId, ThreadReadState>>,
    /// Where the next page starts; `None` at the end.
    pub next_cursor: Option<String>,
    /// Where the list goes on in the other direction, from this page's first thread on; `None` for an empty page.
    pub backwards_cursor: Option<String>,
}

/// A page of a list that can be read in both directions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Page<T> {
    /// What this page holds.
    pub data: Vec<T>,
    /// Where the next page starts; `None` at the end.
    pub next_cursor: Option<String>,
    /// Where the list goes on in the other direction, from this page's first row on; `None` for an empty page.
    pub backwards_cursor: Option<String>,
}

/// A page of turns.
pub type TurnsPage = Page<Turn>;
/// Result of `thread/turns/list`.
pub type ThreadTurnsListResponse = TurnsPage;
/// Result of `thread/items/list`.
pub type ThreadItemsListResponse = Page<ThreadItemEntry>;
/// Result of `thread/search`.
pub type ThreadSearchResponse = Page<ThreadSearchResult>;

/// A thread found by a search.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ThreadSearchResult {
    /// The thread.
    pub thread: Thread,
    /// Text around what was found.
    pub snippet: String,
}

/// Result of `thread/loaded/list`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadLoadedListResponse {
    /// Loaded threads.
    pub data: Vec<ThreadId>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Option<ThreadId>,
}

/// A result without members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Empty {}

/// Result of `thread/name/set`.
pub type ThreadNameSetResponse = Empty;
/// Result of `thread/archive`.
pub type ThreadArchiveResponse = Empty;
/// Result of `thread/delete`.
pub type ThreadDeleteResponse = Empty;

/// Results that hold the changed thread.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct ChangedThread {
    /// The thread as it is now.
    pub thread: Thread,
}

/// Result of `thread/metadata/update`.
pub type ThreadMetadataUpdateResponse = ChangedThread;
/// Result of `thread/unarchive`.
pub type ThreadUnarchiveResponse = ChangedThread;

/// Result of `thread/unsubscribe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThreadUnsubscribeResponse {
    /// What it changed.
    pub status: ThreadUnsubscribeStatus,
}

/// What `thread/unsubscribe` changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThreadUnsubscribeStatus {
    /// Nothing: the thread is not loaded.
    NotLoaded,
    /// Nothing: the client was not subscribed.
    NotSubscribed,
    /// The client is told no more.
    Unsubscribed,
}

/// Result of `thread/goal/get`: this server keeps no goals.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ThreadGoalGetResponse {
    /// The goal.
    pub goal: Unset,
}

/// Result of `thread/attachment/list`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadAttachmentListResponse {
    /// Always empty: this server attaches nothing to threads.
    pub data: Vec<Unoffered>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Unset,
}

/// Result of `thread/backgroundTerminals/list`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadBackgroundTerminalsListResponse {
    /// Terminals that outlived the command that opened them.
    pub data: Vec<ThreadBackgroundTerminal>,
    /// Where the next page starts; `None` at the end.
    pub next_cursor: Option<String>,
}

/// A terminal that outlived the command that opened it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadBackgroundTerminal {
    /// The item of the command.
    pub item_id: String,
    /// Its handle.
    pub process_id: String,
    /// The command line.
    pub command: String,
    /// Its working directory.
    pub cwd: String,
    /// Its process.
    pub os_pid: Option<u32>,
    /// Its share of one core, in percent.
    pub cpu_percent: Option<f64>,
    /// Its resident memory, in KiB.
    pub rss_kb: Option<u64>,
}
