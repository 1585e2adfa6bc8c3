//! Token usage of requests.

use crate::protocol::usage::TokenUsageBreakdown;

/// Tokens of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenUsage {
    /// Total number of tokens.
    pub total: u64,
    /// Input tokens.
    pub input: u64,
    /// Input tokens read from the provider's cache.
    pub cached_input: u64,
    /// Input tokens written to the provider's cache.
    pub cache_write_input: u64,
    /// Output tokens.
    pub output: u64,
    /// Output tokens spent on reasoning.
    pub reasoning_output: u64,
    /// Whether the provider sent no figures and these were estimated from the number of bytes.
    pub estimated: bool,
}

impl TokenUsage {
    /// Bytes of text per token in an estimate.
    const BYTES_PER_TOKEN: usize = 4;

    /// An estimate from the bytes of a request and its answer.
    pub fn estimated(request_bytes: usize, answer_bytes: usize) -> Self {
        let tokens = |bytes: usize| u64::try_from(bytes.div_ceil(Self::BYTES_PER_TOKEN)).unwrap_or(u64::MAX);
        let (input, output) = (tokens(request_bytes), tokens(answer_bytes));
        Self { total: input.saturating_add(output), input, output, estimated: true, ..Self::default() }
    }
}

impl From<TokenUsage> for TokenUsageBreakdown {
    fn from(usage: TokenUsage) -> Self {
        let tokens = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            total_tokens: tokens(usage.total),
            input_tokens: tokens(usage.input),
            cached_input_tokens: tokens(usage.cached_input),
            cache_write_input_tokens: tokens(usage.cache_write_input),
            output_tokens: tokens(usage.output),
            reasoning_output_tokens: tokens(usage.reasoning_output),
        }
    }
}
