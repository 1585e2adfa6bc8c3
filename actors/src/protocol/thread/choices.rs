//! The settings that a client may choose for a thread: the same members in `thread/start`, `thread/resume` and
//! `thread/fork`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::protocol::settings::{ApprovalsReviewer, AskForApproval, SandboxMode};

/// The chosen settings. Absent ones are the configured ones, or stay as they are in a thread that exists.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ThreadChoices {
    /// Model.
    pub model: Option<String>,
    /// Model provider.
    pub model_provider: Option<String>,
    /// Service tier at the provider.
    pub service_tier: Option<String>,
    /// Working directory; a relative one is resolved against the server's.
    pub cwd: Option<String>,
    /// Absolute paths of the workspace roots; default: the working directory.
    pub runtime_workspace_roots: Option<Vec<String>>,
    /// When to ask for approval.
    pub approval_policy: Option<AskForApproval>,
    /// Who reviews approvals.
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    /// Sandbox; cannot be combined with `permissions`.
    pub sandbox: Option<SandboxMode>,
    /// Name of a permission profile.
    pub permissions: Option<String>,
    /// Configuration of this thread; keys as in `config.toml`.
    #[schemars(with = "Option<Map<String, Value>>")]
    pub config: Option<toml::Table>,
    /// Instructions that replace the model's own.
    pub base_instructions: Option<String>,
    /// Instructions in addition to the model's own.
    pub developer_instructions: Option<String>,
}
