//! The server under load, and the door to it.

use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::client::Client;
use crate::gauges::Gauges;
use crate::process::{self, Contestant, Launcher, SOCKET, Transport};
use crate::support::process::Launch;
use crate::support::server::Server;

/// A running server and how to reach it.
pub struct Served {
    pub server: Server,
    pub door: Door,
}

/// Starts a server on a certain socket.
type Start = fn(Launch) -> Served;

/// The two sockets.
pub const SOCKETS: [(&str, Start); 2] = [("unix", Served::unix), ("TCP", Served::tcp)];

impl Served {
    /// Over its control socket.
    pub fn unix(launch: Launch) -> Self {
        let server = Server::unix(launch);
        let door = Door::Unix(server.socket_path().to_owned());
        Self { server, door }
    }

    /// Over TCP.
    pub fn tcp(launch: Launch) -> Self {
        let server = Server::ws(launch);
        let door = Door::Tcp(server.tcp_address());
        Self { server, door }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.server.process.id()
    }

    /// What it holds now.
    pub fn gauges(&self) -> Result<Gauges> {
        Gauges::of(self.id())
    }
}

/// The bare echo on its Unix socket, until it is dropped: what this machine and these clients can do at best.
pub struct BareEcho {
    pub door: Door,
    _process: process::Server,
}

impl BareEcho {
    /// Returns when its door is open.
    pub fn start() -> Result<Self> {
        let home = Arc::new(tempfile::tempdir()?);
        let door = Door::Unix(home.path().join(SOCKET));
        let mut process = Launcher::new(std::env::current_exe()?)?.start_in(home, Contestant::Echo, Transport::Unix)?;
        drop(process.connect()?);
        Ok(Self { door, _process: process })
    }
}

/// Where clients connect.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Door {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

impl Door {
    /// An upgraded connection.
    pub fn enter(&self) -> Result<Client> {
        let mut client = match self {
            Self::Unix(path) => Client::over_unix(path)?,
            Self::Tcp(address) => Client::over_tcp(*address)?,
        };
        client.upgrade("/")?;
        Ok(client)
    }

    /// A connection that has shaken hands.
    pub fn client(&self) -> Result<Client> {
        let mut client = self.enter()?;
        client.initialize()?;
        Ok(client)
    }

    /// The same from the loopback address `127.0.0.NUMBER`: each has ports of its own, and a closed connection occupies
    /// one for a minute. Over the Unix socket all are alike.
    pub fn client_from(&self, number: u8) -> Result<Client> {
        use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
        let Self::Tcp(address) = self else { return self.client() };
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        bind(&socket, &SocketAddr::from(([127, 0, 0, number], 0)))?;
        connect(&socket, address)?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        let mut client = Client::over_socket(stream.into());
        client.upgrade("/")?;
        client.initialize()?;
        Ok(client)
    }
}
