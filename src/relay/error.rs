//! Why the relay does not run.

use std::{io, net::SocketAddr};

use super::tls;
use crate::listen::UnixSocketError;

/// Why the relay cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// `https://` without a certificate, or the reverse.
    #[error("https needs --tls-cert and --tls-key, and these need --listen https://IP:PORT")]
    Certificate,
    /// The certificate or its key cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::InvalidTls),
    /// A setting is invalid.
    #[error("{0}")]
    Setting(String),
    /// The system refused.
    #[error("{error}: {address}")]
    Io {
        /// The error of the operating system.
        error: io::Error,
        /// The address.
        address: SocketAddr,
    },
    /// Another relay uses the same state.
    #[error("another relay is running with the same CODEX_HOME; `codex-app-server relay status` shows it")]
    RunsAlready,
    /// The socket for `relay status` cannot be bound.
    #[error("the socket for `relay status`: {0}")]
    Socket(UnixSocketError),
    /// The HTTP server ended by itself.
    #[error("the relay's HTTP server stopped by itself: {0}")]
    Stopped(io::Error),
}

impl From<UnixSocketError> for RelayError {
    fn from(error: UnixSocketError) -> Self {
        if matches!(error, UnixSocketError::InUse(_)) { Self::RunsAlready } else { Self::Socket(error) }
    }
}
