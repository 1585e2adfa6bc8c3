//! What a client answers, before and after it is read.

use std::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// The answer of a client to a server request, not yet read: what it must look like is known only once the request is
/// found.
#[derive(Clone)]
pub enum ClientAnswer {
    /// The `result` member.
    Result(Box<RawValue>),
    /// The `error` member.
    Error(Box<RawValue>),
}

/// Why a server request has no usable answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The client answered with an error.
    #[error("the client refused: {message} (code {code})")]
    Refused {
        /// The code of its error; 0 where it gave none.
        code: i64,
        /// Its words, or its whole error where that has no message.
        message: String,
    },
    /// The client's result does not fit the request.
    #[error("the client's answer to {method} does not fit: {reason}")]
    Malformed {
        /// Which request.
        method: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// As many requests as the server allows wait for answers already, so this one was not sent.
    #[error("{most} requests to clients wait for an answer already; this one was not sent")]
    TooMany {
        /// The bound.
        most: usize,
    },
}

impl ClientAnswer {
    /// Reads the answer to the request `method`.
    ///
    /// # Errors
    /// It is an error, or does not fit.
    pub(super) fn read<A: DeserializeOwned>(&self, method: &'static str) -> Result<A, Unanswered> {
        match self {
            Self::Result(result) => serde_json::from_str(result.get())
                .map_err(|error| Unanswered::Malformed { method, reason: error.to_string() }),
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
        Ok(Error { code, message }) => Unanswered::Refused { code, message },
        Err(_) => Unanswered::Refused { code: 0, message: error.get().to_owned() },
    }
}

/// Without the content: a user may have answered with a secret.
impl fmt::Debug for ClientAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, text) = match self {
            Self::Result(result) => ("a result", result),
            Self::Error(error) => ("an error", error),
        };
        write!(f, "{kind} of {} bytes", text.get().len())
    }
}
