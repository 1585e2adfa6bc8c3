//! Questions to users, and calls of clients' tools.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::item::DynamicToolCallOutputContentItem;
use crate::protocol::thread::ThreadId;
use crate::protocol::unset::Unset;

/// Params of `item/tool/requestUserInput`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolRequestUserInputParams {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Id of the model's call; there is no item with this id.
    pub item_id: String,
    /// The questions.
    pub questions: Vec<ToolRequestUserInputQuestion>,
    /// Whether the turn waits for the answers.
    pub is_blocking: bool,
    /// Time in milliseconds after which the turn continues without answers; null for no limit.
    pub auto_resolution_ms: Option<u64>,
}

/// A question of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolRequestUserInputQuestion {
    /// Id of the question.
    pub id: String,
    /// Short heading.
    pub header: String,
    /// The question.
    pub question: String,
    /// Whether other answers than the options are allowed.
    pub is_other: bool,
    /// Whether the answer is secret and must not be displayed.
    pub is_secret: bool,
    /// Options to choose from.
    pub options: Option<Vec<ToolRequestUserInputOption>>,
}

/// An option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolRequestUserInputOption {
    /// The answer.
    pub label: String,
    /// Description of the option.
    pub description: String,
}

/// Result of `item/tool/requestUserInput`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolRequestUserInputResponse {
    /// Answers by the id of their question.
    pub answers: BTreeMap<String, ToolRequestUserInputAnswer>,
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolRequestUserInputAnswer {
    /// The chosen or typed answers.
    pub answers: Vec<String>,
}

/// Params of `item/tool/call`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DynamicToolCallParams {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// Id of the model's call, which is also the id of the item.
    pub call_id: String,
    /// Namespace of the tool, if it has one.
    pub namespace: Option<String>,
    /// Name of the tool.
    pub tool: String,
    /// Arguments.
    pub arguments: Value,
}

/// Result of `item/tool/call`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DynamicToolCallResponse {
    /// Content for the model.
    pub content_items: Vec<DynamicToolCallOutputContentItem>,
    /// Whether the call succeeded.
    pub success: bool,
}

/// Params of `mcpServer/elicitation/request`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpServerElicitationRequestParams {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn, if the request belongs to one.
    pub turn_id: Option<String>,
    /// Key of the server in `mcp_servers`.
    pub server_name: String,
    /// The environment that registers the server; null for a server of all threads.
    #[serde(default)]
    pub environment_id: Unset,
    /// The request of the server.
    #[serde(flatten)]
    pub elicitation: McpElicitation,
}

/// A request of an MCP server to the user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "mode", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[schemars(inline)]
pub enum McpElicitation {
    /// A form to fill in.
    Form {
        /// Metadata of the server for clients.
        #[serde(rename = "_meta")]
        meta: Option<Value>,
        /// Description for a person.
        message: String,
        /// JSON Schema of the form.
        requested_schema: Value,
    },
    /// A page to open.
    Url {
        /// Metadata of the server for clients.
        #[serde(rename = "_meta")]
        meta: Option<Value>,
        /// Description for a person.
        message: String,
        /// URL of the page.
        url: String,
        /// Id of the elicitation in later messages of the server.
        elicitation_id: String,
    },
}

/// Result of `mcpServer/elicitation/request`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct McpServerElicitationRequestResponse {
    /// Action of the user.
    pub action: McpServerElicitationAction,
    /// The form data, if the user accepted.
    #[serde(default)]
    pub content: Option<Value>,
    /// Metadata of the client for the server.
    #[serde(rename = "_meta", default)]
    pub meta: Option<Value>,
}

/// Action of a user on an elicitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum McpServerElicitationAction {
    /// The user accepted.
    Accept,
    /// The user declined.
    Decline,
    /// The user canceled.
    Cancel,
}
