//! Why a model gave no answer.

use std::time::Duration;

use crate::protocol::model::CodexErrorInfo;

/// Why a model gave no answer, ready to be told to clients. It repeats no key, token or header.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ModelFailure {
    /// For programs.
    pub info: CodexErrorInfo,
    /// For people: what happened, to which provider, and what to do about it.
    pub message: String,
    /// More words, where there are any.
    pub details: Option<String>,
    /// The tokens that the model can take in, where the provider says so because a conversation is too long.
    pub context_window: Option<u64>,
    /// Whether it makes sense to ask again.
    pub retry: Retry,
}

/// Whether it makes sense to ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The answer would be the same.
    Never,
    /// Once, if the credentials can be renewed.
    WithNewToken,
    /// After the usual wait.
    Later,
    /// After the wait that the provider asks for.
    After(Duration),
}
