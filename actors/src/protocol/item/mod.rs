//! The items of a turn: messages of the user and the agent, and the agent's actions.
//!
//! A [`ThreadItem`] is JSON text, because the store and the wire hold the same text: an item is encoded once, when it
//! starts or completes, and never decoded on the way from the disk to a client. Kinds that this server does not make
//! pass through it unchanged. [`Item`] is the typed form of those that it makes.

mod actions;
mod input;
mod kinds;
#[cfg(test)]
mod tests;
mod tool_calls;

pub use actions::*;
pub use input::*;
pub use kinds::*;
pub use tool_calls::*;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

/// An item of a turn, as JSON text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ThreadItem(Box<RawValue>);

/// An item of a turn that this server makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The kind with its members.
    #[serde(flatten)]
    pub kind: ItemKind,
    /// Id of the item, unique in its turn.
    pub id: String,
    /// When it started, in Unix milliseconds.
    #[serde(default)]
    pub started_at_ms: Option<i64>,
    /// When it completed, in Unix milliseconds; null while it is in progress.
    #[serde(default)]
    pub completed_at_ms: Option<i64>,
}

impl Item {
    /// The JSON text, for the store and for clients.
    ///
    /// # Errors
    /// JSON cannot express a value of the item; that never happens for items of this server.
    pub fn encode(&self) -> serde_json::Result<ThreadItem> {
        to_raw_value(self).map(ThreadItem)
    }
}

impl ThreadItem {
    /// The typed form.
    ///
    /// # Errors
    /// The item is of a kind that this server does not make, or a member is missing.
    pub fn decode(&self) -> serde_json::Result<Item> {
        serde_json::from_str(self.json())
    }

    /// The facts that lists, summaries and searches use.
    ///
    /// # Errors
    /// The JSON is not an object with a string `type` and a string `id`.
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

/// The published schema contains the kinds that this server makes, with the members that all kinds share.
impl JsonSchema for ThreadItem {
    fn schema_name() -> Cow<'static, str> {
        "ThreadItem".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = ItemKind::json_schema(generator);
        let kinds = schema.get_mut("oneOf").and_then(|kinds| kinds.as_array_mut());
        for kind in kinds.into_iter().flatten() {
            let time =
                |description| json!({"description": description, "type": ["integer", "null"], "format": "int64"});
            kind["properties"]["id"] = json!({"description": "Unique in its turn.", "type": "string"});
            kind["properties"]["startedAtMs"] = time("When it started, in Unix milliseconds.");
            kind["properties"]["completedAtMs"] =
                time("When it completed, in Unix milliseconds; null while it is in progress.");
            if let Some(required) = kind["required"].as_array_mut() {
                required.push("id".into());
            }
        }
        schema
    }
}

/// The members of an item of any kind that this server looks at.
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

/// A part of a user message; only text parts have text.
#[derive(Deserialize)]
struct ContentPart<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

/// The facts about an item that lists, summaries and searches use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemSummary {
    /// Id of the item, unique in its turn.
    pub id: String,
    /// Type of the item: `userMessage`, `agentMessage`, `commandExecution`, …
    pub kind: String,
    /// Text of the user or the agent; empty for other items.
    pub text: String,
    /// Unix milliseconds.
    pub started_at_ms: Option<i64>,
    /// Unix milliseconds.
    pub completed_at_ms: Option<i64>,
}

/// The text parts of a user message, one per line.
fn spoken(content: &RawValue) -> serde_json::Result<String> {
    let parts: Vec<ContentPart<'_>> = serde_json::from_str(content.get())?;
    Ok(parts.iter().filter_map(|part| part.text.as_deref()).collect::<Vec<_>>().join("\n"))
}

/// An item and its turn.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadItemEntry {
    /// The turn.
    pub turn_id: String,
    /// The item.
    pub item: ThreadItem,
    /// Unix time in milliseconds, if it was recorded.
    pub started_at_ms: Option<i64>,
    /// Unix time in milliseconds, if it was recorded.
    pub completed_at_ms: Option<i64>,
    /// Whether the output must be fetched with `thread/items/read`.
    #[serde(default)]
    #[schemars(extend("x-experimental" = true))]
    pub output_deferred: bool,
}
