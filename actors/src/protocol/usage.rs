//! Token usage of threads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tokens that a thread has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ThreadTokenUsage {
    /// Tokens of all requests to the model.
    pub total: TokenUsageBreakdown,
    /// Tokens of the latest request.
    pub last: TokenUsageBreakdown,
    /// Size of the model's context window in tokens, if known.
    pub model_context_window: Option<i64>,
}

/// Numbers of tokens by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenUsageBreakdown {
    /// Total of input and output.
    pub total_tokens: i64,
    /// Input tokens.
    pub input_tokens: i64,
    /// Input tokens read from the provider's cache.
    pub cached_input_tokens: i64,
    /// Input tokens written to the provider's cache.
    #[serde(default)]
    pub cache_write_input_tokens: i64,
    /// Output tokens.
    pub output_tokens: i64,
    /// Output tokens spent on reasoning.
    pub reasoning_output_tokens: i64,
}
