//! The flags for the authentication of clients on TCP. clap checks each flag alone; [`crate::auth::AuthPlan`] checks
//! their combination, with the reference program's texts.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `--ws-auth` and its companions. No flag takes a secret itself, because other users can read the command line.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "WebSocket authentication (ws:// only)")]
pub struct AuthArguments {
    /// Requires a bearer token from every WebSocket client.
    #[arg(long, value_name = "MODE")]
    pub ws_auth: Option<AuthMode>,

    /// File with a token (capability-token), repeatable.
    ///
    /// SCOPES are the rights of clients with this token, separated by commas: `observe`, `converse`, `files` and
    /// `admin`. Without SCOPES they have all rights.
    #[arg(long, value_name = "[SCOPES:]PATH")]
    pub ws_token_file: Vec<PathBuf>,

    /// SHA-256 digest of the token, in hex (capability-token).
    #[arg(long, value_name = "HEX")]
    pub ws_token_sha256: Option<String>,

    /// File with the HS256 secret of at least 32 bytes that signs the JWTs (signed-bearer-token).
    #[arg(long, value_name = "PATH")]
    pub ws_shared_secret_file: Option<PathBuf>,

    /// Required `iss` claim of the JWT (signed-bearer-token).
    #[arg(long, value_name = "ISSUER")]
    pub ws_issuer: Option<String>,

    /// Required `aud` claim of the JWT (signed-bearer-token).
    #[arg(long, value_name = "AUDIENCE")]
    pub ws_audience: Option<String>,

    /// Tolerated difference between the clocks of issuer and server [default: 30] (signed-bearer-token).
    #[arg(long, value_name = "SECONDS")]
    pub ws_max_clock_skew_seconds: Option<u64>,
}

/// How clients authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AuthMode {
    /// By a shared token.
    CapabilityToken,
    /// By a JWT that is signed with a shared secret.
    SignedBearerToken,
}
