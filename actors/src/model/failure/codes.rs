//! The meaning of providers' error codes and statuses.

use super::Retry;
use crate::protocol::model::ProviderError;
use crate::protocol::turn::{CodexErrorInfo, HttpStatus};

/// Error codes for a conversation that is too long.
const TOO_LONG: [&str; 3] = ["context_length_exceeded", "exceed_context_size_error", "context_window_exceeded"];

/// Phrases of servers without such a code.
const TOO_LONG_PHRASES: [&str; 6] = [
    "maximum context length",
    "context length exceeded",
    "exceeds the context",
    "exceeds the available context",
    "exceed context window",
    "prompt is too long",
];

/// The meaning of a provider's error code; `None` if it is unknown.
pub fn of_error(error: &ProviderError, status: Option<u16>) -> Option<(CodexErrorInfo, Retry)> {
    let may_be_too_long = matches!(status, None | Some(400 | 413 | 422 | 500));
    if error.is(&TOO_LONG) || may_be_too_long && error.mentions(&TOO_LONG_PHRASES) {
        return Some((CodexErrorInfo::ContextWindowExceeded, Retry::Never));
    }
    if error.is(&["usage_limit_reached", "insufficient_quota", "usage_not_included", "billing_hard_limit_reached"]) {
        return Some((CodexErrorInfo::UsageLimitExceeded, Retry::Never));
    }
    if error.is(&["model_not_found"]) || status == Some(404) && error.mentions(&["model"]) {
        return Some((CodexErrorInfo::ModelNotFound, Retry::Never));
    }
    if error.is(&["server_is_overloaded", "overloaded_error"]) {
        return Some((CodexErrorInfo::ServerOverloaded, Retry::Later));
    }
    if error.is(&["cyber_policy"]) {
        return Some((CodexErrorInfo::CyberPolicy, Retry::Never));
    }
    if error.is(&["invalid_prompt"]) {
        return Some((CodexErrorInfo::Other, Retry::Never));
    }
    // If there is a status, it is more precise.
    if status.is_none() && error.is(&["rate_limit_exceeded", "slow_down"]) {
        return Some((CodexErrorInfo::RateLimitExceeded, Retry::Later));
    }
    // An error within a stream that contains a status: an invalid request stays invalid.
    let code = error.code.as_deref().filter(|_| status.is_none()).and_then(|code| code.parse().ok());
    code.filter(|code| (400..600).contains(code)).map(of_status)
}

/// The meaning of a status.
pub fn of_status(status: u16) -> (CodexErrorInfo, Retry) {
    let refused = CodexErrorInfo::HttpConnectionFailed(HttpStatus { http_status_code: Some(status) });
    match status {
        400 | 422 => (CodexErrorInfo::Other, Retry::Never),
        401 | 403 => (refused, Retry::WithNewToken),
        408 | 409 | 425 => (refused, Retry::Later),
        429 => {
            (CodexErrorInfo::ResponseTooManyFailedAttempts(HttpStatus { http_status_code: Some(status) }), Retry::Later)
        }
        500 => (CodexErrorInfo::InternalServerError, Retry::UnlessRepeated),
        501 | 505 => (refused, Retry::Never),
        502.. => (refused, Retry::Later),
        _ => (refused, Retry::Never),
    }
}
