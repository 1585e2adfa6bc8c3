//! The settings that a client may choose for the turns from now on: the same members in `turn/start` and
//! `thread/settings/update`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::protocol::optional::present;
use crate::protocol::settings::{
    ApprovalsReviewer, AskForApproval, CollaborationMode, MultiAgentMode, Personality, ReasoningSummary, SandboxPolicy,
};

/// The chosen settings. Absent ones stay as they are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnChoices {
    /// Working directory; a relative one is resolved against the server's.
    pub cwd: Option<String>,
    /// When the agent must ask for approval.
    pub approval_policy: Option<AskForApproval>,
    /// Who reviews approval requests.
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    /// Sandbox; cannot be combined with `permissions`.
    pub sandbox_policy: Option<SandboxPolicy>,
    /// Name of a permission profile.
    pub permissions: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Service tier at the provider; null removes it.
    #[serde(default, deserialize_with = "present")]
    pub service_tier: Option<Option<String>>,
    /// Reasoning effort.
    pub effort: Option<String>,
    /// Summary of the model's reasoning.
    pub summary: Option<ReasoningSummary>,
    /// Style of answers; no effect.
    pub personality: Option<Personality>,
    /// Disabled plugins.
    pub disabled_plugin_ids: Option<Vec<String>>,
    /// Collaboration mode; its model and effort take precedence over `model` and `effort`.
    pub collaboration_mode: Option<CollaborationMode>,
    /// No effect; see [`MultiAgentMode`].
    pub multi_agent_mode: Option<MultiAgentMode>,
    /// Environments, the primary one first.
    pub environments: Option<Vec<TurnEnvironmentParams>>,
}

/// An environment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnEnvironmentParams {
    /// Id of the environment; `local` for the server's machine.
    pub environment_id: String,
    /// Working directory.
    pub cwd: String,
    /// Absolute paths of the workspace roots; default: the working directory.
    pub runtime_workspace_roots: Option<Vec<String>>,
}
