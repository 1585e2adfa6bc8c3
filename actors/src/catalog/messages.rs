//! What the catalog is asked.

use actix::prelude::*;
use toml::Table;

use crate::protocol::catalog::CatalogRequest;
use crate::protocol::config::ConfigWarning;
use crate::protocol::thread::{ActivePermissionProfile, ApprovalsReviewer, AskForApproval, SandboxMode, SandboxPolicy};
use crate::protocol::{RpcError, ServerNotification};
use crate::reply::Reply;

/// Sent by the processor for a client's request. Nothing comes back: the client is answered by way of the router.
/// Mailbox full: the client is told to retry (-32001).
#[derive(Message)]
#[rtype(result = "()")]
pub struct Ask {
    /// The duty to answer.
    pub reply: Reply,
    /// The client's request.
    pub request: CatalogRequest,
}

/// Sent by the threads registry before it makes a thread: how does it start? What a file says counts as it stands at
/// this moment. -32600 comes back when the configuration cannot be used. Mailbox full: as for [`Ask`].
#[derive(Clone, Debug, Default, Message)]
#[rtype(result = "Result<EffectiveSettings, RpcError>")]
pub struct ThreadDefaults {
    /// The working directory that the client chose; a relative one begins at the server's own.
    pub cwd: Option<String>,
    /// What else the client chose.
    pub overrides: ThreadOverrides,
}

/// What a client chooses for one thread; the members are those of `thread/start`. Absent ones are taken from the
/// configuration.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // See `ThreadStartParams`.
pub struct ThreadOverrides {
    pub model: Option<String>,
    pub model_provider: Option<String>,
    pub service_tier: Option<String>,
    pub approval_policy: Option<AskForApproval>,
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    pub sandbox: Option<SandboxMode>,
    pub permissions: Option<String>,
    /// Settings as in `config.toml`, with dotted keys, stronger than every file.
    pub config: Table,
}

/// The settings that a new thread starts with.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectiveSettings {
    /// Never empty.
    pub model: String,
    /// The id of a provider that exists.
    pub model_provider: String,
    /// How long the model thinks; `None` leaves it to the model.
    pub reasoning_effort: Option<String>,
    /// The provider's service tier; `None` is the ordinary one.
    pub service_tier: Option<String>,
    /// When a person is asked.
    pub approval_policy: AskForApproval,
    /// Who is asked.
    pub approvals_reviewer: ApprovalsReviewer,
    /// What commands may touch.
    pub sandbox_policy: SandboxPolicy,
    /// The profile that says so, if one does.
    pub active_permission_profile: Option<ActivePermissionProfile>,
    /// Absolute and without `.` and `..`; it need not exist.
    pub cwd: String,
    /// The working directory and what else of the configuration belongs to the workspace; absolute.
    pub runtime_workspace_roots: Vec<String>,
    /// What the client should know about the settings that it sent.
    pub warnings: Vec<ConfigWarning>,
}

/// Sent by the processor for a connection that has just been initialized. What to tell it comes back. Mailbox full:
/// the connection is not greeted; the state of the server does not depend on it.
#[derive(Debug, Message)]
#[rtype(result = "Greeting")]
pub struct Greet;

/// What a new connection is told.
#[derive(Debug, Default, MessageResponse)]
pub struct Greeting {
    /// In this order.
    pub notifications: Vec<ServerNotification>,
}

/// Sent by remote control before it turns to its backend: which base URL does the configuration name? `None` when it names
/// none. The fault comes back when the configuration cannot be used. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "Result<Option<String>, String>")]
pub struct BaseUrl;
