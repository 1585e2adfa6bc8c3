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

/// Params of `turn/start`. Settings stay in effect for later turns unless a member says otherwise.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnStartParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Input of the user.
    pub input: Vec<UserInput>,
    /// The client's id of this message, returned as `clientId` of the item.
    pub client_user_message_id: Option<String>,
    /// Working directory; a relative one is resolved against the server's.
    pub cwd: Option<String>,
    /// Absolute paths of the workspace roots.
    pub runtime_workspace_roots: Option<Vec<String>>,
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
    /// Service tier for this turn only.
    pub service_tier_for_turn: Option<String>,
    /// Reasoning effort.
    pub effort: Option<String>,
    /// Summary of the model's reasoning.
    pub summary: Option<ReasoningSummary>,
    /// Style of answers; no effect.
    pub personality: Option<Personality>,
    /// JSON Schema of the agent's final message, for this turn only.
    pub output_schema: Option<Value>,
    /// Disabled plugins.
    pub disabled_plugin_ids: Option<Vec<String>>,
    /// Collaboration mode; its model and effort take precedence over `model` and `effort`.
    pub collaboration_mode: Option<CollaborationMode>,
    /// No effect; see [`MultiAgentMode`].
    pub multi_agent_mode: Option<MultiAgentMode>,
    /// The turn that caused this one.
    pub parent_turn_id: Option<String>,
    /// The first turn of the chain; default: this turn.
    pub root_turn_id: Option<String>,
    /// Cause to record with the turn.
    pub turn_trigger: Option<String>,
    /// Output of a tool instead of user input.
    pub tool_output: Option<TurnToolOutput>,
    /// Environments, the primary one first.
    pub environments: Option<Vec<TurnEnvironmentParams>>,
    /// Additional context for the model, by its source.
    pub additional_context: Option<BTreeMap<String, AdditionalContextEntry>>,
    /// Replaces the metadata of requests to the model.
    pub responsesapi_client_metadata: Option<BTreeMap<String, String>>,
    /// Adds metadata to requests to the model.
    pub responsesapi_client_metadata_patch: Option<BTreeMap<String, String>>,
    /// An access program of the provider, for this turn only.
    pub cyber_access_program: Option<CyberAccessProgram>,
}

/// Additional context for the model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct AdditionalContextEntry {
    /// The text.
    pub value: String,
    /// Whether the model may follow instructions in the text.
    pub kind: AdditionalContextKind,
    /// Name of the context.
    pub name: Option<String>,
}

/// Whether the model may follow instructions in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AdditionalContextKind {
    /// Untrusted: the text comes from elsewhere.
    Untrusted,
    /// Trusted: the text comes from the client itself.
    Application,
}

/// Output of a tool instead of user input.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
pub struct TurnToolOutput {
    /// Name of the tool.
    pub name: String,
    /// Namespace of the tool.
    pub namespace: Option<String>,
    /// Text, or a list of content parts.
    pub output: Value,
    /// Whether it is kept in the history.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub retain: bool,
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

/// An access program of the provider for cybersecurity work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CyberAccessProgram {
    /// None.
    Standard,
    /// Defensive work.
    DaybreakBlue,
    /// Offensive work, with permission.
    DaybreakRed,
}

/// Result of `turn/start`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TurnStartResponse {
    /// The started turn; its items follow as notifications.
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
    /// Additional input of the user.
    pub input: Vec<UserInput>,
    /// The client's id of this message, returned as `clientId` of the item.
    pub client_user_message_id: Option<String>,
    /// Additional context for the model, by its source.
    pub additional_context: Option<BTreeMap<String, AdditionalContextEntry>>,
    /// Replaces the metadata of requests to the model.
    pub responsesapi_client_metadata: Option<BTreeMap<String, String>>,
    /// Adds metadata to requests to the model.
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
    /// Id of the turn; empty for the running one.
    pub turn_id: String,
}
