//! The messages of the catalog.

use std::path::PathBuf;
use std::sync::Arc;

use actix::prelude::*;
use toml::Table;

use crate::command::{EnvironmentPolicy, Rules};
use crate::mcp::Configured;
use crate::model::Provider;
use crate::protocol::config::ConfigWarning;
use crate::protocol::settings::ReasoningSummary;
use crate::protocol::thread::{ActivePermissionProfile, ApprovalsReviewer, AskForApproval, SandboxMode, SandboxPolicy};
use crate::protocol::{RpcError, ServerNotification};
use crate::skills::SkillSearch;

/// Sent by `Threads` before it creates a thread. The reply is the settings of the thread, with the files as they are at
/// this moment, or -32600 if the configuration is invalid. Mailbox full: as for [`Asked`](crate::reply::Asked).
#[derive(Clone, Debug, Default, Message)]
#[rtype(result = "Result<EffectiveSettings, RpcError>")]
pub struct ThreadDefaults {
    /// The client's choice of a working directory; a relative one is resolved against the server's.
    pub cwd: Option<String>,
    /// The client's other choices.
    pub overrides: ThreadOverrides,
}

/// A client's choices for a thread; the members are those of `thread/start`. Absent ones come from the configuration.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)] // See `ThreadStartParams`.
pub struct ThreadOverrides {
    pub model: Option<String>,
    pub model_provider: Option<String>,
    pub service_tier: Option<String>,
    pub approval_policy: Option<AskForApproval>,
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    pub sandbox: Option<SandboxMode>,
    pub permissions: Option<String>,
    /// Settings as in `config.toml` with dotted keys. They take precedence over all files.
    pub config: Table,
}

/// The settings of a new thread.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectiveSettings {
    /// The model; never empty.
    pub model: String,
    /// Id of an existing provider.
    pub model_provider: String,
    /// Reasoning effort; `None` for the model's default.
    pub reasoning_effort: Option<String>,
    /// What else the configuration says about asking the model.
    pub model_rules: ModelRules,
    /// Service tier; `None` for the ordinary one.
    pub service_tier: Option<String>,
    /// When to ask for approval.
    pub approval_policy: AskForApproval,
    /// Who reviews approvals.
    pub approvals_reviewer: ApprovalsReviewer,
    /// Sandbox policy of commands.
    pub sandbox_policy: SandboxPolicy,
    /// The profile from which the sandbox policy was derived, if any.
    pub active_permission_profile: Option<ActivePermissionProfile>,
    /// The environment of commands.
    pub environment: EnvironmentPolicy,
    /// Absolute paths of the projects in the configuration.
    pub projects: Vec<PathBuf>,
    /// Working directory: absolute and without `.` and `..`; it need not exist.
    pub cwd: String,
    /// Workspace roots: the working directory and those of the configuration; absolute.
    pub runtime_workspace_roots: Vec<String>,
    /// Warnings about the settings that the client sent, and about those of the project.
    pub warnings: Vec<ConfigWarning>,
}

impl EffectiveSettings {
    /// The rules for the commands of the thread.
    pub fn rules(&self) -> Rules {
        let Self { sandbox_policy, environment, projects, .. } = self;
        Rules { sandbox: sandbox_policy.clone(), environment: environment.clone(), projects: projects.clone() }
    }
}

/// What the configuration says about asking a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRules {
    /// Who serves it.
    pub provider: Arc<Provider>,
    /// How it reports its thoughts; `None` leaves it to the provider.
    pub summary: Option<ReasoningSummary>,
    /// Tokens that fit into its context window; `None` if the configuration does not say.
    pub context_window: Option<u64>,
    /// Tokens of a call above which the conversation is summarised before the next one; `None` if the configuration does
    /// not say.
    pub compact_from: Option<u64>,
    /// Instructions in place of ours.
    pub base_instructions: Option<String>,
    /// Instructions in addition to ours.
    pub developer_instructions: Option<String>,
    /// Bytes of the instruction files of a project, and of the user's own file.
    pub instruction_bytes: usize,
    /// Names of instruction files besides the usual ones.
    pub instruction_names: Vec<String>,
    /// Names of files and directories that mark the root of a project.
    pub root_markers: Vec<String>,
    /// Where skills are.
    pub skills: SkillSearch,
    /// What commands inherit.
    pub environment: EnvironmentPolicy,
    /// Projects that the user's configuration names; absolute.
    pub projects: Vec<PathBuf>,
    /// Bytes of a tool's output that the model sees.
    pub output_bytes: usize,
    /// Environment variables that hold keys of model providers.
    pub key_variables: Vec<String>,
    /// The MCP servers.
    pub mcp_servers: Arc<Configured>,
}

/// Sent by `Thread` before a turn of a thread that was read from disk, or whose settings changed: the reply is what the
/// configuration says now about asking a model there, or -32600 if the configuration is invalid or knows no such provider.
/// Mailbox full: as for [`Asked`](crate::reply::Asked).
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<ModelRules, RpcError>")]
pub struct AskModelRules {
    /// The working directory of the thread, absolute.
    pub cwd: String,
    /// The id of the provider.
    pub model_provider: String,
    /// What a client has chosen for the thread, with dotted keys. It takes precedence over all files.
    pub config: Arc<Table>,
}

/// Sent by `Threads` for a client that asks about MCP servers: the reply is those that the configuration names now, for
/// all threads; none while it is invalid. Mailbox full: as for [`Asked`](crate::reply::Asked).
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "McpServers")]
pub struct AskMcpServers;

/// The MCP servers of the configuration.
#[derive(Debug, Default, MessageResponse)]
pub struct McpServers(pub Arc<Configured>);

/// Sent by the processor for a connection that has just been initialized. The reply is the notifications to send.
/// Mailbox full: none are sent; the state of the server does not depend on them.
#[derive(Debug, Message)]
#[rtype(result = "Greeting")]
pub struct Greet;

/// The first notifications for a new connection.
#[derive(Debug, Default, MessageResponse)]
pub struct Greeting {
    /// The notifications, in order.
    pub notifications: Vec<ServerNotification>,
}

/// Sent by remote control before it contacts its backend. The reply is the base URL in the configuration, `None` if
/// there is none, or the fault if the configuration is invalid. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "Result<Option<String>, String>")]
pub struct BaseUrl;
