//! Why a server with auth does not start, or keeps its old secrets at a reload.

use std::{io, path::PathBuf};

/// A mistake in the auth flags or in the files that they name. Where the reference program has a text for a case, this
/// is it. Never holds anything of a secret.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// A flag without the mode that it belongs to.
    #[error("websocket auth flags require `--ws-auth capability-token` or `--ws-auth signed-bearer-token`")]
    NoMode,
    /// No token to compare with.
    #[error("`--ws-token-file` or `--ws-token-sha256` is required when `--ws-auth capability-token` is set")]
    NoToken,
    /// Two tokens to compare with.
    #[error("`--ws-token-file` and `--ws-token-sha256` are mutually exclusive")]
    TwoTokens,
    /// Flags of the other mode.
    #[error(
        "`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and `--ws-max-clock-skew-seconds` require \
         `--ws-auth signed-bearer-token`"
    )]
    NotForCapabilityToken,
    /// Not a digest.
    #[error("--ws-token-sha256 must be a 64-character hex SHA-256 digest")]
    BadDigest,
    /// No secret to check signatures with.
    #[error("`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set")]
    NoSecret,
    /// Flags of the other mode.
    #[error(
        "`--ws-token-file` and `--ws-token-sha256` require `--ws-auth capability-token`, not `signed-bearer-token`"
    )]
    NotForSignedBearer,
    /// Over `i64`.
    #[error("websocket auth clock skew must fit in a signed 64-bit integer")]
    BadSkew,
    /// The file cannot be read.
    #[error("failed to read websocket auth secret {}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Not one line of ASCII text.
    #[error("websocket auth secret {} {fault}", path.display())]
    NotOneLine {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        fault: &'static str,
    },
    /// Nothing but white space.
    #[error("websocket auth secret {} must not be empty", .0.display())]
    Empty(PathBuf),
    /// Too easy to find by trying.
    #[error("signed websocket bearer secret {} must be at least 32 bytes", .0.display())]
    ShortSecret(PathBuf),
}
