//! The flags that say who may connect over TCP. What they mean together is judged by [`crate::auth::AuthPlan`], with
//! the reference program's texts; clap judges each alone.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `--ws-auth` and what belongs to it. No flag takes a secret itself: other users can see the command line.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "WebSocket authentication (ws:// only)")]
pub struct AuthArguments {
    /// Asks every WebSocket client for a bearer token.
    #[arg(long, value_name = "MODE")]
    pub ws_auth: Option<AuthMode>,

    /// File with the token that clients must send (capability-token).
    #[arg(long, value_name = "PATH")]
    pub ws_token_file: Option<PathBuf>,

    /// SHA-256 digest, in hex, of the token that clients must send (capability-token).
    #[arg(long, value_name = "HEX")]
    pub ws_token_sha256: Option<String>,

    /// File with the secret that signs the clients' JWTs with HS256, at least 32 bytes (signed-bearer-token).
    #[arg(long, value_name = "PATH")]
    pub ws_shared_secret_file: Option<PathBuf>,

    /// The `iss` that a JWT must have (signed-bearer-token).
    #[arg(long, value_name = "ISSUER")]
    pub ws_issuer: Option<String>,

    /// The `aud` that a JWT must have (signed-bearer-token).
    #[arg(long, value_name = "AUDIENCE")]
    pub ws_audience: Option<String>,

    /// Seconds by which the clock of whoever issues JWTs may differ from ours; 30 if not given (signed-bearer-token).
    #[arg(long, value_name = "SECONDS")]
    pub ws_max_clock_skew_seconds: Option<u64>,
}

/// How clients show that they may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AuthMode {
    /// They know a token.
    CapabilityToken,
    /// They have a JWT from somebody who knows a secret.
    SignedBearerToken,
}
