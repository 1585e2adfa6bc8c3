//! What a thread has cost in tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tokens that a thread has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadTokenUsage {
    /// Of all its requests to the model.
    pub total: TokenUsageBreakdown,
    /// Of the latest request.
    pub last: TokenUsageBreakdown,
    /// Tokens that fit into the model's context window, if known.
    pub model_context_window: Option<i64>,
}

/// Tokens by their kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenUsageBreakdown {
    /// Input and output together.
    pub total_tokens: i64,
    /// Read by the model.
    pub input_tokens: i64,
    /// Of the input, read from the provider's cache.
    pub cached_input_tokens: i64,
    /// Of the input, written into the provider's cache.
    #[serde(default)]
    pub cache_write_input_tokens: i64,
    /// Written by the model.
    pub output_tokens: i64,
    /// Of the output, spent on reasoning.
    pub reasoning_output_tokens: i64,
}
