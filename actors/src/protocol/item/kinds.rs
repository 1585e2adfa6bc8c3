//! The kinds of items that this server makes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommandExecution, DynamicToolCall, FileChange, McpToolCall, UserInput, WebSearch};
use crate::protocol::unset::Unset;

/// The kind of an item, with the members that only this kind has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ItemKind {
    /// What the user said.
    UserMessage(UserMessage),
    /// What the agent said.
    AgentMessage(AgentMessage),
    /// What the model thought.
    Reasoning(Reasoning),
    /// The plan that the agent proposes.
    Plan(Plan),
    /// A command that ran.
    CommandExecution(CommandExecution),
    /// A patch of files.
    FileChange(FileChange),
    /// A call of a tool of an MCP server.
    McpToolCall(McpToolCall),
    /// A call of a tool that a client runs.
    DynamicToolCall(DynamicToolCall),
    /// A search of the web by the provider.
    WebSearch(WebSearch),
    /// An image that the model looked at.
    ImageView(ImageView),
    /// A review began.
    EnteredReviewMode(Review),
    /// A review ended.
    ExitedReviewMode(Review),
    /// The history was summarised for the model.
    ContextCompaction,
}

/// What the user said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct UserMessage {
    /// `clientUserMessageId` of the request.
    pub client_id: Option<String>,
    /// Its parts.
    pub content: Vec<UserInput>,
}

/// What the agent said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct AgentMessage {
    /// The text; while the item is in progress, the text so far.
    pub text: String,
    /// What part of the answer it is, if the model says so.
    pub phase: Option<MessagePhase>,
    /// What a moderation says about it.
    #[serde(default)]
    pub moderation: Unset,
    /// The memories that it is based on.
    #[serde(default)]
    pub memory_citation: Unset,
    /// How it is delivered.
    #[serde(default)]
    pub delivery: Unset,
    /// Questions that the user may answer later.
    #[serde(default)]
    pub questions: Unset,
}

/// What part of the answer a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessagePhase {
    /// A remark on the way.
    Commentary,
    /// A part of the answer.
    PartialAnswer,
    /// The answer.
    FinalAnswer,
}

/// What the model thought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Reasoning {
    /// Summaries by the model itself.
    #[serde(default)]
    pub summary: Vec<String>,
    /// The thoughts as text, where the provider shows them.
    #[serde(default)]
    pub content: Vec<String>,
}

/// The plan that the agent proposes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Plan {
    /// The plan as text; while the item is in progress, the text so far.
    pub text: String,
}

/// An image that the model looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ImageView {
    /// Path of the file.
    pub path: String,
}

/// The beginning or the end of a review.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Review {
    /// At the beginning, what is reviewed; at the end, what was found.
    pub review: String,
}
