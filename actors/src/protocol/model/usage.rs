//! How much a model has read and written.

use crate::protocol::usage::TokenUsageBreakdown;

/// Tokens of one model call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenUsage {
    /// All of them.
    pub total: u64,
    /// What the model read.
    pub input: u64,
    /// Of [`Self::input`], what the provider had in its cache.
    pub cached_input: u64,
    /// Of [`Self::input`], what the provider put into its cache.
    pub cache_write_input: u64,
    /// What the model wrote.
    pub output: u64,
    /// Of [`Self::output`], what it thought.
    pub reasoning_output: u64,
    /// True when the provider told no figures and these were guessed from the number of bytes.
    pub estimated: bool,
}

impl TokenUsage {
    /// Bytes of text that count as one token in a guess.
    const BYTES_PER_TOKEN: usize = 4;

    /// A guess from the bytes of a request and of its answer.
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
