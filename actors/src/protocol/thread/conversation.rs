//! Params and results of the methods that change what a conversation goes on from: its settings, what the model knows, and
//! where it ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Thread;
use crate::protocol::optional::present;
use crate::protocol::settings::{
    ApprovalsReviewer, AskForApproval, CollaborationMode, MultiAgentMode, Personality, ReasoningSummary, SandboxPolicy,
};
use crate::protocol::turn::TurnEnvironmentParams;

/// Params of `thread/settings/update`. Absent members change nothing; what is chosen is in effect from the next turn on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadSettingsUpdateParams {
    /// Id of the thread.
    pub thread_id: String,
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

/// Params of `thread/inject_items`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadInjectItemsParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Input items of the Responses API, which the model sees after everything else.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub items: Vec<Box<RawValue>>,
}

/// Params of `thread/revert`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadRevertParams {
    /// Id of the thread.
    pub thread_id: String,
    /// The first turn that is removed, with all later ones.
    pub before_turn_id: String,
}

/// Result of `thread/revert`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadRevertResponse {
    /// The thread without its turns.
    pub thread: Thread,
    /// Cursor from which `thread/turns/list` reads backwards; null without turns.
    pub turns_backwards_cursor: Option<String>,
    /// Cursor from which `thread/items/list` reads backwards; null without items.
    pub items_backwards_cursor: Option<String>,
}
