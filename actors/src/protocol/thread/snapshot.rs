//! A thread as clients see it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::turn::Turn;
use super::{ThreadId, Unset};

/// A thread, with members in the reference program's order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Thread {
    /// Id of the thread.
    pub id: ThreadId,
    /// Environments, the primary one first; null if the thread is not loaded.
    #[schemars(extend("x-experimental" = true))]
    pub environments: Option<Vec<ThreadEnvironment>>,
    /// For extensions; always null.
    #[schemars(extend("x-experimental" = true))]
    pub extra: Unset,
    /// Id that the threads of one session tree share.
    pub session_id: ThreadId,
    /// The thread from which it was forked.
    pub forked_from_id: Option<ThreadId>,
    /// The thread to which it is attached.
    #[schemars(extend("x-experimental" = true))]
    pub attached_to_thread_id: Unset,
    /// The thread whose agent spawned it.
    pub parent_thread_id: Unset,
    /// Beginning of the first user message; empty before the first turn.
    pub preview: String,
    /// Whether it exists in memory only.
    pub ephemeral: bool,
    /// Section chosen by the user.
    pub section: Unset,
    /// When it was put into the section.
    pub section_entered_at: Unset,
    /// Project of the thread.
    pub project_id: Unset,
    /// How clients read its history.
    pub history_mode: ThreadHistoryMode,
    /// Who serves its model.
    pub model_provider: String,
    /// Model; null if it is not known.
    pub model: Option<String>,
    /// Reasoning effort; null for the model's default.
    pub reasoning_effort: Option<String>,
    /// Time of creation, in Unix seconds.
    pub created_at: i64,
    /// Time of the last change, in Unix seconds.
    pub updated_at: i64,
    /// Time of the last use, in Unix seconds.
    pub recency_at: Option<i64>,
    /// Current status.
    pub status: ThreadStatus,
    /// File of the history; always null, because this server uses a database.
    pub path: Option<String>,
    /// Absolute working directory.
    pub cwd: String,
    /// Version of the program that created it.
    pub cli_version: String,
    /// Name of the client that created it.
    pub originator: Option<String>,
    /// Kind of program that created it.
    pub source: SessionSource,
    /// Whether clients may start turns; null if it is not loaded.
    #[schemars(extend("x-experimental" = true))]
    pub can_accept_direct_input: Option<bool>,
    /// Origin as stated by the client.
    pub thread_source: Option<String>,
    /// Name of the agent.
    pub agent_nickname: Unset,
    /// Role of the agent.
    pub agent_role: Unset,
    /// State of the git repository.
    pub git_info: Option<GitInfo>,
    /// Title given by a user.
    pub name: Option<String>,
    /// A setting that clients store with the thread; no effect.
    #[schemars(extend("x-experimental" = true))]
    pub daybreak_enabled: Option<bool>,
    /// Turns, if the request asked for them; otherwise empty.
    pub turns: Vec<Turn>,
}

/// An environment of a loaded thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadEnvironment {
    /// Id of the environment; `local` for this machine.
    pub environment_id: String,
    /// Absolute working directory.
    pub cwd: String,
    /// Absolute paths of the workspace roots.
    pub runtime_workspace_roots: Vec<String>,
}

/// How clients read the history of a thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThreadHistoryMode {
    /// As a whole.
    Legacy,
    /// Page by page.
    #[default]
    Paginated,
}

/// Status of a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ThreadStatus {
    /// It is not loaded.
    NotLoaded,
    /// It is loaded and idle.
    Idle,
    /// It has failed.
    SystemError,
    /// A turn is running.
    Active {
        /// What the turn is waiting for; empty while it is working.
        active_flags: Vec<ThreadActiveFlag>,
    },
}

/// What a running turn is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThreadActiveFlag {
    /// An approval.
    WaitingOnApproval,
    /// An answer to a question.
    WaitingOnUserInput,
}

/// Kind of program that created a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionSource {
    /// The terminal program.
    Cli,
    /// An editor; the default source of this server.
    VsCode,
    /// A single non-interactive run.
    Exec,
    /// A client of an app server.
    #[serde(rename = "appServer")]
    AppServer,
    /// A name given on the command line.
    Custom(String),
    /// Not recorded.
    Unknown,
}

/// State of a git repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitInfo {
    /// Commit hash.
    pub sha: Option<String>,
    /// Branch; null for a detached head.
    pub branch: Option<String>,
    /// URL of the remote `origin`.
    pub origin_url: Option<String>,
}
