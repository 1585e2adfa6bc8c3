//! The kinds of items that this server makes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommandExecution, DynamicToolCall, FileChange, McpToolCall, UserInput, WebSearch};
use crate::protocol::unset::Unset;

/// The kind of an item, with the members that only this kind has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ItemKind {
    /// A message of the user.
    UserMessage(UserMessage),
    /// A message of the agent.
    AgentMessage(AgentMessage),
    /// The model's reasoning.
    Reasoning(Reasoning),
    /// A plan proposed by the agent.
    Plan(Plan),
    /// A command.
    CommandExecution(CommandExecution),
    /// A patch of files.
    FileChange(FileChange),
    /// A call of an MCP tool.
    McpToolCall(McpToolCall),
    /// A call of a client's tool.
    DynamicToolCall(DynamicToolCall),
    /// A web search by the provider.
    WebSearch(WebSearch),
    /// An image that the model viewed.
    ImageView(ImageView),
    /// The start of a review.
    EnteredReviewMode(Review),
    /// The end of a review.
    ExitedReviewMode(Review),
    /// The history was compacted for the model.
    ContextCompaction,
}

/// A message of the user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct UserMessage {
    /// `clientUserMessageId` of the request.
    pub client_id: Option<String>,
    /// Parts of the message.
    pub content: Vec<UserInput>,
}

/// A message of the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct AgentMessage {
    /// The text; while the item is in progress, the text so far.
    pub text: String,
    /// Phase of the answer, if the model reports it.
    pub phase: Option<MessagePhase>,
    /// Result of a moderation.
    #[serde(default)]
    pub moderation: Unset,
    /// Memories that it is based on.
    #[serde(default)]
    pub memory_citation: Unset,
    /// Mode of delivery.
    #[serde(default)]
    pub delivery: Unset,
    /// Questions that the user may answer later.
    #[serde(default)]
    pub questions: Unset,
}

/// Phase of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessagePhase {
    /// Commentary before the answer.
    Commentary,
    /// A part of the answer.
    PartialAnswer,
    /// The answer.
    FinalAnswer,
}

/// The model's reasoning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Reasoning {
    /// Summaries by the model itself.
    #[serde(default)]
    pub summary: Vec<String>,
    /// The reasoning as text, if the provider returns it.
    #[serde(default)]
    pub content: Vec<String>,
}

/// A plan proposed by the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Plan {
    /// The plan as text; while the item is in progress, the text so far.
    pub text: String,
}

impl Plan {
    /// The line before a plan in what a model says.
    pub const BEGIN: &str = "<proposed_plan>";
    /// The line after it.
    pub const END: &str = "</proposed_plan>";

    /// A plan as a model writes it, with its tags.
    pub fn written(text: &str) -> String {
        let end_of_line = if text.ends_with('\n') { "" } else { "\n" };
        format!("{}\n{text}{end_of_line}{}\n", Self::BEGIN, Self::END)
    }
}

/// An image that the model viewed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ImageView {
    /// Path of the file.
    pub path: String,
}

/// The start or the end of a review.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Review {
    /// At the start, what is reviewed; at the end, the findings.
    pub review: String,
}
