//! Requests to models.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::{HistoryItem, ToolSpec};
use crate::protocol::settings::ReasoningSummary;

/// A request to a model: the whole conversation, because nothing is stored at the provider.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    /// Name of the model at the provider.
    pub model: String,
    /// Instructions at the start: the base prompt, instructions, permissions. Developer messages at the start of
    /// [`Self::input`] are merged into them for servers that accept only one system message.
    pub instructions: String,
    /// The conversation, oldest entry first. Every call must have its output, and every output its call.
    pub input: Vec<HistoryItem>,
    /// Functions that the model may call; none for a compaction.
    pub tools: Arc<[ToolSpec]>,
    /// Reasoning effort; `None` for the model's default.
    pub effort: Option<String>,
    /// Reasoning summary; `None` for the provider's default.
    pub summary: Option<ReasoningSummary>,
    /// JSON Schema of the answer.
    pub output_schema: Option<Box<RawValue>>,
    /// The provider's service tier.
    pub service_tier: Option<String>,
    /// Id of the thread. OpenAI uses it as the key of its prompt cache.
    pub thread_id: String,
    /// The header `traceparent` (W3C Trace Context), which makes the call a part of the turn's trace; `None` without traces.
    pub trace: Option<String>,
}
