//! The stored records as other actors see them.

use serde::{Deserialize, Serialize};

use crate::protocol::settings::{ModeKind, ReasoningSummary};
use crate::protocol::thread::{
    ActivePermissionProfile, ApprovalsReviewer, AskForApproval, DynamicToolSpec, GitInfo, SandboxPolicy, SessionSource,
    ThreadHistoryMode, ThreadId,
};
use crate::protocol::turn::{TurnError, TurnStatus};
use crate::protocol::usage::ThreadTokenUsage;

/// A thread without its history. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadRecord {
    /// Id of the thread.
    pub id: ThreadId,
    /// Id that the threads of one session tree share.
    pub session_id: ThreadId,
    /// The thread from which it was forked.
    pub forked_from_id: Option<ThreadId>,
    /// Title given by a user.
    pub name: Option<String>,
    /// Beginning of the first user message; empty before the first turn.
    pub preview: String,
    /// Whether it has had a turn. A thread without turns and without a name is not listed.
    pub has_turns: bool,
    /// Time of creation.
    pub created_at_ms: i64,
    /// Time of the last change.
    pub updated_at_ms: i64,
    /// Time of the last use.
    pub recency_at_ms: i64,
    /// When it was archived; `None` if it is not archived.
    pub archived_at_ms: Option<i64>,
    /// Absolute working directory.
    pub cwd: String,
    /// Version of the program that created it.
    pub cli_version: String,
    /// Name of the client that created it.
    pub originator: Option<String>,
    /// Kind of program that created it.
    pub source: SessionSource,
    /// Origin as stated by the client.
    pub thread_source: Option<String>,
    /// How clients read the history.
    pub history_mode: ThreadHistoryMode,
    /// State of the git repository; all members are absent outside a repository.
    pub git: GitInfo,
    /// A setting that clients store with the thread.
    pub daybreak_enabled: Option<bool>,
    /// Id of the model provider.
    pub model_provider: String,
    /// Settings that apply when the thread is loaded.
    pub settings: ThreadSettings,
}

#[cfg(test)]
impl ThreadRecord {
    /// A new thread without a past.
    pub(crate) fn of_a_test() -> Self {
        let id = ThreadId::new();
        Self {
            id,
            session_id: id,
            forked_from_id: None,
            name: None,
            preview: String::new(),
            has_turns: false,
            created_at_ms: 0,
            updated_at_ms: 0,
            recency_at_ms: 0,
            archived_at_ms: None,
            cwd: "/".into(),
            cli_version: "0".into(),
            originator: None,
            source: SessionSource::Cli,
            thread_source: None,
            history_mode: ThreadHistoryMode::Paginated,
            git: GitInfo::default(),
            daybreak_enabled: None,
            model_provider: "p".into(),
            settings: ThreadSettings {
                model: None,
                reasoning_effort: None,
                reasoning_summary: None,
                mode: ModeKind::default(),
                mode_instructions: None,
                service_tier: None,
                approval_policy: AskForApproval::Never,
                approvals_reviewer: ApprovalsReviewer::User,
                sandbox_policy: SandboxPolicy::DangerFullAccess,
                active_permission_profile: None,
                runtime_workspace_roots: Vec::new(),
                disabled_plugin_ids: Vec::new(),
                base_instructions: None,
                developer_instructions: None,
                dynamic_tools: Vec::new(),
            },
        }
    }
}

/// Settings of a thread that survive a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreadSettings {
    /// Model; `None` for the provider's default.
    pub model: Option<String>,
    /// Reasoning effort; `None` for the model's default.
    pub reasoning_effort: Option<String>,
    /// How the model reports its thoughts; `None` for the configured way.
    #[serde(default)]
    pub reasoning_summary: Option<ReasoningSummary>,
    /// How user and agent share the work.
    #[serde(default)]
    pub mode: ModeKind,
    /// What the model is told of that way of working; `None` for our words.
    #[serde(default)]
    pub mode_instructions: Option<String>,
    /// Service tier at the provider.
    pub service_tier: Option<String>,
    /// When to ask for approval.
    pub approval_policy: AskForApproval,
    /// Who reviews approvals.
    pub approvals_reviewer: ApprovalsReviewer,
    /// Sandbox policy of commands.
    pub sandbox_policy: SandboxPolicy,
    /// The profile from which the sandbox policy was derived.
    pub active_permission_profile: Option<ActivePermissionProfile>,
    /// Absolute paths of the workspace roots.
    pub runtime_workspace_roots: Vec<String>,
    /// Disabled plugins.
    pub disabled_plugin_ids: Vec<String>,
    /// Instructions that replace the model's own.
    pub base_instructions: Option<String>,
    /// Instructions in addition to the model's own.
    pub developer_instructions: Option<String>,
    /// Tools that the client brought along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dynamic_tools: Vec<DynamicToolSpec>,
}

/// A turn without its items. Times are Unix milliseconds.
#[derive(Clone, Debug)]
pub struct TurnRecord {
    /// Id of the turn, unique in its thread.
    pub id: String,
    /// The first turn of the chain that led to this turn.
    pub root_turn_id: Option<String>,
    /// Status of the turn.
    pub status: TurnStatus,
    /// The error, if it failed.
    pub error: Option<TurnError>,
    /// Time of the start.
    pub started_at_ms: Option<i64>,
    /// Time of the end.
    pub completed_at_ms: Option<i64>,
    /// Token usage of the thread up to and including this turn; `None` before the model's first report.
    pub token_usage: Option<ThreadTokenUsage>,
}

/// A thread found by a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundThread {
    /// The thread.
    pub thread: ThreadRecord,
    /// Text around the match.
    pub snippet: String,
}

/// The key of an enrollment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrollmentKey {
    /// WebSocket URL of the backend.
    pub websocket_url: String,
    /// Id of the ChatGPT account.
    pub account_id: String,
    /// On stdio the name of the first client, otherwise empty.
    pub client_name: String,
}

/// The enrollment of this host at a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrollmentRecord {
    /// Id of this host at the backend.
    pub server_id: String,
    /// Id of the environment that controllers connect to.
    pub environment_id: String,
    /// Whether remote control starts with the server; `None` if that was never set.
    pub enabled: Option<bool>,
}
