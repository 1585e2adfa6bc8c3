//! Turns and their items.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::thread::{ApprovalsReviewer, AskForApproval, MultiAgentMode, Personality, SandboxPolicy};

/// A turn: one round of a person asking and the agent working.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// Its identity; UUIDs of version 7 where this server made it.
    pub id: String,
    /// The first turn of the chain that led to it; itself when nothing did.
    pub root_turn_id: Option<String>,
    /// Its items, as far as `items_view` says.
    pub items: Vec<ThreadItem>,
    /// How much of the items is here.
    pub items_view: TurnItemsView,
    /// How far it is.
    pub status: TurnStatus,
    /// Why it failed.
    pub error: Option<TurnError>,
    /// Unix seconds.
    pub started_at: Option<i64>,
    /// Unix seconds.
    pub completed_at: Option<i64>,
    /// Milliseconds from start to end.
    pub duration_ms: Option<i64>,
}

/// How far a turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TurnStatus {
    /// It ended by itself.
    Completed,
    /// A client or the server's end stopped it.
    Interrupted,
    /// It ended with an error.
    Failed,
    /// It runs.
    InProgress,
}

/// How much of a turn's items a message holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TurnItemsView {
    /// None.
    NotLoaded,
    /// The first user message and the last agent message.
    #[default]
    Summary,
    /// All.
    Full,
}

/// Why a turn failed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnError {
    /// In words for a person.
    pub message: String,
    /// For a program: a name, or an object with details.
    pub codex_error_info: Option<Box<RawValue>>,
    /// More words.
    pub additional_details: Option<String>,
    /// What a policy has to say about it.
    pub misalignment: Option<Box<RawValue>>,
}

/// One item of a turn, passed through as the JSON object that it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ThreadItem(Box<RawValue>);

impl JsonSchema for ThreadItem {
    fn schema_name() -> Cow<'static, str> {
        "ThreadItem".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One item of a turn; its other members depend on its type.",
            "type": "object",
            "properties": {
                "type": {"description": "`userMessage`, `agentMessage`, `commandExecution` and so on.", "type": "string"},
                "id": {"description": "Unique in its turn.", "type": "string"},
            },
            "required": ["type", "id"],
            "additionalProperties": true,
        })
    }
}

/// The members of an item that this server looks at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemMembers<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(default)]
    started_at_ms: Option<i64>,
    #[serde(default)]
    completed_at_ms: Option<i64>,
}

/// A piece of what a person said; pieces that are no text have none.
#[derive(Deserialize)]
struct ContentPiece<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

/// What lists, summaries and searches need to know about an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemSummary {
    /// Unique in its turn.
    pub id: String,
    /// `userMessage`, `agentMessage`, `commandExecution` and so on.
    pub kind: String,
    /// What was said, by the person or the agent; empty for other items.
    pub text: String,
    /// Unix milliseconds.
    pub started_at_ms: Option<i64>,
    /// Unix milliseconds.
    pub completed_at_ms: Option<i64>,
}

impl ThreadItem {
    /// What lists, summaries and searches need to know.
    ///
    /// # Errors
    /// The JSON is no object with a string `type` and a string `id`.
    pub fn summary(&self) -> serde_json::Result<ItemSummary> {
        let members: ItemMembers<'_> = serde_json::from_str(self.json())?;
        let text = match (members.r#type.as_ref(), members.content, members.text) {
            ("userMessage", Some(content), _) => spoken(content)?,
            ("agentMessage" | "plan", _, Some(text)) => text.into_owned(),
            _ => String::new(),
        };
        Ok(ItemSummary {
            id: members.id.into_owned(),
            kind: members.r#type.into_owned(),
            text,
            started_at_ms: members.started_at_ms,
            completed_at_ms: members.completed_at_ms,
        })
    }

    /// The JSON text.
    pub fn json(&self) -> &str {
        self.0.get()
    }
}

/// The text of a person's message: its text pieces, one a line.
fn spoken(content: &RawValue) -> serde_json::Result<String> {
    let pieces: Vec<ContentPiece<'_>> = serde_json::from_str(content.get())?;
    Ok(pieces.iter().filter_map(|piece| piece.text.as_deref()).collect::<Vec<_>>().join("\n"))
}

