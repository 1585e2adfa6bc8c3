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
    /// Which page.
    #[serde(flatten)]
    pub page: PageParams,
    /// Only the server of this name.
    pub server_name: Option<String>,
}

/// A configured MCP server. This server does not start them, which [`Self::tools_error`] says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpServerStatus {
    /// Its key in `mcp_servers`.
    pub name: String,
    /// The connection of a thread to it.
    pub runtime_status: Unset,
    /// The plugin that brought it.
    pub plugin_id: Unset,
    /// Scheme, host and port of an HTTP server.
    pub http_origin: Unset,
    /// What it says of itself.
    pub server_info: Unset,
    /// What it can do.
    pub server_capabilities: Unset,
    /// Its remarks on its tools.
    pub tool_list_meta: Unset,
    /// Its tools by name.
    pub tools: BTreeMap<String, Unoffered>,
    /// Why there are no tools.
    pub tools_error: Option<String>,
    /// What can be read from it.
    pub resources: Vec<Unoffered>,
    /// Patterns of what can be read from it.
    pub resource_templates: Vec<Unoffered>,
    /// Whether it knows who asks.
    pub auth_status: McpAuthStatus,
}

/// How a client is known to an MCP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum McpAuthStatus {
    /// Nobody has asked it.
    Unknown,
}
