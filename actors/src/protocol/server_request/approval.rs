//! Asking whether a command may run, or files may be changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RequestPermissionProfile;
use crate::protocol::item::CommandAction;
use crate::protocol::thread::ThreadId;
use crate::protocol::unset::Unset;

/// Params of `item/commandExecution/requestApproval`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandExecutionRequestApprovalParams {
    /// What is to be allowed.
    pub kind: CommandExecutionApprovalKind,
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Id of the command's item.
    pub item_id: String,
    /// Since when the question stands, in Unix milliseconds.
    pub started_at_ms: i64,
    /// Tells several questions about one item apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<String>,
    /// Where the command would run; `local` for the machine of the server.
    pub environment_id: Option<String>,
    /// Why the agent wants it; left out when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The arguments, quoted for a shell.
    pub command: Option<String>,
    /// The working directory.
    pub cwd: Option<String>,
    /// What the command does, as far as its text tells.
    pub command_actions: Option<Vec<CommandAction>>,
    /// What the command would be allowed in addition to its sandbox, where it stays confined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_permissions: Option<RequestPermissionProfile>,
    /// The first words of commands that could be allowed from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed_execpolicy_amendment: Option<Vec<String>>,
    /// The answers that a client should offer; it may give others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_decisions: Option<Vec<CommandExecutionApprovalDecision>>,
}

/// What is to be allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CommandExecutionApprovalKind {
    /// A command of the agent.
    #[default]
    Command,
    /// A command of the user.
    HumanCommand,
    /// Input to a command that runs.
    WriteStdin,
}

/// Result of `item/commandExecution/requestApproval`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandExecutionRequestApprovalResponse {
    /// The decision.
    pub decision: CommandExecutionApprovalDecision,
}

/// What a user decides about a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CommandExecutionApprovalDecision {
    /// It may run, this once.
    Accept,
    /// It may run, and so may the same command until the thread leaves memory.
    AcceptForSession,
    /// It may run, and so may commands that begin with the same words, for good.
    AcceptWithExecpolicyAmendment {
        /// The words.
        execpolicy_amendment: Vec<String>,
    },
    /// The network may be used as it says; this server asks no question that allows this answer.
    ApplyNetworkPolicyAmendment {
        /// The rule.
        network_policy_amendment: NetworkPolicyAmendment,
    },
    /// It may not run; the turn goes on.
    Decline,
    /// It may not run, and the turn ends.
    Cancel,
}

/// A rule for a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkPolicyAmendment {
    /// Which host.
    pub host: String,
    /// Whether it may be reached.
    pub action: NetworkPolicyRuleAction,
}

/// Whether a host may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NetworkPolicyRuleAction {
    /// It may.
    Allow,
    /// It may not.
    Deny,
}

/// Params of `item/fileChange/requestApproval`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileChangeRequestApprovalParams {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// The item of the patch, which holds the changes.
    pub item_id: String,
    /// Since when the question stands, in Unix milliseconds.
    pub started_at_ms: i64,
    /// Why the agent wants it.
    pub reason: Option<String>,
    /// A directory in which further changes would be allowed; this server asks for single patches only.
    #[serde(default)]
    pub grant_root: Unset,
}

/// Result of `item/fileChange/requestApproval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileChangeRequestApprovalResponse {
    /// The decision.
    pub decision: FileChangeApprovalDecision,
}

/// What a user decides about a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FileChangeApprovalDecision {
    /// The files may be changed, this once.
    Accept,
    /// The files may be changed, and so may the same files until the thread leaves memory.
    AcceptForSession,
    /// They may not be changed; the turn goes on.
    Decline,
    /// They may not be changed, and the turn ends.
    Cancel,
}
