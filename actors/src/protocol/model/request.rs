//! What a model is asked.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::{HistoryItem, ToolSpec};
use crate::protocol::settings::ReasoningSummary;

/// One question to a model: the whole conversation, because nothing is kept at the provider.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    /// The provider's name of the model.
    pub model: String,
    /// What the program tells the model before everything else: the base prompt, instructions, permissions. Entries of
    /// role developer at the start of [`Self::input`] are joined to it for servers that take one system message only.
    pub instructions: String,
    /// The conversation, oldest entry first. Every call must have its output, and every output its call.
    pub input: Vec<HistoryItem>,
    /// The functions that the model may call; none for a compaction.
    pub tools: Arc<[ToolSpec]>,
    /// How hard the model thinks; `None` leaves it to the model.
    pub effort: Option<String>,
    /// How the model reports its thoughts; `None` leaves it to the provider.
    pub summary: Option<ReasoningSummary>,
    /// JSON Schema of the answer.
    pub output_schema: Option<Box<RawValue>>,
    /// The provider's service tier.
    pub service_tier: Option<String>,
    /// The thread. OpenAI keeps the prefixes of one thread together in its cache.
    pub thread_id: String,
}