/// An item and the turn that it belongs to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadItemEntry {
    /// The turn.
    pub turn_id: String,
    /// The item.
    pub item: ThreadItem,
    /// Unix milliseconds, if recorded.
    pub started_at_ms: Option<i64>,
    /// Unix milliseconds, if recorded.
    pub completed_at_ms: Option<i64>,
    /// Its output must be fetched by `thread/items/read`.
    #[serde(default)]
    #[schemars(extend("x-experimental" = true))]
    pub output_deferred: bool,
}

/// Params of `turn/start`; settings are in force from this turn on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnStartParams {
    /// Id of the thread.
    pub thread_id: String,
    /// What the person says: text, images, skills, mentions.
    pub input: Vec<Box<RawValue>>,
    /// The client's own id for this message.
    pub client_user_message_id: Option<String>,
    /// Replaces the working directory.
    pub cwd: Option<String>,
    /// Replaces the paths of the workspace.
    pub runtime_workspace_roots: Option<Vec<String>>,
    /// Replaces when to ask.
    pub approval_policy: Option<AskForApproval>,
    /// Replaces whom to ask.
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    /// Replaces what commands may touch; not together with `permissions`.
    pub sandbox_policy: Option<SandboxPolicy>,
    /// A permission profile by name.
    pub permissions: Option<String>,
    /// Replaces the model.
    pub model: Option<String>,
    /// Replaces the tier.
    pub service_tier: Option<String>,
    /// The tier for this turn alone.
    pub service_tier_for_turn: Option<String>,
    /// Replaces how hard the model thinks.
    pub effort: Option<String>,
    /// Replaces how the model reports its thoughts.
    pub summary: Option<ReasoningSummary>,
    /// Style of answers.
    pub personality: Option<Personality>,
    /// JSON Schema of the last answer.
    pub output_schema: Option<Box<RawValue>>,
    /// Replaces the list of plugins that are off.
    pub disabled_plugin_ids: Option<Vec<String>>,
    /// Replaces how person and agent share the work.
    pub collaboration_mode: Option<Box<RawValue>>,
    /// No effect; see [`MultiAgentMode`].
    pub multi_agent_mode: Option<MultiAgentMode>,
    /// The turn that caused this one.
    pub parent_turn_id: Option<String>,
    /// The first turn of the chain.
    pub root_turn_id: Option<String>,
    /// What the client wants recorded about the cause.
    pub turn_trigger: Option<String>,
    /// The output of a tool instead of a person's words.
    pub tool_output: Option<Box<RawValue>>,
    /// Places to work, primary first.
    pub environments: Option<Box<RawValue>>,
    /// Further context by source.
    pub additional_context: Option<Box<RawValue>>,
    /// Replaces metadata of requests to the model.
    pub responsesapi_client_metadata: Option<Box<RawValue>>,
    /// Adds metadata to requests to the model.
    pub responsesapi_client_metadata_patch: Option<Box<RawValue>>,
    /// A programme of the provider.
    pub cyber_access_program: Option<String>,
}

/// How the model reports its thoughts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ReasoningSummary {
    /// As the model likes.
    Auto,
    /// In brief.
    Concise,
    /// In detail.
    Detailed,
    /// Not at all.
    None,
}

/// Params of `turn/steer`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnSteerParams {
    /// Id of the thread.
    pub thread_id: String,
    /// The turn that the client believes to run; not empty.
    pub expected_turn_id: String,
    /// What the person adds.
    pub input: Vec<Box<RawValue>>,
    /// The client's own id for this message.
    pub client_user_message_id: Option<String>,
    /// Further context by source.
    pub additional_context: Option<Box<RawValue>>,
    /// Replaces metadata of requests to the model.
    pub responsesapi_client_metadata: Option<Box<RawValue>>,
    /// Adds metadata to requests to the model.
    pub responsesapi_client_metadata_patch: Option<Box<RawValue>>,
}

/// Params of `turn/interrupt`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnInterruptParams {
    /// Id of the thread.
    pub thread_id: String,
    /// Which turn; empty for whatever runs.
    pub turn_id: String,
}
