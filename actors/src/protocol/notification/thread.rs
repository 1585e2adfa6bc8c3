//! Params of the notifications about threads that have a type of their own.

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

/// The settings of a thread, as the next turn finds them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ThreadSettingsUpdated {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// All of its settings.
    pub thread_settings: ThreadSettings,
}

/// The settings of a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadSettings {
    /// Plugins that are off.
    pub disabled_plugin_ids: Vec<String>,
    /// Working directory, absolute.
    pub cwd: String,
    /// Places to work, the primary one first.
    #[schemars(extend("x-experimental" = true))]
    pub environments: Option<Vec<ThreadEnvironment>>,
    /// When the agent must ask.
    pub approval_policy: AskForApproval,
    /// Who reviews approval requests.
    pub approvals_reviewer: ApprovalsReviewer,
    /// Sandbox policy of commands.
    pub sandbox_policy: SandboxPolicy,
    /// The permission profile behind it, if it has a name.
    pub active_permission_profile: Option<ActivePermissionProfile>,
    /// Model.
    pub model: String,
    /// Model provider.
    pub model_provider: String,
    /// Service tier at the provider.
    pub service_tier: Option<String>,
    /// How hard the model thinks; null for its own default.
    pub effort: Option<String>,
    /// How the model summarises its thoughts; null for its own default.
    pub summary: Option<ReasoningSummary>,
    /// How user and agent share the work.
    pub collaboration_mode: CollaborationMode,
    /// No effect; see [`MultiAgentMode`].
    pub multi_agent_mode: MultiAgentMode,
    /// Style of answers; no effect.
    pub personality: Option<Personality>,
}

/// A request of the server that needs no answer any more: somebody answered it, or the turn went on without.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ServerRequestResolved {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Which request.
    pub request_id: RequestId,
}

/// Something about a thread that its user should know.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Warning {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Description for a person.
    pub message: String,
}
