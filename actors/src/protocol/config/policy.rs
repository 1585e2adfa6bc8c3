//! Policies: what a thread may do and who is asked. The spelling is the same in `config.toml` and on the wire.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// When the user is asked before a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AskForApproval {
    /// Always, except for commands known to be harmless.
    Untrusted,
    /// When the model asks for it; `on-failure` is what older configurations say.
    #[serde(alias = "on-failure")]
    OnRequest,
    /// By kind of approval.
    Granular(GranularApproval),
    /// Never: what the sandbox forbids fails.
    Never,
}

/// Which kinds of approval reach the user; a kind that is off is refused without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GranularApproval {
    /// Leaving the sandbox.
    pub sandbox_approval: bool,
    /// Rules that ask.
    pub rules: bool,
    /// Running a skill's script.
    #[serde(default)]
    pub skill_approval: bool,
    /// Asking for more permissions.
    #[serde(default)]
    pub request_permissions: bool,
    /// Questions of MCP servers.
    pub mcp_elicitations: bool,
}

/// Who reviews an approval request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalsReviewer {
    /// The person.
    #[default]
    User,
    /// A reviewing model; `guardian_subagent` is its old name.
    #[serde(alias = "guardian_subagent")]
    AutoReview,
}

/// The sandbox by name, as `config.toml` and `thread/start` choose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SandboxMode {
    /// Read everything, write nothing, no network.
    ReadOnly,
    /// Write below the working directory and the temporary directories.
    WorkspaceWrite,
    /// No sandbox.
    DangerFullAccess,
}

/// The sandbox in full, as a thread reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SandboxPolicy {
    /// No sandbox.
    DangerFullAccess,
    /// Read everything, write nothing.
    ReadOnly {
        /// Whether commands may use the network.
        #[serde(default)]
        network_access: bool,
    },
    /// Write below the working directory and the roots named here.
    WorkspaceWrite {
        /// More directories that may be written, absolute.
        #[serde(default)]
        writable_roots: Vec<PathBuf>,
        /// Whether commands may use the network.
        #[serde(default)]
        network_access: bool,
        /// Whether `$TMPDIR` stays read-only.
        #[serde(default)]
        exclude_tmpdir_env_var: bool,
        /// Whether `/tmp` stays read-only.
        #[serde(default)]
        exclude_slash_tmp: bool,
    },
}

/// How long a model thinks, by a name that the model defines (`low`, `medium`, `high`, …); never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ReasoningEffort(String);

impl ReasoningEffort {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ReasoningEffort {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        if name.is_empty() { Err("reasoning effort must not be empty") } else { Ok(Self(name)) }
    }
}
