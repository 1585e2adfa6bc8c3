//! The messages of a server's actor.

use actix::prelude::*;
use rmcp::model::{CallToolResult, ReadResourceResult, Resource, ResourceTemplate};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::calls::CallEvent;

/// Sent by whoever needs a server: it starts unless it runs. The reply comes when it runs, or when it is known that it
/// does not; [`Standing`](super::standing::Standing) tells which. Mailbox full: the sender waits.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Prepare;

/// Sent by a turn or a client that calls a tool, after [`Prepare`]. The reply is the result, or why there is none.
/// Mailbox full: the sender waits.
#[derive(Message)]
#[rtype(result = "Result<CallToolResult, CallFault>")]
pub(super) struct CallTool {
    /// The server's own name of the tool.
    pub(super) tool: String,
    /// An object, or nothing.
    pub(super) arguments: Option<serde_json::Map<String, Value>>,
    /// Receives what the server says meanwhile.
    pub(super) events: mpsc::Sender<CallEvent>,
    /// The result is not wanted any more.
    pub(super) stop: CancellationToken,
}

/// Sent for a client that reads a resource, after [`Prepare`]. The reply is the resource, or why there is none. Mailbox
/// full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "Result<ReadResourceResult, CallFault>")]
pub(super) struct ReadResource(pub(super) String);

/// Sent for a client that wants to know what a server has, after [`Prepare`]. The reply is its resources and templates, as
/// far as it names them. Mailbox full: the sender waits.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "Resources")]
pub(super) struct ListResources;

/// The resources of a server.
#[derive(Debug, Default, MessageResponse)]
pub(super) struct Resources {
    /// Resources.
    pub(super) resources: Vec<Resource>,
    /// Templates of resources.
    pub(super) templates: Vec<ResourceTemplate>,
}

/// Why a call has no result. The text is for people and models.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFault {
    /// The server does not run.
    #[error("the MCP server {server} does not run: {reason}")]
    NotRunning {
        /// Its name.
        server: String,
        /// Why.
        reason: String,
    },
    /// It ended while it worked on the call.
    #[error("the MCP server {server} ended during the call: {reason}")]
    Ended {
        /// Its name.
        server: String,
        /// Why.
        reason: String,
    },
    /// It answered with an error.
    #[error("{0}")]
    Refused(String),
    /// It works on as many calls as it may.
    #[error("the MCP server {server} works on {most} calls already; call again later")]
    Busy {
        /// Its name.
        server: String,
        /// How many.
        most: usize,
    },
    /// Its result is none that MCP knows.
    #[error("the answer of the MCP server is unusable: {0}")]
    Unusable(String),
    /// The result was not wanted any more.
    #[error("the call was cancelled")]
    Cancelled,
}
