//! Why a model gave no answer, for programs.

use serde::{Deserialize, Serialize};

/// The member `codexErrorInfo` of an error: those of its values that a model call can produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CodexErrorInfo {
    /// The conversation does not fit into the model's context.
    ContextWindowExceeded,
    /// The account's quota is used up.
    UsageLimitExceeded,
    /// The provider asks for fewer requests.
    RateLimitExceeded,
    /// The provider is overloaded.
    ServerOverloaded,
    /// The provider does not have this model.
    ModelNotFound,
    /// The provider refuses on grounds of its policy.
    CyberPolicy,
    /// The provider failed.
    InternalServerError,
    /// The provider could not be reached, or refused the request.
    #[serde(rename_all = "camelCase")]
    HttpConnectionFailed {
        /// The status, if there was an answer at all.
        http_status_code: Option<u16>,
    },
    /// The stream broke off; only while it is retried.
    #[serde(rename_all = "camelCase")]
    ResponseStreamDisconnected {
        /// The status, if an answer without success was the reason.
        http_status_code: Option<u16>,
    },
    /// No further attempt is allowed.
    #[serde(rename_all = "camelCase")]
    ResponseTooManyFailedAttempts {
        /// The status of the last answer.
        http_status_code: Option<u16>,
    },
    /// Anything else.
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_the_reference_program_writes_it() {
        let text = |info: CodexErrorInfo| serde_json::to_string(&info).unwrap();
        assert_eq!(text(CodexErrorInfo::ContextWindowExceeded), r#""contextWindowExceeded""#);
        let failed = CodexErrorInfo::HttpConnectionFailed { http_status_code: Some(401) };
        assert_eq!(text(failed), r#"{"httpConnectionFailed":{"httpStatusCode":401}}"#);
        let broken = CodexErrorInfo::ResponseStreamDisconnected { http_status_code: None };
        assert_eq!(text(broken), r#"{"responseStreamDisconnected":{"httpStatusCode":null}}"#);
    }
}
