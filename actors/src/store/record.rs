//! What the Store keeps, as the other actors see it.

use serde::{Deserialize, Serialize};

use crate::protocol::thread::{
    ActivePermissionProfile, ApprovalsReviewer, AskForApproval, GitInfo, SandboxPolicy, SessionSource,
    ThreadHistoryMode, ThreadId,
};
use crate::protocol::turn::{TurnError, TurnStatus};
use crate::protocol::usage::ThreadTokenUsage;

/// Everything about a thread but its history. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadRecord {
    /// Its identity.
    pub id: ThreadId,
    /// Shared by the threads of one session tree.
    pub session_id: ThreadId,
    /// The thread whose history it continues.
    pub forked_from_id: Option<ThreadId>,
    /// Its title, chosen by a person.
    pub name: Option<String>,
    /// The first words of its user; empty before the first turn.
    pub preview: String,
    /// It has had a turn. Without one, and without a name, it is in no list.
    pub has_turns: bool,
    /// When it was created.
    pub created_at_ms: i64,
    /// When it last changed.
    pub updated_at_ms: i64,
    /// When it was last used.
    pub recency_at_ms: i64,
    /// Since when it is put away; `None` while it is not.
    pub archived_at_ms: Option<i64>,
    /// Its working directory, absolute.
    pub cwd: String,
    /// Version of the program that created it.
    pub cli_version: String,
    /// Name of the client that created it.
    pub originator: Option<String>,
    /// Kind of program that created it.
    pub source: SessionSource,
    /// What the client said about its origin.
    pub thread_source: Option<String>,
    /// How clients read its history.
    pub history_mode: ThreadHistoryMode,
    /// The state of the repository it works in; every member absent when it works in none.
    pub git: GitInfo,
    /// A choice that clients save with it.
    pub daybreak_enabled: Option<bool>,
    /// Who serves its model.
    pub model_provider: String,
    /// What is in force when it is loaded again.
    pub settings: ThreadSettings,
}

/// The rules of a thread that outlive the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadSettings {
    /// Its model; `None` when the provider chooses.
    pub model: Option<String>,
    /// How hard the model thinks; `None` for the model's own default.
    pub reasoning_effort: Option<String>,
    /// Tier of service at the provider.
    pub service_tier: Option<String>,
    /// When to ask.
    pub approval_policy: AskForApproval,
    /// Whom to ask.
    pub approvals_reviewer: ApprovalsReviewer,
    /// What commands may touch.
    pub sandbox_policy: SandboxPolicy,
    /// The profile behind the sandbox policy.
    pub active_permission_profile: Option<ActivePermissionProfile>,
    /// Absolute paths of the workspace.
    pub runtime_workspace_roots: Vec<String>,
    /// Plugins that are off.
    pub disabled_plugin_ids: Vec<String>,
    /// Instructions instead of the model's own.
    pub base_instructions: Option<String>,
    /// Instructions in addition to the model's own.
    pub developer_instructions: Option<String>,
}

/// Everything about a turn but its items. Times are Unix milliseconds.
#[derive(Clone, Debug)]
pub struct TurnRecord {
    /// Unique in its thread.
    pub id: String,
    /// The first turn of the chain that led to it.
    pub root_turn_id: Option<String>,
    /// How far it is.
    pub status: TurnStatus,
    /// Why it failed.
    pub error: Option<TurnError>,
    /// When it started.
    pub started_at_ms: Option<i64>,
    /// When it ended.
    pub completed_at_ms: Option<i64>,
    /// What the thread has cost up to and including this turn; `None` until the model has said so.
    pub token_usage: Option<ThreadTokenUsage>,
}

/// A thread that a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundThread {
    /// The thread.
    pub thread: ThreadRecord,
    /// Text around what was found.
    pub snippet: String,
}

/// Which enrollment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrollmentKey {
    /// Which backend: the URL of its WebSocket.
    pub websocket_url: String,
    /// Which ChatGPT account.
    pub account_id: String,
    /// On stdio the name of the first client, else empty.
    pub client_name: String,
}

/// What this host is at a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrollmentRecord {
    /// The backend's name of this host.
    pub server_id: String,
    /// The environment that controllers choose.
    pub environment_id: String,
    /// Whether remote control begins with the server; `None` when nobody has decided.
    pub enabled: Option<bool>,
}
