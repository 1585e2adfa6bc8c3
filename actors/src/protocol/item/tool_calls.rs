//! Items of what others do for the agent: MCP servers, clients, the provider.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::unset::Unset;

/// A call of a tool of an MCP server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct McpToolCall {
    /// The key of the server in `mcp_servers`.
    pub server: String,
    /// The environment that registers the server; null for a server of all threads.
    #[serde(default)]
    pub environment_id: Unset,
    /// The name of the tool.
    pub tool: String,
    /// Status of the turn.
    pub status: McpToolCallStatus,
    /// What the model passes.
    pub arguments: Value,
    /// The app behind the tool.
    #[serde(default)]
    pub app_context: Unset,
    /// How the app shows itself.
    #[serde(default)]
    pub mcp_app_ui: Unset,
    /// The plugin that brought the server.
    #[serde(default)]
    pub plugin_id: Unset,
    /// Whether the server says that the tool changes nothing.
    pub read_only_hint: Option<bool>,
    /// What the tool returned.
    pub result: Option<McpToolCallResult>,
    /// Why it returned nothing.
    pub error: Option<McpToolCallError>,
    /// Duration in milliseconds.
    pub duration_ms: Option<i64>,
}

/// How far a call of an MCP tool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum McpToolCallStatus {
    /// The server works on it.
    InProgress,
    /// It has a result.
    Completed,
    /// It has an error.
    Failed,
}

/// What an MCP tool returned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpToolCallResult {
    /// Content blocks as MCP defines them.
    pub content: Vec<Value>,
    /// The same for a program.
    #[serde(default)]
    pub structured_content: Option<Value>,
    /// What the server adds for clients.
    #[serde(rename = "_meta", default)]
    pub meta: Option<Value>,
}

/// Why an MCP tool returned nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct McpToolCallError {
    /// Description for a person.
    pub message: String,
}

/// A call of a tool that a client runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct DynamicToolCall {
    /// The namespace of the tool, if it has one.
    pub namespace: Option<String>,
    /// The name of the tool.
    pub tool: String,
    /// What the model passes.
    pub arguments: Value,
    /// Status of the turn.
    pub status: DynamicToolCallStatus,
    /// What the client returned.
    pub content_items: Option<Vec<DynamicToolCallOutputContentItem>>,
    /// Whether the client says that it worked.
    pub success: Option<bool>,
    /// Duration in milliseconds.
    pub duration_ms: Option<i64>,
}

/// How far a call of a client's tool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DynamicToolCallStatus {
    /// A client works on it.
    InProgress,
    /// It worked.
    Completed,
    /// It did not.
    Failed,
}

/// A part of what a client's tool returns.
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
        /// Its URL, mostly a `data:` URL.
        image_url: String,
    },
    /// A recording.
    InputAudio {
        /// Its URL, mostly a `data:` URL.
        audio_url: String,
    },
}

/// A search of the web by the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct WebSearch {
    /// What is searched for; empty until it is known.
    pub query: String,
    /// What the provider does.
    pub action: Option<WebSearchAction>,
    /// What was found; the provider does not tell.
    #[serde(default)]
    pub results: Unset,
}

/// A step of a search of the web.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum WebSearchAction {
    /// A search.
    Search {
        /// For what.
        query: Option<String>,
        /// For what else.
        queries: Option<Vec<String>>,
    },
    /// A page is opened.
    OpenPage {
        /// Which page.
        url: Option<String>,
    },
    /// A page is searched.
    FindInPage {
        /// Which page.
        url: Option<String>,
        /// For what.
        pattern: Option<String>,
    },
    /// Anything else.
    #[serde(other)]
    Other,
}
