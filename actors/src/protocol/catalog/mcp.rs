//! Requests about MCP servers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::PageParams;
use crate::protocol::thread::Unset;

/// Params of `mcpServerStatus/list`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListMcpServerStatusParams {
    /// The page to return.
    #[serde(flatten)]
    pub page: PageParams,
    /// How much is wanted; everything if absent.
    pub detail: Option<McpServerStatusDetail>,
    /// Only the server with this name.
    pub server_name: Option<String>,
    /// The servers of this loaded thread, which are started; without it, what is known without starting any.
    pub thread_id: Option<String>,
    /// The server as this environment of the thread registers it; only together with `serverName` and `threadId`.
    pub environment_id: Option<String>,
}

/// How much of a server is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum McpServerStatusDetail {
    /// Everything.
    Full,
    /// No resources.
    ToolsAndAuthOnly,
}

/// A configured MCP server.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpServerStatus {
    /// Key in `mcp_servers`.
    pub name: String,
    /// Environment that registers the server; null for a server of all threads.
    pub environment_id: Unset,
    /// State of the thread's connection to the server.
    pub runtime_status: Option<McpServerConnectionStatus>,
    /// Id of the plugin that provides the server.
    pub plugin_id: Unset,
    /// Scheme, host and port of an HTTP server.
    pub http_origin: Option<String>,
    /// The server's description of itself.
    pub server_info: Option<McpServerInfo>,
    /// Capabilities of the server.
    pub server_capabilities: Option<Value>,
    /// Metadata of the tool list.
    pub tool_list_meta: Unset,
    /// Tools by name.
    pub tools: BTreeMap<String, McpTool>,
    /// Why the tools are not available.
    pub tools_error: Option<String>,
    /// Resources of the server.
    pub resources: Vec<McpResource>,
    /// Resource templates of the server.
    pub resource_templates: Vec<McpResourceTemplate>,
    /// State of the authentication.
    pub auth_status: McpAuthStatus,
}

/// State of a thread's connection to an MCP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum McpServerConnectionStatus {
    /// Nothing needed it yet.
    NotStarted,
    /// It is starting.
    Starting,
    /// It works.
    Connected,
    /// It wants a token, or another one.
    AuthenticationRequired,
    /// It did not start, or has ended.
    Failed,
    /// The configuration disables it.
    Disabled,
}

/// What an MCP server says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpServerInfo {
    /// Name.
    pub name: String,
    /// Name for people.
    pub title: Option<String>,
    /// Version.
    pub version: String,
    /// Description for people.
    pub description: Option<String>,
    /// Icons as MCP defines them.
    pub icons: Option<Vec<Value>>,
    /// Its website.
    pub website_url: Option<String>,
}

/// State of the authentication at an MCP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum McpAuthStatus {
    /// A program, which needs none.
    Unsupported,
    /// It wants a token, or another one.
    NotLoggedIn,
    /// A token or header of the configuration.
    BearerToken,
    /// Not known.
    Unknown,
}

/// A tool of an MCP server, as MCP defines it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Tool")]
pub struct McpTool {
    /// Name.
    pub name: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Description for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub input_schema: Value,
    /// JSON Schema of its structured content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Value>,
    /// Icons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icons: Option<Vec<Value>>,
    /// Metadata for clients.
    #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Value>,
}

/// A resource of an MCP server, as MCP defines it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Resource")]
pub struct McpResource {
    /// Its URI.
    pub uri: String,
    /// Name.
    pub name: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Description for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Value>,
    /// Icons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icons: Option<Vec<Value>>,
    /// Metadata for clients.
    #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Value>,
}

/// A template of resources of an MCP server, as MCP defines it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ResourceTemplate")]
pub struct McpResourceTemplate {
    /// Pattern of the URIs.
    pub uri_template: String,
    /// Name.
    pub name: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Description for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Value>,
}

/// Params of `mcpServer/tool/call`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpServerToolCallParams {
    /// The loaded thread whose server is meant.
    pub thread_id: String,
    /// Key in `mcp_servers`.
    pub server: String,
    /// The environment that registers the server; there is only one.
    pub environment_id: Option<String>,
    /// The server's name of the tool.
    pub tool: String,
    /// Arguments: an object, or nothing.
    pub arguments: Option<Value>,
    /// Metadata for the server, which is not passed on.
    #[serde(rename = "_meta")]
    pub meta: Option<Value>,
}

/// Result of `mcpServer/tool/call`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpServerToolCallResponse {
    /// Content blocks as MCP defines them.
    pub content: Vec<Value>,
    /// Structured content for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structured_content: Option<Value>,
    /// Whether the tool has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_error: Option<bool>,
    /// Metadata of the server.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Value>,
}

/// Params of `mcpServer/resource/read`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpResourceReadParams {
    /// The loaded thread whose server is meant. Without it nothing can be read.
    pub thread_id: Option<String>,
    /// Key in `mcp_servers`.
    pub server: String,
    /// The environment that registers the server; there is only one.
    pub environment_id: Option<String>,
    /// URI of the resource.
    pub uri: String,
    /// App behind the resource, which this server does not know.
    pub connector_id: Option<String>,
    /// App and account behind the resource, which this server does not know.
    pub target: Option<Value>,
    /// The call that named the resource.
    pub origin_call_id: Option<String>,
    /// Metadata for the server, which is not passed on.
    #[serde(rename = "_meta")]
    pub meta: Option<Value>,
}

/// Result of `mcpServer/resource/read`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpResourceReadResponse {
    /// The contents as MCP defines them.
    pub contents: Vec<ResourceContent>,
    /// The call that named the resource, for apps.
    pub origin_call_id: Unset,
}

/// The content of a resource: text, or bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum ResourceContent {
    /// Text.
    Text {
        /// Its URI.
        uri: String,
        /// Media type.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// The text.
        text: String,
        /// Metadata for clients.
        #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
        meta: Option<Value>,
    },
    /// Bytes.
    Blob {
        /// Its URI.
        uri: String,
        /// Media type.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mime_type: Option<String>,
        /// Base64.
        blob: String,
        /// Metadata for clients.
        #[serde(rename = "_meta", default, skip_serializing_if = "Option::is_none")]
        meta: Option<Value>,
    },
}
