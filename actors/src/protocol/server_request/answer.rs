//! Answers of clients to server requests.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Longest reason of a refusal that is kept, in characters.
const MOST_CHARACTERS: usize = 1024;

/// A client's answer to a server request. It is not decoded yet, because its type is only known once the request is
/// found.
#[derive(Clone)]
pub enum ClientAnswer {
    /// The `result` member.
    Result(Box<RawValue>),
    /// The `error` member.
    Error(Box<RawValue>),
}

/// Why a server request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The client answered with an error.
    #[error("the client refused: {message} (code {code})")]
    Refused {
        /// Code of the error; 0 if it has none.
        code: i64,
        /// Message of the error, or the whole error if it has no message.
        message: String,
    },
    /// The client's result does not fit the request.
    #[error("the client's answer to {method} does not fit: {reason}")]
    Malformed {
        /// The request.
        method: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// Too many requests are waiting for answers, so this one was not sent.
    #[error("{most} requests to clients wait for an answer already; this one was not sent")]
    TooMany {
        /// The bound.
        most: usize,
    },
}

impl ClientAnswer {
    /// Decodes the answer to the request `method`.
    ///
    /// # Errors
    /// It is an error, or does not fit.
    pub(super) fn read<A: DeserializeOwned>(&self, method: &'static str) -> Result<A, Unanswered> {
        match self {
            Self::Result(result) => serde_json::from_str(result.get())
                .map_err(|error| Unanswered::Malformed { method, reason: begin(&error.to_string()) }),
            Self::Error(error) => Err(refusal(error)),
        }
    }
}

fn refusal(error: &RawValue) -> Unanswered {
    #[derive(Deserialize)]
    struct Error {
        #[serde(default)]
        code: i64,
        message: String,
    }
    match serde_json::from_str(error.get()) {
        Ok(Error { code, message }) => Unanswered::Refused { code, message: begin(&message) },
        Err(_) => Unanswered::Refused { code: 0, message: begin(error.get()) },
    }
}

/// The first characters of what a client said; a refusal may be kept as long as others can still answer.
fn begin(text: &str) -> String {
    text.chars().take(MOST_CHARACTERS).collect()
}

/// Without the content, because a user may have answered with a secret.
impl fmt::Debug for ClientAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, text) = match self {
            Self::Result(result) => ("a result", result),
            Self::Error(error) => ("an error", error),
        };
        write!(f, "{kind} of {} bytes", text.get().len())
    }
}
