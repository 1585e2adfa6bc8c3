//! Errors of client subcommands.

use super::ClientError;
use crate::output::Unwritten;

/// Why a client subcommand failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// A usage error.
    #[error("{0}")]
    Usage(String),
    /// The request failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The server carried out the request without the intended effect.
    #[error("{0}")]
    Unsuccessful(String),
    /// The result cannot be written to stdout.
    #[error(transparent)]
    Output(#[from] Unwritten),
}

impl From<std::io::Error> for CallError {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error.into())
    }
}
