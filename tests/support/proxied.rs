//! A server on its control socket that clients reach through `proxy`, each through a process of its own.

use std::os::unix::net::UnixStream;
use std::path::Path;

use super::client::Client;
use super::process::Launch;
use super::server::Server;
use super::transports::{Serving, Settings, with_settings};
use super::wire::{Stdio, Through, Ws};

/// Such a server.
pub struct Proxied {
    server: Server,
    settings: Settings,
    connect: fn(Launch) -> Client,
}

impl Proxied {
    /// Starts a server whose clients `connect` by launching the proxy.
    pub fn new(settings: Settings, connect: fn(Launch) -> Client) -> Self {
        Self { server: Server::unix(with_settings(Launch::new(), settings)), settings, connect }
    }
}

impl Serving for Proxied {
    fn connect(&self) -> Client {
        let launch = with_settings(Launch::at(self.server.process.home()), self.settings);
        (self.connect)(launch.arg("proxy"))
    }

    fn codex_home(&self) -> &Path {
        self.server.process.codex_home()
    }
}

/// A client that writes lines of JSON.
pub fn lines(launch: Launch) -> Client {
    let mut process = launch.spawn();
    let (stdin, stdout) = (process.stdin.take().expect("a pipe"), process.stdout.take().expect("a pipe"));
    Client::new(Box::new(Through::new(process, Stdio::new(stdin, stdout))))
}

/// A client that speaks WebSocket itself.
pub fn raw(launch: Launch) -> Client {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let process = launch.spawn_on(theirs);
    Client::new(Box::new(Through::new(process, Ws::upgrade(ours))))
}
