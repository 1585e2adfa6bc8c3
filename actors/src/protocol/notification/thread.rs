//! Params of notifications about threads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::RequestId;
use crate::protocol::settings::{
    ActivePermissionProfile, ApprovalsReviewer, AskForApproval, CollaborationMode, MultiAgentMode, Personality,
    ReasoningSummary, SandboxPolicy,
};
use crate::protocol::thread::{ThreadEnvironment, ThreadId};

/// A thread whose last turns were removed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ThreadReverted {
    /// Id of the thread.
    pub thread_id: ThreadId,
}

/// The settings of a thread for its next turn.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ThreadSettingsUpdated {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// All settings.
    pub thread_settings: ThreadSettings,
}

/// The settings of a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadSettings {
    /// Disabled plugins.
    pub disabled_plugin_ids: Vec<String>,
    /// Absolute working directory.
    pub cwd: String,
    /// Environments, the primary one first.
    #[schemars(extend("x-experimental" = true))]
    pub environments: Option<Vec<ThreadEnvironment>>,
    /// When the agent must ask for approval.
    pub approval_policy: AskForApproval,
    /// Who reviews approval requests.
    pub approvals_reviewer: ApprovalsReviewer,
    /// Sandbox policy of commands.
    pub sandbox_policy: SandboxPolicy,
    /// The permission profile from which the policy was derived, if any.
    pub active_permission_profile: Option<ActivePermissionProfile>,
    /// Model.
    pub model: String,
    /// Model provider.
    pub model_provider: String,
    /// Service tier at the provider.
    pub service_tier: Option<String>,
    /// Reasoning effort; null for the model's default.
    pub effort: Option<String>,
    /// Reasoning summary; null for the model's default.
    pub summary: Option<ReasoningSummary>,
    /// Collaboration mode.
    pub collaboration_mode: CollaborationMode,
    /// No effect; see [`MultiAgentMode`].
    pub multi_agent_mode: MultiAgentMode,
    /// Style of answers; no effect.
    pub personality: Option<Personality>,
}

/// A server request that no longer needs an answer: it was answered, or the turn continued without an answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ServerRequestResolved {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// The request.
    pub request_id: RequestId,
}

/// A warning about a thread for its user.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Warning {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Description for a person.
    pub message: String,
}
