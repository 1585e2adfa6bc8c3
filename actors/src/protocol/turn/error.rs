//! The error of a turn.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::protocol::unset::Unset;

/// Why a turn failed, or why a request to the model is sent again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnError {
    /// Description for a person.
    pub message: String,
    /// For a program.
    pub codex_error_info: Option<CodexErrorInfo>,
    /// Further words.
    pub additional_details: Option<String>,
    /// What a policy says about it.
    #[serde(default)]
    pub misalignment: Unset,
}

/// The cause of a failure. The names are the reference program's; clients must accept others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CodexErrorInfo {
    /// The history no longer fits the model's context window.
    ContextWindowExceeded,
    /// The budget of the session is used up.
    SessionBudgetExceeded,
    /// The plan or the prepaid credit is used up.
    UsageLimitExceeded,
    /// The provider asks to slow down.
    RateLimitExceeded,
    /// The provider has too much to do.
    ServerOverloaded,
    /// The provider has no such model.
    ModelNotFound,
    /// A policy of the provider on computer security refuses the request.
    CyberPolicy,
    /// A policy of the provider on biology refuses the request.
    BioPolicy,
    /// The request to the provider got no useful answer.
    HttpConnectionFailed(HttpStatus),
    /// The stream could not be opened.
    ResponseStreamConnectionFailed(HttpStatus),
    /// The provider failed.
    InternalServerError,
    /// The provider does not accept the credentials.
    Unauthorized,
    /// The provider does not understand the request.
    BadRequest,
    /// The sandbox could not be set up.
    SandboxError,
    /// The stream broke before the response was complete.
    ResponseStreamDisconnected(HttpStatus),
    /// The request was sent as often as the configuration allows.
    ResponseTooManyFailedAttempts(HttpStatus),
    /// The running turn takes no further input.
    #[serde(rename_all = "camelCase")]
    ActiveTurnNotSteerable {
        /// What it does.
        turn_kind: NonSteerableTurnKind,
    },
    /// Anything else.
    Other,
    /// A cause that this server does not know, from a history that another program wrote.
    #[serde(untagged)]
    #[schemars(skip)]
    Unknown(Value),
}

/// The last HTTP status that the provider gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct HttpStatus {
    /// Null when there was none.
    pub http_status_code: Option<u16>,
}

/// What a turn does that takes no further input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NonSteerableTurnKind {
    /// It reviews.
    Review,
    /// It summarises the history.
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
