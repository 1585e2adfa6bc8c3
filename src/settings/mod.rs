//! What the operator can set. `config/default.toml` says what each setting means and why it has its default.

mod layers;
mod print;

use std::{num::NonZeroU32, path::Path, time::Duration};

use app_server_actors::{
    limits::Limits, model::ModelSettings, remote_control::RemoteControlSettings, remote_link::RemoteLinkLimits,
};
use serde::Deserialize;

pub use layers::{Effective, Origin, SettingsError};

use crate::cli::Override;

/// The file in `$CODEX_HOME` that overrides the built-in defaults.
pub const FILE_NAME: &str = "app-server.toml";

/// Every setting, complete.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Bounds of the actors.
    pub limits: Limits,
    /// The Unix socket and the TCP listener.
    pub http: Http,
    /// Who may connect over TCP.
    pub auth: Auth,
    /// How this host is reachable from elsewhere.
    pub remote_control: RemoteControlSettings,
    /// Bounds of the socket to the remote-control backend and of its streams.
    pub remote_link: RemoteLinkLimits,
    /// Bounds and times of calls to models.
    pub model: ModelSettings,
    /// How the process starts.
    pub startup: Startup,
    /// How the process ends.
    pub shutdown: Shutdown,
    /// What is logged, and how.
    pub log: Log,
}

/// The HTTP server below the WebSocket clients.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Threads that serve sockets.
    pub workers: usize,
    /// Open connections of clients.
    pub max_connections: usize,
    /// Connections above every limit, for probes and refusals.
    pub reserved_connections: usize,
    /// Of those, connections of one TCP peer.
    pub max_connections_per_address: usize,
    /// Bytes of the head of a request.
    pub request_head_bytes: usize,
    /// Addresses and networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Names and addresses that `Host` may say besides those of this machine.
    pub allowed_hosts: Vec<String>,
    /// Seconds for the head of a request.
    pub client_request_timeout_seconds: u64,
    /// Seconds between two requests on one connection.
    pub keep_alive_seconds: u64,
}

/// Who may connect over TCP, beyond what the command line says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Wrong tokens of one peer address at once.
    pub failed_attempts_burst: NonZeroU32,
    /// Wrong tokens of one peer address in the long run.
    pub failed_attempts_per_minute: NonZeroU32,
    /// Close a connection when its JWT expires.
    pub close_on_token_expiry: bool,
}

/// How the process starts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Startup {
    /// Seconds to wait for another starting server.
    pub lock_seconds: u64,
    /// Raise the soft limit of open files to the hard one.
    pub raise_open_files: bool,
}

/// How the process ends.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shutdown {
    /// Seconds for running work.
    pub drain_seconds: u64,
    /// Seconds for the clients' last messages and close frames.
    pub close_seconds: u64,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// In the syntax of `RUST_LOG`.
    pub filter: String,
    /// One JSON object a line.
    pub json: bool,
    /// Bytes that wait for whoever reads stderr.
    pub queue_bytes: usize,
}

impl Http {
    /// [`Self::client_request_timeout_seconds`] as a duration.
    pub fn client_request_timeout(&self) -> Duration {
        Duration::from_secs(self.client_request_timeout_seconds)
    }

    /// [`Self::keep_alive_seconds`] as a duration.
    pub fn keep_alive(&self) -> Duration {
        Duration::from_secs(self.keep_alive_seconds)
    }
}

impl Startup {
    /// [`Self::lock_seconds`] as a duration.
    pub fn lock(&self) -> Duration {
        Duration::from_secs(self.lock_seconds)
    }
}

impl Shutdown {
    /// [`Self::drain_seconds`] as a duration.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    /// [`Self::close_seconds`] as a duration.
    pub fn close(&self) -> Duration {
        Duration::from_secs(self.close_seconds)
    }
}

impl Settings {
    /// The settings in force for the server of `codex_home`: built-in default, then `app-server.toml`, then
    /// `RUST_LOG` and `LOG_FORMAT`, then the command line. The last one that names a setting wins.
    pub fn load(codex_home: &Path, overrides: &[Override]) -> Result<Effective, SettingsError> {
        let mut effective = Effective::built_in()?;
        effective.overlay_file(&codex_home.join(FILE_NAME))?;
        effective.overlay_environment(|name| std::env::var(name).ok())?;
        effective.overlay_command_line(overrides)?;
        Ok(effective)
    }
    /// Whether `new` changes a setting that only a start takes over.
    pub fn needs_restart_for(&self, new: &Self) -> bool {
        Self { log: self.log.clone(), shutdown: self.shutdown.clone(), ..new.clone() } != *self
    }
}
