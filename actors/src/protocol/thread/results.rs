//! Results, with members in the reference program's order. Optional members are always present, as null if there is no
//! value.

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

/// A loaded thread and its current settings.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoadedThread {
    /// The thread.
    pub thread: Thread,
    /// Model.
    pub model: String,
    /// Model provider.
    pub model_provider: String,
    /// Service tier at the provider.
    pub service_tier: Option<String>,
    /// Plugins that are disabled in this thread.
    pub disabled_plugin_ids: Vec<String>,
    /// Absolute working directory.
    pub cwd: String,
    /// Absolute paths of the workspace roots.
    #[schemars(extend("x-experimental" = true))]
    pub runtime_workspace_roots: Vec<String>,
    /// Files whose instructions are in effect.
    pub instruction_sources: Vec<String>,
    /// When to ask for approval.
    pub approval_policy: AskForApproval,
    /// Who reviews approvals.
    pub approvals_reviewer: ApprovalsReviewer,
    /// Sandbox policy of commands.
    pub sandbox: SandboxPolicy,
    /// The profile from which the sandbox policy was derived.
    #[schemars(extend("x-experimental" = true))]
    pub active_permission_profile: Option<ActivePermissionProfile>,
    /// Reasoning effort; null for the model's default.
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
    /// Collaboration mode.
    pub collaboration_mode: Option<CollaborationMode>,
    /// Always the default.
    #[schemars(extend("x-experimental" = true))]
    pub multi_agent_mode: MultiAgentMode,
    /// The requested page of turns.
    #[schemars(extend("x-experimental" = true))]
    pub initial_turns_page: Option<TurnsPage>,
    /// Cursor from which `thread/turns/list` reads backwards; null without turns.
    pub turns_backwards_cursor: Option<String>,
    /// Cursor from which `thread/items/list` reads backwards; null without items.
    pub items_backwards_cursor: Option<String>,
}

/// Result of `thread/read`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadReadResponse {
    /// The thread.
    pub thread: Thread,
    /// Read state; null if it is not stored.
    #[schemars(extend("x-experimental" = true))]
    pub read_state: Option<ThreadReadState>,
}

/// Read state of a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadReadState {
    /// The first unread position.
    pub first_unread: Option<UnreadPosition>,
    /// Changes with every change of the read state.
    pub revision: String,
}

/// The first unread position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[schemars(rename = "ThreadUnreadPosition")]
pub enum UnreadPosition {
    /// The whole thread is unread.
    ThreadStart,
    /// A turn and all later ones are unread.
    Turn {
        /// Id of the turn.
        turn_id: String,
    },
}

/// An action of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
#[schemars(rename = "ThreadReadStateOperation")]
pub enum ReadStateOperation {
    /// The user read the thread.
    Read,
    /// The user marked the thread as unread.
    Unread,
}

/// Result of `thread/readState/update`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadReadStateUpdateResponse {
    /// The new read state.
    pub read_state: ThreadReadState,
}

/// Result of `thread/list`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadListResponse {
    /// Threads of this page.
    pub data: Vec<Thread>,
    /// Read states; null if they are not stored.
    #[schemars(extend("x-experimental" = true))]
    pub read_states: Option<BTreeMap<ThreadId, ThreadReadState>>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
    /// Cursor for listing in the other direction, from the first thread of this page; null for an empty page.
    pub backwards_cursor: Option<String>,
}

/// A page of a list that can be read in both directions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Page<T> {
    /// Rows of this page.
    pub data: Vec<T>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
    /// Cursor for listing in the other direction, from the first row of this page; null for an empty page.
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
    /// Ids of the loaded threads.
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

/// Results with the changed thread.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct ChangedThread {
    /// The changed thread.
    pub thread: Thread,
}

/// Result of `thread/metadata/update`.
pub type ThreadMetadataUpdateResponse = ChangedThread;
/// Result of `thread/unarchive`.
pub type ThreadUnarchiveResponse = ChangedThread;

/// Result of `thread/unsubscribe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThreadUnsubscribeResponse {
    /// The effect of the request.
    pub status: ThreadUnsubscribeStatus,
}

/// The effect of `thread/unsubscribe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThreadUnsubscribeStatus {
    /// None: the thread is not loaded.
    NotLoaded,
    /// None: the client was not subscribed.
    NotSubscribed,
    /// The client is no longer subscribed.
    Unsubscribed,
}

/// Result of `thread/attachment/list`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadAttachmentListResponse {
    /// Always empty: this server has no attachments.
    pub data: Vec<Unoffered>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Unset,
}

/// Result of `thread/backgroundTerminals/terminate`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ThreadBackgroundTerminalsTerminateResponse {
    /// Whether there was such a terminal, whose command ends now.
    pub terminated: bool,
}

/// Result of `thread/backgroundTerminals/list`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadBackgroundTerminalsListResponse {
    /// Terminals whose command is still running in the background.
    pub data: Vec<ThreadBackgroundTerminal>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
}

/// A terminal whose command is still running in the background.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadBackgroundTerminal {
    /// Id of the command's item.
    pub item_id: String,
    /// Id of the terminal.
    pub process_id: String,
    /// The command line.
    pub command: String,
    /// Working directory.
    pub cwd: String,
    /// Process id.
    pub os_pid: Option<u32>,
    /// Processor usage, in percent of one core.
    pub cpu_percent: Option<f64>,
    /// Resident memory, in KiB.
    pub rss_kb: Option<u64>,
}
