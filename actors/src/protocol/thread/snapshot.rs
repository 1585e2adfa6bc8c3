//! A thread as clients see it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::turn::Turn;
use super::{ThreadId, Unset};

/// A thread, in the reference program's order of members.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Thread {
    /// Its identity.
    pub id: ThreadId,
    /// Where it works, the primary place first; `None` while it is not loaded.
    #[schemars(extend("x-experimental" = true))]
    pub environments: Option<Vec<ThreadEnvironment>>,
    /// Free for other implementations.
    #[schemars(extend("x-experimental" = true))]
    pub extra: Unset,
    /// Shared by the threads of one session tree.
    pub session_id: ThreadId,
    /// The thread whose history it continues.
    pub forked_from_id: Option<ThreadId>,
    /// The thread that owns it.
    #[schemars(extend("x-experimental" = true))]
    pub attached_to_thread_id: Unset,
    /// The thread whose agent spawned it.
    pub parent_thread_id: Unset,
    /// The first words of its user; empty before the first turn.
    pub preview: String,
    /// It lives in memory only.
    pub ephemeral: bool,
    /// Where its user sorted it.
    pub section: Unset,
    /// Since when it is in that section.
    pub section_entered_at: Unset,
    /// The project it belongs to.
    pub project_id: Unset,
    /// How clients read its history.
    pub history_mode: ThreadHistoryMode,
    /// Who serves its model.
    pub model_provider: String,
    /// Its model; `None` when unknown.
    pub model: Option<String>,
    /// How hard the model thinks; `None` for the model's own default.
    pub reasoning_effort: Option<String>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds of the last change.
    pub updated_at: i64,
    /// Unix seconds by which threads are ordered when the latest used comes first.
    pub recency_at: Option<i64>,
    /// What it does right now.
    pub status: ThreadStatus,
    /// The file of its history: this server keeps histories in a database, so there is none.
    pub path: Option<String>,
    /// Its working directory, absolute.
    pub cwd: String,
    /// Version of the program that created it.
    pub cli_version: String,
    /// Name of the client that created it.
    pub originator: Option<String>,
    /// Kind of program that created it.
    pub source: SessionSource,
    /// Whether clients may start turns; `None` while it is not loaded.
    #[schemars(extend("x-experimental" = true))]
    pub can_accept_direct_input: Option<bool>,
    /// What the client said about its origin.
    pub thread_source: Option<String>,
    /// Name of its agent.
    pub agent_nickname: Unset,
    /// Role of its agent.
    pub agent_role: Unset,
    /// The state of the repository it works in.
    pub git_info: Option<GitInfo>,
    /// Its title, chosen by a person.
    pub name: Option<String>,
    /// A choice that clients save with it; without effect here.
    #[schemars(extend("x-experimental" = true))]
    pub daybreak_enabled: Option<bool>,
    /// Its history, where the request asks for it; else empty.
    pub turns: Vec<Turn>,
}

/// One place where a loaded thread works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadEnvironment {
    /// `local` for this machine.
    pub environment_id: String,
    /// Absolute.
    pub cwd: String,
    /// Absolute paths of the workspace.
    pub runtime_workspace_roots: Vec<String>,
}

/// How clients read a thread's history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThreadHistoryMode {
    /// As a whole.
    Legacy,
    /// Page by page.
    #[default]
    Paginated,
}

/// What a thread does right now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ThreadStatus {
    /// It is on disk only.
    NotLoaded,
    /// It waits for a turn.
    Idle,
    /// It cannot go on.
    SystemError,
    /// A turn runs.
    Active {
        /// What the turn waits for; empty while it works.
        active_flags: Vec<ThreadActiveFlag>,
    },
}

/// What a running turn waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThreadActiveFlag {
    /// Somebody must allow something.
    WaitingOnApproval,
    /// Somebody must answer a question.
    WaitingOnUserInput,
}

/// Kind of program that created a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionSource {
    /// The terminal program.
    Cli,
    /// An editor; also what this server is started with unless told otherwise.
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

/// The state of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitInfo {
    /// The commit.
    pub sha: Option<String>,
    /// The branch; `None` when detached.
    pub branch: Option<String>,
    /// URL of the remote named origin.
    pub origin_url: Option<String>,
}
