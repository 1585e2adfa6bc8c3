//! Items of actions that others perform for the agent: MCP servers, clients, the provider.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::unset::Unset;

/// A call of an MCP tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct McpToolCall {
    /// Key of the server in `mcp_servers`.
    pub server: String,
    /// The environment that registers the server; null for a server of all threads.
    #[serde(default)]
    pub environment_id: Unset,
    /// Name of the tool.
    pub tool: String,
    /// Status.
    pub status: McpToolCallStatus,
    /// Arguments.
    pub arguments: Value,
    /// The app behind the tool.
    #[serde(default)]
    pub app_context: Unset,
    /// Display data of the app.
    #[serde(default)]
    pub mcp_app_ui: Unset,
    /// The plugin that provides the server.
    #[serde(default)]
    pub plugin_id: Unset,
    /// Whether the tool is read-only according to the server.
    pub read_only_hint: Option<bool>,
    /// The result.
    pub result: Option<McpToolCallResult>,
    /// The error.
    pub error: Option<McpToolCallError>,
    /// Duration in milliseconds.
    pub duration_ms: Option<i64>,
}

/// Status of a call of an MCP tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum McpToolCallStatus {
    /// It is in progress.
    InProgress,
    /// It has a result.
    Completed,
    /// It has an error.
    Failed,
}

/// The result of an MCP tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpToolCallResult {
    /// Content blocks as MCP defines them.
    pub content: Vec<Value>,
    /// Structured content for programs.
    #[serde(default)]
    pub structured_content: Option<Value>,
    /// Metadata of the server for clients.
    #[serde(rename = "_meta", default)]
    pub meta: Option<Value>,
}

/// The error of an MCP tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct McpToolCallError {
    /// Description for a person.
    pub message: String,
}

/// A call of a client's tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct DynamicToolCall {
    /// Namespace of the tool, if it has one.
    pub namespace: Option<String>,
    /// Name of the tool.
    pub tool: String,
    /// Arguments.
    pub arguments: Value,
    /// Status.
    pub status: DynamicToolCallStatus,
    /// The content returned by the client.
    pub content_items: Option<Vec<DynamicToolCallOutputContentItem>>,
    /// Whether the call succeeded according to the client.
    pub success: Option<bool>,
    /// Duration in milliseconds.
    pub duration_ms: Option<i64>,
}

/// Status of a call of a client's tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DynamicToolCallStatus {
    /// It is in progress.
    InProgress,
    /// It has succeeded.
    Completed,
    /// It has failed.
    Failed,
}

/// A part of the content returned by a client's tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DynamicToolCallOutputContentItem {
    /// Text.
    InputText {
        /// The text.
        text: String,
    },
    /// An image.
    InputImage {
        /// URL, usually a `data:` URL.
        image_url: String,
    },
    /// An audio recording.
    InputAudio {
        /// URL, usually a `data:` URL.
        audio_url: String,
    },
}

/// A web search by the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct WebSearch {
    /// The query; empty until it is known.
    pub query: String,
    /// The action of the provider.
    pub action: Option<WebSearchAction>,
    /// The results; always null, because the provider does not report them.
    #[serde(default)]
    pub results: Unset,
}

/// An action of a web search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum WebSearchAction {
    /// A search.
    Search {
        /// The query.
        query: Option<String>,
        /// Further queries.
        queries: Option<Vec<String>>,
    },
    /// Opening a page.
    OpenPage {
        /// URL of the page.
        url: Option<String>,
    },
    /// Searching in a page.
    FindInPage {
        /// URL of the page.
        url: Option<String>,
        /// The query.
        pattern: Option<String>,
    },
    /// Anything else.
    #[serde(other)]
    Other,
}
