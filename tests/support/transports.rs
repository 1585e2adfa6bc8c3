//! The table of transports: a promise about the protocol holds on each of them.

use std::path::Path;

use super::client::Client;
use super::in_process::InProcess;
use super::process::Launch;
use super::proxied::{self, Proxied};
use super::remote::Remote;
use super::server::Server;

/// A way to reach a server.
pub struct Transport {
    /// Its name in the output of a failing test.
    pub name: &'static str,
    /// True when several clients can share one server.
    pub shared: bool,
    /// True when a client has a wire of its own: any text reaches the server, from the first on, and a server that has
    /// enough to do does not read. A backend carries JSON-RPC messages only, those of all clients on one wire.
    pub own_wire: bool,
    start: fn(Settings) -> Box<dyn Serving>,
}

/// `app_server` settings that differ from the defaults: name and value.
pub type Settings = &'static [(&'static str, &'static str)];

/// A server that is up, wherever it runs.
pub trait Serving {
    /// A new connection on which nothing was said yet.
    fn connect(&self) -> Client;

    /// `CODEX_HOME`.
    fn codex_home(&self) -> &Path;

    /// A new connection that has shaken hands, with the experimental API.
    fn client(&self) -> Client {
        let mut client = self.connect();
        client.initialize();
        client
    }
}

impl Serving for Server {
    fn connect(&self) -> Client {
        Server::connect(self)
    }

    fn codex_home(&self) -> &Path {
        self.process.codex_home()
    }
}

/// Every transport there is.
pub fn transports() -> Vec<Transport> {
    vec![
        Transport {
            name: "stdio",
            shared: false,
            own_wire: true,
            start: |settings| Box::new(Server::stdio(launch(settings))),
        },
        Transport {
            name: "unix",
            shared: true,
            own_wire: true,
            start: |settings| Box::new(Server::unix(launch(settings))),
        },
        Transport {
            name: "ws",
            shared: true,
            own_wire: true,
            start: |settings| Box::new(Server::ws(launch(settings))),
        },
        Transport {
            name: "proxy jsonl",
            shared: true,
            own_wire: true,
            start: |settings| Box::new(Proxied::new(settings, proxied::lines)),
        },
        Transport {
            name: "proxy raw",
            shared: true,
            own_wire: true,
            start: |settings| Box::new(Proxied::new(settings, proxied::raw)),
        },
        Transport {
            name: "in-process",
            shared: true,
            own_wire: true,
            start: |settings| Box::new(InProcess::start(settings)),
        },
        Transport {
            name: "remote control",
            shared: true,
            own_wire: false,
            start: |settings| Box::new(Remote::start(settings)),
        },
    ]
}

fn launch(settings: Settings) -> Launch {
    with_settings(Launch::new(), settings)
}

/// The launch with these settings.
pub fn with_settings(launch: Launch, settings: Settings) -> Launch {
    settings.iter().fold(launch, |launch, (name, value)| launch.setting(name, value))
}

/// Checks a promise over every transport, each time with a fresh server.
pub fn over_every_transport(promise: impl Fn(&dyn Serving)) {
    over_every_transport_with(&[], promise);
}

/// The same about a server that can run commands, which one inside of the tests' own program cannot: it would have to be
/// started again as the launcher of a command.
pub fn over_every_transport_with_commands(promise: impl Fn(&dyn Serving)) {
    over_every_transport_with_commands_and(&[], promise);
}

/// The same with settings that differ from the defaults.
pub fn over_every_transport_with_commands_and(settings: Settings, promise: impl Fn(&dyn Serving)) {
    over(|transport| transport.name != "in-process", settings, promise);
}

/// The same with settings that differ from the defaults.
pub fn over_every_transport_with(settings: Settings, promise: impl Fn(&dyn Serving)) {
    over(|_| true, settings, promise);
}

/// Checks a promise about several clients over every transport that they can share.
pub fn over_every_shared_transport(promise: impl Fn(&dyn Serving)) {
    over_every_shared_transport_with(&[], promise);
}

/// The same with settings that differ from the defaults.
pub fn over_every_shared_transport_with(settings: Settings, promise: impl Fn(&dyn Serving)) {
    over(|transport| transport.shared, settings, promise);
}

/// Checks a promise that only a client with a wire of its own can be given, over every transport that has such.
pub fn over_every_wire(promise: impl Fn(&dyn Serving)) {
    over(|transport| transport.own_wire, &[], promise);
}

/// The same about several clients.
pub fn over_every_shared_wire(promise: impl Fn(&dyn Serving)) {
    over(|transport| transport.own_wire && transport.shared, &[], promise);
}

fn over(wanted: impl Fn(&Transport) -> bool, settings: Settings, promise: impl Fn(&dyn Serving)) {
    for transport in transports().into_iter().filter(wanted) {
        // Printed only when the test fails: the last line names the transport that broke the promise.
        eprintln!("over {}", transport.name);
        promise(&*(transport.start)(settings));
    }
}
