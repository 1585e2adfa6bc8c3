//! Why the relay does not run.

use std::{io, net::SocketAddr};

use super::tls;

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
    /// The HTTP server ended by itself.
    #[error("the relay's HTTP server stopped by itself: {0}")]
    Stopped(io::Error),
}
