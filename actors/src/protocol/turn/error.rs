//! The error of a turn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::unset::Unset;

/// The error of a turn, or the cause of a retry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnError {
    /// Description for a person.
    pub message: String,
    /// For a program.
    pub codex_error_info: Option<CodexErrorInfo>,
    /// Further details.
    pub additional_details: Option<String>,
    /// Details about a policy violation.
    #[serde(default)]
    pub misalignment: Unset,
}

/// The cause of a failure. The names are the reference program's; clients must accept unknown ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CodexErrorInfo {
    /// The history no longer fits the model's context window.
    ContextWindowExceeded,
    /// The budget of the session is used up.
    SessionBudgetExceeded,
    /// The plan or the prepaid credit is used up.
    UsageLimitExceeded,
    /// The provider limits the rate of requests.
    RateLimitExceeded,
    /// The provider is overloaded.
    ServerOverloaded,
    /// The provider does not have the model.
    ModelNotFound,
    /// The provider's cybersecurity policy refuses the request.
    CyberPolicy,
    /// The provider's biology policy refuses the request.
    BioPolicy,
    /// The request to the provider failed.
    HttpConnectionFailed(HttpStatus),
    /// The stream could not be opened.
    ResponseStreamConnectionFailed(HttpStatus),
    /// The provider failed.
    InternalServerError,
    /// The provider rejects the credentials.
    Unauthorized,
    /// The provider rejects the request as invalid.
    BadRequest,
    /// The sandbox could not be set up.
    SandboxError,
    /// The stream broke before the response was complete.
    ResponseStreamDisconnected(HttpStatus),
    /// All retries have failed.
    ResponseTooManyFailedAttempts(HttpStatus),
    /// The running turn accepts no further input.
    #[serde(rename_all = "camelCase")]
    ActiveTurnNotSteerable {
        /// What it does.
        turn_kind: NonSteerableTurnKind,
    },
    /// Anything else.
    Other,
    /// An unknown cause, from a history that another program wrote.
    #[serde(untagged)]
    #[schemars(skip)]
    Unknown(Value),
}

/// The last HTTP status from the provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct HttpStatus {
    /// Null when there was none.
    pub http_status_code: Option<u16>,
}

/// Kinds of turns that accept no further input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NonSteerableTurnKind {
    /// A review.
    Review,
    /// A compaction of the history.
    Compact,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn causes_are_written_as_the_reference_writes_them_and_unknown_ones_are_kept() {
        let status = HttpStatus { http_status_code: Some(429) };
        let turn_kind = NonSteerableTurnKind::Compact;
        for (cause, written) in [
            (CodexErrorInfo::ContextWindowExceeded, json!("contextWindowExceeded")),
            (CodexErrorInfo::Other, json!("other")),
            (
                CodexErrorInfo::ResponseTooManyFailedAttempts(status),
                json!({"responseTooManyFailedAttempts": {"httpStatusCode": 429}}),
            ),
            (
                CodexErrorInfo::ResponseStreamDisconnected(HttpStatus::default()),
                json!({"responseStreamDisconnected": {"httpStatusCode": null}}),
            ),
            (
                CodexErrorInfo::ActiveTurnNotSteerable { turn_kind },
                json!({"activeTurnNotSteerable": {"turnKind": "compact"}}),
            ),
            (CodexErrorInfo::Unknown(json!("tooManyDenials")), json!("tooManyDenials")),
            (CodexErrorInfo::Unknown(json!({"later": {"a": 1}})), json!({"later": {"a": 1}})),
        ] {
            assert_eq!(serde_json::to_value(&cause).unwrap(), written);
            assert_eq!(serde_json::from_value::<CodexErrorInfo>(written).unwrap(), cause);
        }
    }
}
