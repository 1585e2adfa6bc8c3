//! `mcpServerStatus/list`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PageParams, Unoffered};
use crate::protocol::thread::Unset;

/// Params of `mcpServerStatus/list`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListMcpServerStatusParams {
    /// The page to return.
    #[serde(flatten)]
    pub page: PageParams,
    /// Only the server with this name.
    pub server_name: Option<String>,
    /// The connection of this thread to the server.
    pub thread_id: Option<String>,
    /// The server as this environment of the thread registers it; only together with `serverName` and `threadId`.
    pub environment_id: Option<String>,
}

/// A configured MCP server. This program does not start MCP servers yet; [`Self::tools_error`] says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpServerStatus {
    /// Key in `mcp_servers`.
    pub name: String,
    /// Environment that registers the server; null for a server of all threads.
    pub environment_id: Unset,
    /// State of a thread's connection to the server.
    pub runtime_status: Unset,
    /// Id of the plugin that provides the server.
    pub plugin_id: Unset,
    /// Scheme, host and port of an HTTP server.
    pub http_origin: Unset,
    /// The server's description of itself.
    pub server_info: Unset,
    /// Capabilities of the server.
    pub server_capabilities: Unset,
    /// Metadata of the tool list.
    pub tool_list_meta: Unset,
    /// Tools by name.
    pub tools: BTreeMap<String, Unoffered>,
    /// Why the tools are not available.
    pub tools_error: Option<String>,
    /// Resources of the server.
    pub resources: Vec<Unoffered>,
    /// Resource templates of the server.
    pub resource_templates: Vec<Unoffered>,
    /// State of the authentication.
    pub auth_status: McpAuthStatus,
}

/// State of the authentication at an MCP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum McpAuthStatus {
    /// Not known.
    Unknown,
}
