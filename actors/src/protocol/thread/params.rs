//! Params of the methods that start, change and archive threads.
//!
//! Every optional member may be absent or null. Members without effect in this server are decoded, too: a value of the
//! wrong type is rejected, and the gate must see whether they are present.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::super::optional::{null_is_default, present};
use super::super::turn::TurnItemsView;
use super::choices::ThreadChoices;
use super::dynamic_tools::DynamicToolSpec;
use super::results::ReadStateOperation;
use super::{SortDirection, ThreadHistoryMode};
use crate::protocol::settings::{MultiAgentMode, Personality};
use crate::protocol::with_choices::WithChoices;

/// Params of `thread/start`.
pub type ThreadStartParams = WithChoices<ThreadChoices, StartOptions>;

/// The members of `thread/start` besides the chosen settings.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct StartOptions {
    /// Whether the provider may substitute a model that it does not have.
    #[serde(deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub allow_provider_model_fallback: bool,
    /// Name of the service that uses the thread.
    pub service_name: Option<String>,
    /// Style of answers; no effect.
    pub personality: Option<Personality>,
    /// No effect; see [`MultiAgentMode`].
    pub multi_agent_mode: Option<MultiAgentMode>,
    /// Whether to keep the thread in memory only.
    pub ephemeral: Option<bool>,
    /// How clients read the history.
    pub history_mode: Option<ThreadHistoryMode>,
    /// Why the client starts a thread.
    pub session_start_source: Option<ThreadStartSource>,
    /// Origin to record with the thread.
    pub thread_source: Option<String>,
    /// Project of the thread.
    pub project_id: Option<String>,
    /// A setting that is stored with the thread.
    pub daybreak_enabled: Option<bool>,
    /// Environments, the primary one first.
    pub environments: Option<Box<RawValue>>,
    /// Tools that the client runs itself.
    pub dynamic_tools: Option<Vec<DynamicToolSpec>>,
    /// Capability roots chosen by a hosting platform.
    pub selected_capability_roots: Option<Box<RawValue>>,
    /// Used by tests of the gate only.
    pub mock_experimental_field: Option<String>,
    /// Whether to send raw events of the model, too.
    #[serde(deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub experimental_raw_events: bool,
}

/// Why a client starts a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThreadStartSource {
    /// The client has just started.
    Startup,
    /// The user cleared the previous thread.
    Clear,
}

/// Params of `thread/resume`; the chosen settings replace the thread's.
pub type ThreadResumeParams = WithChoices<ThreadChoices, ResumeOptions>;

/// The members of `thread/resume` besides the chosen settings.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResumeOptions {
    /// Id of the thread.
    pub thread_id: String,
    /// A history to continue; not supported by this server.
    pub history: Option<Box<RawValue>>,
    /// A file to continue instead of a thread; not supported by this server.
    pub path: Option<String>,
    /// Style of answers; no effect.
    pub personality: Option<Personality>,
    /// Whether to leave `thread.turns` empty.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub exclude_turns: bool,
    /// Page of turns to include in the answer.
    pub initial_turns_page: Option<TurnsPageParams>,
}

/// The page of turns in the answer to `thread/resume`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(rename = "ThreadResumeInitialTurnsPageParams")]
pub struct TurnsPageParams {
    /// Maximum number of turns.
    pub limit: Option<u32>,
    /// Sort direction; default: descending (newest first).
    pub sort_direction: Option<SortDirection>,
    /// How much of the items to include; default: a summary.
    pub items_view: Option<TurnItemsView>,
}

/// Params of `thread/fork`; the chosen settings replace the source's.
pub type ThreadForkParams = WithChoices<ThreadChoices, ForkOptions>;

/// The members of `thread/fork` besides the chosen settings.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForkOptions {
    /// Id of the thread to fork.
    pub thread_id: String,
    /// Last turn to copy.
    pub last_turn_id: Option<String>,
    /// Copies the turns before this one; cannot be combined with `lastTurnId`.
    pub before_turn_id: Option<String>,
    /// A file to fork instead of a thread; not supported by this server.
    pub path: Option<String>,
    /// Whether to keep the fork in memory only.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub ephemeral: bool,
    /// Origin to record with the thread.
    pub thread_source: Option<String>,
    /// Whether to leave `thread.turns` empty.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub exclude_turns: bool,
    /// Whether to hide the fork behind its source.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub attach_to_source: bool,
    /// Whether not to continue the source's goal at once.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub defer_goal_continuation: bool,
    /// Whether the fork is for predictions.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub experimental_prediction_mode: bool,
    /// Whether the fork is for predictions without MCP servers.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub experimental_disable_prediction_mcp: bool,
}

/// Params of `thread/read`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadReadParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Whether to include `thread.turns`.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub include_turns: bool,
}

/// Params of `thread/name/set`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ThreadSetNameParams")]
pub struct ThreadNameSetParams {
    /// Id of the thread.
    pub thread_id: String,
    /// The title; surrounding white space is removed, and it must not be empty.
    pub name: String,
}

/// Params of `thread/metadata/update`; at least one optional member is required.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadMetadataUpdateParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Changes to the state of the repository.
    pub git_info: Option<GitInfoUpdate>,
    /// Project of the thread; an empty string removes it from its project.
    pub project_id: Option<String>,
    /// A setting that is stored with the thread.
    pub daybreak_enabled: Option<bool>,
}

/// Changes to the state of the repository: an absent member is kept, null clears it, text replaces it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(rename = "ThreadMetadataGitInfoUpdateParams")]
pub struct GitInfoUpdate {
    /// Commit hash.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub sha: Option<Option<String>>,
    /// Branch.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub branch: Option<Option<String>>,
    /// URL of the remote `origin`.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub origin_url: Option<Option<String>>,
}

/// Params of the methods that take only a thread id.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ThreadIdParams {
    /// Id of the thread.
    pub thread_id: String,
}

/// Params of `thread/archive`.
pub type ThreadArchiveParams = ThreadIdParams;
/// Params of `thread/unarchive`.
pub type ThreadUnarchiveParams = ThreadIdParams;
/// Params of `thread/delete`.
pub type ThreadDeleteParams = ThreadIdParams;
/// Params of `thread/unsubscribe`.
pub type ThreadUnsubscribeParams = ThreadIdParams;

/// Params of `thread/readState/update`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadReadStateUpdateParams {
    /// Id of the thread.
    pub thread_id: String,
    /// What the user did.
    pub operation: ReadStateOperation,
    /// The revision that the client showed.
    pub expected_revision: String,
}

/// Params of `thread/shellCommand`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadShellCommandParams {
    /// Id of the thread.
    pub thread_id: String,
    /// What the shell is to run, outside of any sandbox.
    pub command: String,
    /// Longest time in milliseconds; an hour by default, and 0 is at once.
    pub timeout_ms: Option<i64>,
}
