//! The level of the protocol.

/// The level of the `codex app-server` API that this server speaks, announced in the user agent and by `--version`.
pub const API_VERSION: &str = "0.171.0";
