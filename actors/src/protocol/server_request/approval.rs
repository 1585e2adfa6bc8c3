//! Approval of commands and of changes to files.

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
    /// Kind of the action.
    pub kind: CommandExecutionApprovalKind,
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Id of the command's item.
    pub item_id: String,
    /// When the approval was requested, in Unix milliseconds.
    pub started_at_ms: i64,
    /// Distinguishes several requests about one item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<String>,
    /// Environment of the command; `local` for the server's machine.
    pub environment_id: Option<String>,
    /// Why it is asked, and the agent's own reason; absent if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Program and arguments, quoted for a shell.
    pub command: Option<String>,
    /// Working directory.
    pub cwd: Option<String>,
    /// What the command does, as far as its text shows.
    pub command_actions: Option<Vec<CommandAction>>,
    /// Permissions in addition to the sandbox, if the command stays confined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_permissions: Option<RequestPermissionProfile>,
    /// Prefix of commands that could be allowed from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed_execpolicy_amendment: Option<Vec<String>>,
    /// Decisions that a client should offer; it may send others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_decisions: Option<Vec<CommandExecutionApprovalDecision>>,
}

/// How the reason of an approval begins whenever the command would run unconfined: first, where no words of the agent can
/// come before it.
pub const OUTSIDE_THE_SANDBOX: &str = "it would run outside of the sandbox, where it may do whatever you may";

impl CommandExecutionRequestApprovalParams {
    /// Whether the command would run unconfined.
    pub fn is_unconfined(&self) -> bool {
        self.reason.as_ref().is_some_and(|reason| reason.starts_with(OUTSIDE_THE_SANDBOX))
    }
}

/// Kind of the action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CommandExecutionApprovalKind {
    /// A command of the agent.
    #[default]
    Command,
    /// A command of the user.
    HumanCommand,
    /// Input to a running command.
    WriteStdin,
}

/// Result of `item/commandExecution/requestApproval`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandExecutionRequestApprovalResponse {
    /// The decision.
    pub decision: CommandExecutionApprovalDecision,
}

/// A decision about a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CommandExecutionApprovalDecision {
    /// Run it once.
    Accept,
    /// Run it, and the same command again until the thread is unloaded.
    AcceptForSession,
    /// Run it, and from now on commands with the same prefix.
    AcceptWithExecpolicyAmendment {
        /// The prefix.
        execpolicy_amendment: Vec<String>,
    },
    /// Apply the network rule. This server never offers this decision.
    ApplyNetworkPolicyAmendment {
        /// The rule.
        network_policy_amendment: NetworkPolicyAmendment,
    },
    /// Do not run it; the turn continues.
    Decline,
    /// Do not run it, and end the turn.
    Cancel,
}

/// A rule for a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkPolicyAmendment {
    /// Host name.
    pub host: String,
    /// Whether the host may be reached.
    pub action: NetworkPolicyRuleAction,
}

/// Whether a host may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NetworkPolicyRuleAction {
    /// Allowed.
    Allow,
    /// Denied.
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
    /// Id of the item of the patch, which contains the changes.
    pub item_id: String,
    /// When the approval was requested, in Unix milliseconds.
    pub started_at_ms: i64,
    /// The agent's reason.
    pub reason: Option<String>,
    /// A directory in which further changes would be allowed. Always absent, because this server asks about single
    /// patches.
    #[serde(default)]
    pub grant_root: Unset,
}

/// Result of `item/fileChange/requestApproval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileChangeRequestApprovalResponse {
    /// The decision.
    pub decision: FileChangeApprovalDecision,
}

/// A decision about a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FileChangeApprovalDecision {
    /// Change the files once.
    Accept,
    /// Change the files, and the same files again until the thread is unloaded.
    AcceptForSession,
    /// Do not change them; the turn continues.
    Decline,
    /// Do not change them, and end the turn.
    Cancel,
}
