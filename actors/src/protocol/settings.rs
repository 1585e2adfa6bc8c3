//! The settings of threads and turns: when to ask, what commands may touch, and what else a client may choose.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When the agent must ask before it acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AskForApproval {
    /// Before everything that is not known to be harmless.
    Untrusted,
    /// When the agent itself wants more than the sandbox allows.
    OnRequest,
    /// Kind by kind; clients need `experimentalApi` to choose it.
    Granular(GranularApproval),
    /// Never: what the sandbox refuses fails.
    Never,
}

/// Which kinds of approval may be asked for; a kind that is false is refused without a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct GranularApproval {
    /// Running outside the sandbox.
    pub sandbox_approval: bool,
    /// What a rule wants confirmed.
    pub rules: bool,
    /// Use of a skill.
    #[serde(default)]
    pub skill_approval: bool,
    /// Further permissions.
    #[serde(default)]
    pub request_permissions: bool,
    /// Questions of MCP servers.
    pub mcp_elicitations: bool,
}

/// Who answers approval requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalsReviewer {
    /// The person at a client.
    #[default]
    User,
    /// A reviewing agent.
    AutoReview,
    /// The former name of [`Self::AutoReview`], which older clients send and expect back.
    GuardianSubagent,
}

/// A sandbox by its short name, as clients choose it for a thread.
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

/// What commands of a thread may touch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SandboxPolicy {
    /// Everything.
    DangerFullAccess,
    /// Nothing but reading.
    ReadOnly {
        /// Whether commands reach the network.
        #[serde(default)]
        network_access: bool,
    },
    /// Whatever the surroundings, which are a sandbox already, allow.
    ExternalSandbox {
        /// Whether the surroundings give access to the network.
        #[serde(default)]
        network_access: NetworkAccess,
    },
    /// Reading everywhere, writing in the workspace and in temporary directories.
    WorkspaceWrite {
        /// Absolute paths that may be written besides the working directory.
        #[serde(default)]
        writable_roots: Vec<String>,
        /// Whether commands reach the network.
        #[serde(default)]
        network_access: bool,
        /// `$TMPDIR` may not be written.
        #[serde(default)]
        exclude_tmpdir_env_var: bool,
        /// `/tmp` may not be written.
        #[serde(default)]
        exclude_slash_tmp: bool,
    },
}

/// Access to the network in an external sandbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NetworkAccess {
    /// None, or only some.
    #[default]
    Restricted,
    /// All of it.
    Enabled,
}

/// The named permission profile behind a sandbox policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActivePermissionProfile {
    /// A built-in name such as `:read-only`, or one from the configuration.
    pub id: String,
    /// The profile that it builds upon.
    #[serde(default)]
    pub extends: Option<String>,
}

/// How agents may share work; chosen through the reasoning effort nowadays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MultiAgentMode {
    /// Only when asked to: what results always say.
    #[default]
    ExplicitRequestOnly,
    /// Whenever it helps.
    Proactive,
    /// Anything else.
    Custom(String),
}

/// The style of answers; accepted from clients, without effect.
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

/// How the model summarises its thoughts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReasoningSummary {
    /// As the model likes.
    Auto,
    /// In brief.
    Concise,
    /// In detail.
    Detailed,
    /// Not at all.
    None,
}

/// How user and agent share the work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CollaborationMode {
    /// Plan only, or do it.
    pub mode: ModeKind,
    /// What the mode brings along.
    pub settings: CollaborationSettings,
}

/// Kinds of collaboration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ModeKind {
    /// The agent plans and changes nothing.
    Plan,
    /// The agent does what it is asked.
    #[default]
    Default,
}

/// What a collaboration mode brings along; snake_case on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Settings")]
pub struct CollaborationSettings {
    /// The model.
    pub model: String,
    /// How hard it thinks; `None` for its own default.
    pub reasoning_effort: Option<String>,
    /// Instructions of the mode.
    pub developer_instructions: Option<String>,
}
