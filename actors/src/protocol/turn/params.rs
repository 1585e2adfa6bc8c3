//! Params and results of `turn/start`, `turn/steer` and `turn/interrupt`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Turn;
use crate::protocol::item::UserInput;
use crate::protocol::optional::{null_is_default, present};
use crate::protocol::settings::{
    ApprovalsReviewer, AskForApproval, CollaborationMode, MultiAgentMode, Personality, ReasoningSummary, SandboxPolicy,
};

/// Params of `turn/start`. Unless a member says otherwise, what it sets stays in force for later turns.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnStartParams {
    /// Id of the thread.
    pub thread_id: String,
    /// What the user says.
    pub input: Vec<UserInput>,
    /// The client's own id of this message; comes back as `clientId` of the item.
    pub client_user_message_id: Option<String>,
    /// Working directory; a relative one is resolved against the server's.
    pub cwd: Option<String>,
    /// Absolute paths of the workspace roots.
    pub runtime_workspace_roots: Option<Vec<String>>,
    /// When the agent must ask.
    pub approval_policy: Option<AskForApproval>,
    /// Who reviews approval requests.
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    /// Sandbox; cannot be combined with `permissions`.
    pub sandbox_policy: Option<SandboxPolicy>,
    /// Name of a permission profile.
    pub permissions: Option<String>,
    /// Model.
    pub model: Option<String>,
    /// Tier of service at the provider; null removes it.
    #[serde(default, deserialize_with = "present")]
    pub service_tier: Option<Option<String>>,
    /// Tier of service for this turn alone.
    pub service_tier_for_turn: Option<String>,
    /// How hard the model thinks.
    pub effort: Option<String>,
    /// How the model summarises its thoughts.
    pub summary: Option<ReasoningSummary>,
    /// Style of answers; no effect.
    pub personality: Option<Personality>,
    /// JSON Schema of the agent's last message, for this turn alone.
    pub output_schema: Option<Value>,
    /// Plugins that are off.
    pub disabled_plugin_ids: Option<Vec<String>>,
    /// How user and agent share the work; its model and effort win over `model` and `effort`.
    pub collaboration_mode: Option<CollaborationMode>,
    /// No effect; see [`MultiAgentMode`].
    pub multi_agent_mode: Option<MultiAgentMode>,
    /// The turn that caused this one.
    pub parent_turn_id: Option<String>,
    /// The first turn of the chain; this one itself when absent.
    pub root_turn_id: Option<String>,
    /// Cause to record with the turn.
    pub turn_trigger: Option<String>,
    /// The output of a tool in place of a user's words.
    pub tool_output: Option<TurnToolOutput>,
    /// Places to work, the primary one first.
    pub environments: Option<Vec<TurnEnvironmentParams>>,
    /// Further context for the model, by its source.
    pub additional_context: Option<BTreeMap<String, AdditionalContextEntry>>,
    /// Metadata of requests to the model, instead of the present ones.
    pub responsesapi_client_metadata: Option<BTreeMap<String, String>>,
    /// Metadata of requests to the model, in addition to the present ones.
    pub responsesapi_client_metadata_patch: Option<BTreeMap<String, String>>,
    /// A programme of the provider, for this turn alone.
    pub cyber_access_program: Option<CyberAccessProgram>,
}

/// Further context for the model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct AdditionalContextEntry {
    /// The text.
    pub value: String,
    /// Whether the model may follow instructions in it.
    pub kind: AdditionalContextKind,
    /// A name for it.
    pub name: Option<String>,
}

/// Whether the model may follow instructions in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AdditionalContextKind {
    /// It may not: the text comes from elsewhere.
    Untrusted,
    /// It may: the text comes from the client itself.
    Application,
}

/// The output of a tool in place of a user's words.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct TurnToolOutput {
    /// Name of the tool.
    pub name: String,
    /// Namespace of the tool.
    pub namespace: Option<String>,
    /// Text, or a list of content parts.
    pub output: Value,
    /// It shall stay in the history.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub retain: bool,
}

/// A place to work.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnEnvironmentParams {
    /// `local` for the machine of the server.
    pub environment_id: String,
    /// Working directory.
    pub cwd: String,
    /// Absolute paths of the workspace roots; default: the working directory.
    pub runtime_workspace_roots: Option<Vec<String>>,
}

/// A programme of the provider for work on computer security.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CyberAccessProgram {
    /// None.
    Standard,
    /// Defence.
    DaybreakBlue,
    /// Attack, with permission.
    DaybreakRed,
}

/// Result of `turn/start`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TurnStartResponse {
    /// The turn that runs now; its items come with notifications.
    pub turn: Turn,
}

/// Params of `turn/steer`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnSteerParams {
    /// Id of the thread.
    pub thread_id: String,
    /// The turn that the client expects to be running; must not be empty.
    pub expected_turn_id: String,
    /// What the user adds.
    pub input: Vec<UserInput>,
    /// The client's own id of this message; comes back as `clientId` of the item.
    pub client_user_message_id: Option<String>,
    /// Further context for the model, by its source.
    pub additional_context: Option<BTreeMap<String, AdditionalContextEntry>>,
    /// Metadata of requests to the model, instead of the present ones.
    pub responsesapi_client_metadata: Option<BTreeMap<String, String>>,
    /// Metadata of requests to the model, in addition to the present ones.
    pub responsesapi_client_metadata_patch: Option<BTreeMap<String, String>>,
}

/// Result of `turn/steer`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnSteerResponse {
    /// The turn that was steered.
    pub turn_id: String,
}

/// Params of `turn/interrupt`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnInterruptParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Which turn; empty for whichever runs.
    pub turn_id: String,
}
