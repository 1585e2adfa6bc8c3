//! Errors of client subcommands.

use std::io;

use super::ClientError;

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
    #[error("failed to write to stdout: {0}")]
    Output(#[from] io::Error),
}

impl CallError {
    /// The exit code: 1 for a JSON-RPC error, 2 for a usage error, 69 (`EX_UNAVAILABLE` of sysexits.h) if there is no
    /// server.
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::Usage(_) => 2,
            Self::Client(ClientError::Attach(_) | ClientError::Gone) => 69,
            Self::Client(ClientError::Refused(_) | ClientError::Json(_)) | Self::Unsuccessful(_) | Self::Output(_) => 1,
        }
    }
}
