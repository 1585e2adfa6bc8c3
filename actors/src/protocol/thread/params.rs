//! Params of the methods that bring threads to life, change them, and put them away.
//!
//! Every optional member may be absent or null. Members without effect here are read all the same: a value of the
//! wrong type is refused, and the gate must see whether they are present.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::super::optional::{null_is_default, present};
use super::super::turn::TurnItemsView;
use super::results::ReadStateOperation;
use super::{SortDirection, ThreadHistoryMode};
use crate::protocol::settings::{ApprovalsReviewer, AskForApproval, MultiAgentMode, Personality, SandboxMode};

/// Params of `thread/start`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ThreadStartParams {
    /// Model instead of the configured one.
    pub model: Option<String>,
    /// Provider instead of the configured one.
    pub model_provider: Option<String>,
    /// The provider may replace a model that it does not have.
    #[serde(deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub allow_provider_model_fallback: bool,
    /// Tier of service at the provider.
    pub service_tier: Option<String>,
    /// Working directory; a relative one starts at the server's own.
    pub cwd: Option<String>,
    /// Absolute paths of the workspace; the working directory when absent.
    pub runtime_workspace_roots: Option<Vec<String>>,
    /// When to ask.
    pub approval_policy: Option<AskForApproval>,
    /// Whom to ask.
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    /// What commands may touch; not together with `permissions`.
    pub sandbox: Option<SandboxMode>,
    /// A permission profile by name.
    pub permissions: Option<String>,
    /// Configuration for this thread; keys as in `config.toml`.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub config: Option<toml::Table>,
    /// Name of the service on whose behalf the thread runs.
    pub service_name: Option<String>,
    /// Instructions instead of the model's own.
    pub base_instructions: Option<String>,
    /// Instructions in addition to the model's own.
    pub developer_instructions: Option<String>,
    /// Style of answers.
    pub personality: Option<Personality>,
    /// No effect; see [`MultiAgentMode`].
    pub multi_agent_mode: Option<MultiAgentMode>,
    /// Keep the thread in memory only.
    pub ephemeral: Option<bool>,
    /// How clients will read the history.
    pub history_mode: Option<ThreadHistoryMode>,
    /// `startup` or `clear`: why the client starts a thread.
    pub session_start_source: Option<ThreadStartSource>,
    /// What the client wants recorded about the origin.
    pub thread_source: Option<String>,
    /// The project it shall belong to.
    pub project_id: Option<String>,
    /// Saved with the thread.
    pub daybreak_enabled: Option<bool>,
    /// Places to work, primary first.
    pub environments: Option<Box<RawValue>>,
    /// Tools that the client itself runs.
    pub dynamic_tools: Option<Box<RawValue>>,
    /// Capability roots that a hosting platform chose.
    pub selected_capability_roots: Option<Box<RawValue>>,
    /// Exists for tests of the gate.
    pub mock_experimental_field: Option<String>,
    /// The client wants raw events of the model too.
    #[serde(deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub experimental_raw_events: bool,
}

/// Why a client starts a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThreadStartSource {
    /// It has just started itself.
    Startup,
    /// Its user cleared the previous thread.
    Clear,
}

/// Params of `thread/resume`; members as in [`ThreadStartParams`] replace what the thread has.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadResumeParams {
    /// Id of the thread.
    pub thread_id: String,
    /// A history to go on with; needs services that this server does not have.
    pub history: Option<Box<RawValue>>,
    /// A file to go on with, instead of the thread id.
    pub path: Option<String>,
    /// Replaces the model.
    pub model: Option<String>,
    /// Replaces the provider.
    pub model_provider: Option<String>,
    /// Replaces the tier.
    pub service_tier: Option<String>,
    /// Replaces the working directory.
    pub cwd: Option<String>,
    /// Replaces the paths of the workspace.
    pub runtime_workspace_roots: Option<Vec<String>>,
    /// Replaces when to ask.
    pub approval_policy: Option<AskForApproval>,
    /// Replaces whom to ask.
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    /// Replaces what commands may touch; not together with `permissions`.
    pub sandbox: Option<SandboxMode>,
    /// A permission profile by name.
    pub permissions: Option<String>,
    /// Configuration for this thread.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub config: Option<toml::Table>,
    /// Instructions instead of the model's own.
    pub base_instructions: Option<String>,
    /// Instructions in addition to the model's own.
    pub developer_instructions: Option<String>,
    /// Style of answers.
    pub personality: Option<Personality>,
    /// Leave `thread.turns` empty.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub exclude_turns: bool,
    /// Put this page of turns into the answer.
    pub initial_turns_page: Option<TurnsPageParams>,
}

