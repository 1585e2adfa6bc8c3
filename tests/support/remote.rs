//! A server that dials out to a backend, and is reached through it.

use std::path::Path;

use super::backend::Backend;
use super::client::Client;
use super::home::Home;
use super::process::{Launch, Process};
use super::server::Server;
use super::transports::{Serving, Settings, with_settings};

/// How to run the binary in `home` with remote control enabled. It comes back quickly after a failure.
pub fn launch(backend: &Backend, home: &Home) -> Launch {
    plain_launch(backend, home).arg("--remote-control")
}

/// The same without anything that enables it.
pub fn plain_launch(backend: &Backend, home: &Home) -> Launch {
    Launch::at(home)
        .env("CODEX_REFRESH_TOKEN_URL_OVERRIDE", &backend.token_url())
        .setting("remote_control.backoff_first_milliseconds", 10)
        .setting("remote_control.backoff_most_milliseconds", 40)
        .setting("remote_control.retry_jitter_milliseconds", 1)
}

/// A backend, and a server with a control socket that is connected to it.
pub fn shared() -> (Server, Backend) {
    shared_with(&[])
}

/// The same with settings that differ from the defaults.
pub fn shared_with(settings: Settings) -> (Server, Backend) {
    let backend = Backend::start();
    let server = Server::unix(with_settings(launch(&backend, &backend.home()), settings));
    backend.wait_for_host(1);
    (server, backend)
}

/// A server that can be reached in no other way.
pub struct Remote {
    process: Process,
    backend: Backend,
}

impl Remote {
    /// With a backend and a home of its own.
    pub fn start(settings: Settings) -> Self {
        let backend = Backend::start();
        let launch = with_settings(launch(&backend, &backend.home()), settings);
        let process = launch.args(&["--listen", "off"]).spawn();
        backend.wait_for_host(1);
        Self { process, backend }
    }
}

impl Serving for Remote {
    fn connect(&self) -> Client {
        self.backend.controller().into_client()
    }

    fn codex_home(&self) -> &Path {
        self.process.codex_home()
    }
}
