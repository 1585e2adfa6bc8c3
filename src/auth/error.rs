//! Errors in the auth flags and their files.

use std::{io, path::PathBuf};

use app_server_actors::protocol::scope::UnknownScope;

/// Why a server with auth cannot start, or keeps its old secrets at a reload. The texts are the reference program's
/// where it has one; they contain nothing of a secret.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// A flag without its mode.
    #[error("websocket auth flags require `--ws-auth capability-token` or `--ws-auth signed-bearer-token`")]
    NoMode,
    /// No token is given.
    #[error("`--ws-token-file` or `--ws-token-sha256` is required when `--ws-auth capability-token` is set")]
    NoToken,
    /// Two tokens are given.
    #[error("`--ws-token-file` and `--ws-token-sha256` are mutually exclusive")]
    TwoTokens,
    /// Flags of the other mode are given.
    #[error(
        "`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and `--ws-max-clock-skew-seconds` require \
         `--ws-auth signed-bearer-token`"
    )]
    NotForCapabilityToken,
    /// The value is not a digest.
    #[error("--ws-token-sha256 must be a 64-character hex SHA-256 digest")]
    BadDigest,
    /// No secret is given.
    #[error("`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set")]
    NoSecret,
    /// Flags of the other mode are given.
    #[error(
        "`--ws-token-file` and `--ws-token-sha256` require `--ws-auth capability-token`, not `signed-bearer-token`"
    )]
    NotForSignedBearer,
    /// The value exceeds `i64`.
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
    /// `--ws-token-file` names a scope that there is not.
    #[error("--ws-token-file: {0}")]
    UnknownScope(#[from] UnknownScope),
    /// One token cannot have two lists of scopes.
    #[error("websocket auth secret {} is the token of another --ws-token-file too", .0.display())]
    SameToken(PathBuf),
    /// Not one line of ASCII text.
    #[error("websocket auth secret {} {fault}", path.display())]
    NotOneLine {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        fault: &'static str,
    },
    /// The file is empty or contains only white space.
    #[error("websocket auth secret {} must not be empty", .0.display())]
    Empty(PathBuf),
    /// The secret is too short.
    #[error("signed websocket bearer secret {} must be at least 32 bytes", .0.display())]
    ShortSecret(PathBuf),
}
