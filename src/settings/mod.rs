//! The settings of the operator. `config/default.toml` explains each of them and its default.

mod error;
mod layers;
mod print;
mod ranges;

use std::{env::VarError, num::NonZeroU32, path::Path};

use app_server_actors::{
    limits::{Limits, Milliseconds, Seconds},
    mcp::McpLimits,
    model::ModelSettings,
    protocol::scope::Scopes,
    relay::RelaySettings,
    remote_control::RemoteControlSettings,
    remote_link::RemoteLinkLimits,
    traces::TraceSettings,
    turn::TurnLimits,
};
use serde::Deserialize;

pub use self::{
    error::{Origin, SettingsError},
    layers::Effective,
};

use crate::{
    cli::{Override, VARIABLE},
    logging::LogSettings,
};

/// The file in `$CODEX_HOME` that overrides the built-in defaults.
pub const FILE_NAME: &str = "app-server.toml";

/// All settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Bounds of the actors.
    pub limits: Limits,
    /// Bounds of turns.
    pub turns: TurnLimits,
    /// Bounds of MCP servers.
    pub mcp: McpLimits,
    /// The Unix socket and the TCP listener.
    pub http: Http,
    /// Authentication of clients on TCP.
    pub auth: Auth,
    /// The listener of operators.
    pub admin: Admin,
    /// Signing in in a browser.
    pub sign_in: SignIn,
    /// Remote control.
    pub remote_control: RemoteControlSettings,
    /// Bounds of the socket to the remote-control backend and of its streams.
    pub remote_link: RemoteLinkLimits,
    /// The relay.
    pub relay: RelaySettings,
    /// Bounds and times of calls to models.
    pub model: ModelSettings,
    /// Starting the server.
    pub startup: Startup,
    /// Ending the server.
    pub shutdown: Shutdown,
    /// Traces.
    pub traces: TraceSettings,
    /// Logging.
    pub log: LogSettings,
}

/// The HTTP server behind the Unix socket and the TCP listener.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Threads that serve sockets.
    pub workers: usize,
    /// Open connections of clients.
    pub max_connections: usize,
    /// Connections above every limit, for probes and refusals.
    pub reserved_connections: usize,
    /// Maximum number of those connections from one TCP peer.
    pub max_connections_per_address: usize,
    /// Largest request head, in bytes.
    pub request_head_bytes: usize,
    /// Addresses and networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Host names and addresses that are served besides those of this machine.
    pub allowed_hosts: Vec<String>,
    /// Time for the head of a request, in seconds.
    pub client_request_timeout_seconds: Seconds,
    /// Time between two requests on one connection, in seconds.
    pub keep_alive_seconds: Seconds,
    /// `/readyz` says 503 while changes cannot be saved.
    pub readiness_needs_store: bool,
}

/// Authentication of clients on TCP, in addition to the command line.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Wrong tokens that one peer may send at once.
    pub failed_attempts_burst: NonZeroU32,
    /// Wrong tokens per minute that one peer may send in the long run.
    pub failed_attempts_per_minute: NonZeroU32,
    /// Close a connection when its JWT expires.
    pub close_on_token_expiry: bool,
    /// What a client may do whose JWT names no scopes.
    pub default_scopes: Scopes,
}

/// The listener of operators.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Open connections of scrapers and pages.
    pub max_connections: usize,
    /// Lines of the log that the page shows.
    pub log_lines: usize,
}

/// Signing in in a browser.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The port on 127.0.0.1 that a browser comes back to.
    pub port: u16,
    /// The one for when that is in use.
    pub fallback_port: u16,
    /// Time to wait for each of them, in milliseconds.
    pub port_milliseconds: Milliseconds,
    /// Time that a user has, in seconds.
    pub browser_seconds: Seconds,
    /// Connections to such a port that are served at a time.
    pub connections: usize,
    /// Time for the request of a browser, in seconds.
    pub request_seconds: Seconds,
}

/// Starting the server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Startup {
    /// Time to wait for another starting server, in seconds.
    pub lock_seconds: Seconds,
    /// Time for the next server to become ready when this one hands its sockets over, in seconds.
    pub take_over_seconds: Seconds,
    /// Time between looks for other servers of the same `$CODEX_HOME`, in seconds.
    pub neighbour_check_seconds: Seconds,
    /// Raise the soft limit of open files to the hard one.
    pub raise_open_files: bool,
}

/// Ending the server.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    /// Time for running work, in seconds.
    pub drain_seconds: Seconds,
    /// Time for the clients' last messages and close frames, in seconds.
    pub close_seconds: Seconds,
    /// Time in which a repeated signal is the same one, in milliseconds.
    pub repeat_milliseconds: Milliseconds,
}

impl Settings {
    /// Loads the settings of a server of `codex_home` from the built-in defaults, `app-server.toml`, the environment,
    /// and the command line. Later layers override earlier ones.
    pub fn load(codex_home: &Path, overrides: &[Override]) -> Result<Effective, SettingsError> {
        let mut effective = Effective::built_in()?;
        effective.overlay_file(&codex_home.join(FILE_NAME))?;
        if matches!(std::env::var(VARIABLE), Err(VarError::NotUnicode(_))) {
            return Err(SettingsError::NoAssignment("the value is not UTF-8".to_owned()));
        }
        effective.overlay_environment(|name| std::env::var(name).ok())?;
        effective.overlay_command_line(overrides)?;
        Ok(effective)
    }
}