/// The page of turns that an answer to `thread/resume` shall hold.
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

/// Params of `thread/fork`; members as in [`ThreadStartParams`] replace what the source has.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadForkParams {
    /// The source.
    pub thread_id: String,
    /// Copy turns up to and including this one.
    pub last_turn_id: Option<String>,
    /// Copy turns up to and without this one; not together with `lastTurnId`.
    pub before_turn_id: Option<String>,
    /// A file to fork, instead of the thread id.
    pub path: Option<String>,
    /// Replaces the model.
    pub model: Option<String>,
    /// Replaces the provider.
    pub model_provider: Option<String>,
    /// Replaces the tier.
    pub service_tier: Option<String>,
    /// Replaces the working directory.
    pub cwd: Option<String>,
    /// Replaces the paths of the workspace.
    pub runtime_workspace_roots: Option<Vec<String>>,
    /// Replaces when to ask.
    pub approval_policy: Option<AskForApproval>,
    /// Replaces whom to ask.
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    /// Replaces what commands may touch; not together with `permissions`.
    pub sandbox: Option<SandboxMode>,
    /// A permission profile by name.
    pub permissions: Option<String>,
    /// Configuration for the fork.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub config: Option<toml::Table>,
    /// Instructions instead of the model's own.
    pub base_instructions: Option<String>,
    /// Instructions in addition to the model's own.
    pub developer_instructions: Option<String>,
    /// Keep the fork in memory only.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub ephemeral: bool,
    /// What the client wants recorded about the origin.
    pub thread_source: Option<String>,
    /// Leave `thread.turns` empty.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub exclude_turns: bool,
    /// Hide the fork behind its source.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub attach_to_source: bool,
    /// Do not go on with the source's goal at once.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub defer_goal_continuation: bool,
    /// Fork for predictions.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub experimental_prediction_mode: bool,
    /// Fork for predictions without MCP servers.
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
    /// Fill `thread.turns`.
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
    /// The title; space around it is cut off, and something must remain.
    pub name: String,
}

/// Params of `thread/metadata/update`: at least one of the optional members.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadMetadataUpdateParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Changes of the repository's state.
    pub git_info: Option<GitInfoUpdate>,
    /// The project it shall belong to; the empty string takes it out of its project.
    pub project_id: Option<String>,
    /// Saved with the thread.
    pub daybreak_enabled: Option<bool>,
}

/// Absent keeps a member, null clears it, text replaces it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(rename = "ThreadMetadataGitInfoUpdateParams")]
pub struct GitInfoUpdate {
    /// The commit.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub sha: Option<Option<String>>,
    /// The branch.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub branch: Option<Option<String>>,
    /// URL of the remote named origin.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub origin_url: Option<Option<String>>,
}

/// Params of the methods that name a thread and nothing else.
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
/// Params of `thread/goal/get`.
pub type ThreadGoalGetParams = ThreadIdParams;

/// Params of `thread/readState/update`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadReadStateUpdateParams {
    /// Id of the thread.
    pub thread_id: String,
    /// What its user did.
    pub operation: ReadStateOperation,
    /// The revision that the client showed.
    pub expected_revision: String,
}
