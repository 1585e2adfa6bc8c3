//! Asking for a user's words, or for the work of a client's tool.

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
    /// The call of the model; there is no item of this id.
    pub item_id: String,
    /// The questions.
    pub questions: Vec<ToolRequestUserInputQuestion>,
    /// The turn waits for the answers.
    pub is_blocking: bool,
    /// Milliseconds after which the turn goes on without answers; null for never.
    pub auto_resolution_ms: Option<u64>,
}

/// A question of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolRequestUserInputQuestion {
    /// Names it in the answers.
    pub id: String,
    /// A few words to put above it.
    pub header: String,
    /// The question.
    pub question: String,
    /// The user may answer with other words than the options.
    pub is_other: bool,
    /// The answer must not be shown.
    pub is_secret: bool,
    /// Answers to choose from.
    pub options: Option<Vec<ToolRequestUserInputOption>>,
}

/// An answer to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolRequestUserInputOption {
    /// The answer.
    pub label: String,
    /// What it means.
    pub description: String,
}

/// Result of `item/tool/requestUserInput`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolRequestUserInputResponse {
    /// The answers, by the id of their question.
    pub answers: BTreeMap<String, ToolRequestUserInputAnswer>,
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolRequestUserInputAnswer {
    /// What the user chose or wrote.
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
    /// The call of the model, which is also the id of the item.
    pub call_id: String,
    /// The namespace of the tool, if it has one.
    pub namespace: Option<String>,
    /// The name of the tool.
    pub tool: String,
    /// What the model passes.
    pub arguments: Value,
}

/// Result of `item/tool/call`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DynamicToolCallResponse {
    /// What the tool returns to the model.
    pub content_items: Vec<DynamicToolCallOutputContentItem>,
    /// Whether it worked.
    pub success: bool,
}

/// Params of `mcpServer/elicitation/request`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpServerElicitationRequestParams {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// The turn in which the server asks, if it does so in one.
    pub turn_id: Option<String>,
    /// The key of the server in `mcp_servers`.
    pub server_name: String,
    /// The environment that registers the server; null for a server of all threads.
    #[serde(default)]
    pub environment_id: Unset,
    /// What the server asks for.
    #[serde(flatten)]
    pub elicitation: McpElicitation,
}

/// What an MCP server asks its user for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "mode", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[schemars(inline)]
pub enum McpElicitation {
    /// A form to fill in.
    Form {
        /// What the server adds for clients.
        #[serde(rename = "_meta")]
        meta: Option<Value>,
        /// Description for a person.
        message: String,
        /// JSON Schema of the form.
        requested_schema: Value,
    },
    /// A page to open.
    Url {
        /// What the server adds for clients.
        #[serde(rename = "_meta")]
        meta: Option<Value>,
        /// Description for a person.
        message: String,
        /// The page.
        url: String,
        /// Names the elicitation in later messages of the server.
        elicitation_id: String,
    },
}

/// Result of `mcpServer/elicitation/request`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct McpServerElicitationRequestResponse {
    /// What the user did.
    pub action: McpServerElicitationAction,
    /// The filled form, where the user accepted.
    #[serde(default)]
    pub content: Option<Value>,
    /// What the client adds for the server.
    #[serde(rename = "_meta", default)]
    pub meta: Option<Value>,
}

/// What a user did about an elicitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum McpServerElicitationAction {
    /// Answered.
    Accept,
    /// Refused.
    Decline,
    /// Closed it without an answer.
    Cancel,
}
