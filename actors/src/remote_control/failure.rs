//! Why something with the backend did not work.

use crate::store::StoreError;
use crate::times;

/// A failure, in words for people and sorted for us.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// What follows from it.
    pub kind: Kind,
    /// The reference program's text, without secrets.
    pub text: String,
    /// Not before this moment, in milliseconds since the Unix epoch, because the backend says so.
    pub retry_at_ms: Option<i64>,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// The same might work later without anybody doing anything.
    pub transient: bool,
}

/// What follows from a failure (spec: remote control 4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nobody is signed in with ChatGPT.
    SignedOut,
    /// The sign-in has no account id yet.
    NoAccount,
    /// Somebody else is signed in than a moment ago.
    AccountChanged,
    /// It is not the time; nothing was sent.
    Deferred,
    /// The backend does not accept who asks.
    Permission,
    /// The backend does not know what is asked about.
    NotFound,
    /// The backend does not understand what is asked.
    InvalidInput,
    /// Everything else.
    Other,
}

impl Failure {
    /// A failure without further circumstances.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), retry_at_ms: None, status: None, transient: false }
    }

    /// Anything that has no kind of its own.
    pub fn other(text: impl std::fmt::Display) -> Self {
        Self::new(Kind::Other, text.to_string())
    }

    /// The database cannot do it, at least not now.
    pub fn of_store(error: StoreError) -> Self {
        Self { transient: matches!(error, StoreError::Busy | StoreError::Locked(_)), ..Self::other(error) }
    }

    /// The backend has said to come back later.
    pub fn deferred(until_ms: i64) -> Self {
        let text = format!("remote control retry deferred until {}", times::show(until_ms));
        Self { retry_at_ms: Some(until_ms), ..Self::new(Kind::Deferred, text) }
    }

    /// Signing in would help, or waiting.
    pub fn may_pass(&self) -> bool {
        self.transient || matches!(self.kind, Kind::SignedOut | Kind::NoAccount)
    }

    /// The status stays as it is: there is nothing to complain about yet.
    pub fn would_block(&self) -> bool {
        matches!(self.kind, Kind::NoAccount | Kind::Deferred)
    }
}
