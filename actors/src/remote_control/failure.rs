//! Failures of requests to the backend.

use crate::store::StoreError;
use crate::times;

/// A failure with its text and its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// Kind of the failure.
    pub kind: Kind,
    /// The reference program's text, without secrets.
    pub text: String,
    /// When the backend allows the next attempt, in milliseconds since the Unix epoch.
    pub retry_at_ms: Option<i64>,
    /// HTTP status of the answer, if there was one.
    pub status: Option<u16>,
    /// Whether a later attempt may succeed without intervention.
    pub transient: bool,
}

/// Kinds of failures (spec: remote control 4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nobody is signed in with ChatGPT.
    SignedOut,
    /// The sign-in has no account id yet.
    NoAccount,
    /// The account has changed.
    AccountChanged,
    /// The backend has asked to wait; nothing was sent.
    Deferred,
    /// The backend rejects the credentials.
    Permission,
    /// The backend does not know the object.
    NotFound,
    /// The backend rejects the request as invalid.
    InvalidInput,
    /// Any other failure.
    Other,
}

impl Failure {
    /// Creates a failure without details.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), retry_at_ms: None, status: None, transient: false }
    }

    /// Creates a failure of another kind.
    pub fn other(text: impl std::fmt::Display) -> Self {
        Self::new(Kind::Other, text.to_string())
    }

    /// Creates a failure of the database.
    pub fn of_store(error: StoreError) -> Self {
        Self { transient: matches!(error, StoreError::Busy | StoreError::Locked(_)), ..Self::other(error) }
    }

    /// Creates the failure of a request before the time that the backend asked for.
    pub fn deferred(until_ms: i64) -> Self {
        let text = format!("remote control retry deferred until {}", times::show(until_ms));
        Self { retry_at_ms: Some(until_ms), ..Self::new(Kind::Deferred, text) }
    }

    /// Whether a sign-in or waiting would help.
    pub fn may_pass(&self) -> bool {
        self.transient || matches!(self.kind, Kind::SignedOut | Kind::NoAccount)
    }

    /// Whether the status is unchanged, because there is nothing to report yet.
    pub fn would_block(&self) -> bool {
        matches!(self.kind, Kind::NoAccount | Kind::Deferred)
    }
}
