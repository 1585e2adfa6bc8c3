//! Settings of threads and turns: approvals, sandbox, and other choices of clients.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When the agent must ask for approval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AskForApproval {
    /// Before every command that is not known to be harmless.
    Untrusted,
    /// When the agent requests more than the sandbox allows.
    OnRequest,
    /// By kind of approval; requires `experimentalApi`.
    Granular(GranularApproval),
    /// Never: actions that the sandbox refuses fail.
    Never,
}

/// The kinds of approval that may be requested. A kind that is false is refused without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct GranularApproval {
    /// Running a command outside the sandbox.
    pub sandbox_approval: bool,
    /// Actions that a rule wants confirmed.
    pub rules: bool,
    /// Use of a skill.
    #[serde(default)]
    pub skill_approval: bool,
    /// Additional permissions.
    #[serde(default)]
    pub request_permissions: bool,
    /// Requests of MCP servers.
    pub mcp_elicitations: bool,
}

/// Who reviews approval requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalsReviewer {
    /// The user of a client.
    #[default]
    User,
    /// A reviewing agent.
    AutoReview,
    /// The former name of `auto_review`, which older clients send and expect back.
    GuardianSubagent,
}

/// A sandbox mode, as clients choose it for a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SandboxMode {
    /// The policy `readOnly`.
    ReadOnly,
    /// The policy `workspaceWrite`.
    WorkspaceWrite,
    /// The policy `dangerFullAccess`.
    DangerFullAccess,
}

/// Sandbox policy for the commands of a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SandboxPolicy {
    /// No restrictions.
    DangerFullAccess,
    /// Reading everywhere, writing nowhere.
    ReadOnly {
        /// Whether commands may use the network.
        #[serde(default)]
        network_access: bool,
    },
    /// Everything that the environment allows, which is a sandbox already.
    ExternalSandbox {
        /// Whether the environment gives access to the network.
        #[serde(default)]
        network_access: NetworkAccess,
    },
    /// Reading everywhere, writing in the workspace and in temporary directories.
    WorkspaceWrite {
        /// Absolute paths of writable roots besides the working directory.
        #[serde(default)]
        writable_roots: Vec<String>,
        /// Whether commands may use the network.
        #[serde(default)]
        network_access: bool,
        /// Whether `$TMPDIR` is not writable.
        #[serde(default)]
        exclude_tmpdir_env_var: bool,
        /// Whether `/tmp` is not writable.
        #[serde(default)]
        exclude_slash_tmp: bool,
    },
}

/// Access to the network in an external sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NetworkAccess {
    /// No access, or restricted access.
    #[default]
    Restricted,
    /// Full access.
    Enabled,
}

/// The permission profile from which a sandbox policy was derived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActivePermissionProfile {
    /// Name of the profile: a built-in one such as `:read-only`, or one from the configuration.
    pub id: String,
    /// The profile that it extends.
    #[serde(default)]
    pub extends: Option<String>,
}

/// How agents may share work. Superseded by the reasoning effort.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MultiAgentMode {
    /// Only on request; the value in all results.
    #[default]
    ExplicitRequestOnly,
    /// Whenever it helps.
    Proactive,
    /// Anything else.
    Custom(String),
}

/// The style of answers; accepted without effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Personality {
    /// No particular style.
    None,
    /// Friendly.
    Friendly,
    /// Pragmatic.
    Pragmatic,
}

/// Summary of the model's reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReasoningSummary {
    /// Chosen by the model.
    Auto,
    /// A short summary.
    Concise,
    /// A detailed summary.
    Detailed,
    /// No summary.
    None,
}

/// Collaboration mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CollaborationMode {
    /// The kind of work.
    pub mode: ModeKind,
    /// Settings of the mode.
    pub settings: CollaborationSettings,
}

/// Kinds of collaboration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ModeKind {
    /// The agent plans and changes nothing.
    Plan,
    /// The agent does the work.
    #[default]
    Default,
}

/// Settings of a collaboration mode. Member names are snake_case on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Settings")]
pub struct CollaborationSettings {
    /// Model.
    pub model: String,
    /// Reasoning effort; null for the model's default.
    pub reasoning_effort: Option<String>,
    /// Instructions of the mode.
    pub developer_instructions: Option<String>,
}
