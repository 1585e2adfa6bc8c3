//! What a thread has used.

use crate::protocol::model::TokenUsage;
use crate::protocol::usage::{ThreadTokenUsage, TokenUsageBreakdown};

/// What a thread has used, with one more call.
pub(super) fn added(
    so_far: Option<ThreadTokenUsage>,
    call: TokenUsage,
    context_window: Option<u64>,
) -> ThreadTokenUsage {
    let number = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    let last = TokenUsageBreakdown {
        total_tokens: number(call.total),
        input_tokens: number(call.input),
        cached_input_tokens: number(call.cached_input),
        cache_write_input_tokens: number(call.cache_write_input),
        output_tokens: number(call.output),
        reasoning_output_tokens: number(call.reasoning_output),
    };
    let before = so_far.map(|usage| usage.total).unwrap_or_default();
    let total = TokenUsageBreakdown {
        total_tokens: before.total_tokens.saturating_add(last.total_tokens),
        input_tokens: before.input_tokens.saturating_add(last.input_tokens),
        cached_input_tokens: before.cached_input_tokens.saturating_add(last.cached_input_tokens),
        cache_write_input_tokens: before.cache_write_input_tokens.saturating_add(last.cache_write_input_tokens),
        output_tokens: before.output_tokens.saturating_add(last.output_tokens),
        reasoning_output_tokens: before.reasoning_output_tokens.saturating_add(last.reasoning_output_tokens),
    };
    let known_window = so_far.and_then(|usage| usage.model_context_window);
    ThreadTokenUsage { total, last, model_context_window: context_window.map(number).or(known_window) }
}
