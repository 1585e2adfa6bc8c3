//! A server that is up, and the ways to reach it.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::client::Client;
use super::eventually;
use super::http;
use super::process::{Collected, Launch, Process};
use super::wire::{Stdio, Ws, patient};

enum Address {
    /// The pipes, until the one client has taken them.
    Stdio(Mutex<Option<Stdio>>),
    Unix(PathBuf),
    Tcp(SocketAddr),
}

/// A running server; ended by force when dropped.
pub struct Server {
    /// The process, to signal it and to watch it end.
    pub process: Process,
    /// Everything on stdout, for servers whose protocol is elsewhere.
    pub stdout: Option<Collected>,
    address: Address,
}

impl Server {
    /// Over stdio: it is ready when it is started, what is written waits in the pipe.
    pub fn stdio(launch: Launch) -> Self {
        let mut process = launch.spawn();
        let stdin = process.stdin.take().expect("stdin is a pipe");
        let stdout = process.stdout.take().expect("stdout is a pipe");
        Self { process, stdout: None, address: Address::Stdio(Mutex::new(Some(Stdio::new(stdin, stdout)))) }
    }

    /// Over the control socket of its home.
    pub fn unix(launch: Launch) -> Self {
        let path = launch.home().control_socket();
        Self::unix_at(launch.args(&["--listen", "unix://"]), path)
    }

    /// Over a Unix socket at `path`; the launch names it in its own way. Ready when the path takes a connection.
    pub fn unix_at(launch: Launch, path: PathBuf) -> Self {
        let mut process = launch.spawn();
        eventually("the unix socket takes connections", || {
            assert!(process.is_running(), "the server ended:\n{}", process.stderr.all());
            UnixStream::connect(&path).is_ok()
        });
        Self::listening(process, Address::Unix(path))
    }

    /// Over a TCP port of the system's choice. Ready when the banner names it.
    pub fn ws(launch: Launch) -> Self {
        Self::ws_at(launch, "ws://127.0.0.1:0")
    }

    /// Over TCP at `url`.
    pub fn ws_at(launch: Launch, url: &str) -> Self {
        let process = launch.args(&["--listen", url]).spawn();
        let address = process.stderr.wait_for("the banner", banner_address);
        Self::listening(process, Address::Tcp(address))
    }

    /// Over its control socket, a TCP port and stdio at once: the server on the socket, where the port is, and the client on
    /// stdio.
    pub fn everywhere(launch: Launch) -> (Self, SocketAddr, Client) {
        let path = launch.home().control_socket();
        let listen = ["--listen", "stdio://", "--listen", "unix://", "--listen", "ws://127.0.0.1:0"];
        let mut process = launch.args(&listen).spawn();
        let address = process.stderr.wait_for("the banner", banner_address);
        let stdin = process.stdin.take().expect("stdin is a pipe");
        let stdout = process.stdout.take().expect("stdout is a pipe");
        let stdio = Client::new(Box::new(Stdio::new(stdin, stdout)));
        eventually("the unix socket takes connections", || UnixStream::connect(&path).is_ok());
        (Self { process, stdout: None, address: Address::Unix(path) }, address, stdio)
    }

    fn listening(mut process: Process, address: Address) -> Self {
        let stdout = process.stdout.take().map(Collected::of);
        Self { process, stdout, address }
    }

    /// One more client (over stdio: the only one).
    pub fn connect(&self) -> Client {
        match &self.address {
            Address::Stdio(pipes) => {
                let pipes = pipes.lock().expect("no client panicked").take();
                Client::new(Box::new(pipes.expect("stdio has one client")))
            }
            Address::Unix(path) => Client::new(Box::new(Ws::upgrade(connect_unix(path)))),
            Address::Tcp(address) => Client::new(Box::new(Ws::upgrade(connect_tcp(*address)))),
        }
    }

    /// One more client that has shaken hands, with the experimental API.
    pub fn client(&self) -> Client {
        let mut client = self.connect();
        client.initialize();
        client
    }

    /// One more client over TCP that shows `token`, and has shaken hands.
    pub fn client_with_token(&self, token: &str) -> Client {
        let mut client = self.connect_with_token(token);
        client.initialize();
        client
    }

    /// One more client over TCP that shows `token`, on which nothing was said yet.
    pub fn connect_with_token(&self, token: &str) -> Client {
        let bearer = format!("Bearer {token}");
        Client::new(Box::new(Ws::upgrade_with(self.tcp_stream(), &[("authorization", &bearer)])))
    }

    /// The answer to an upgrade over TCP with these headers besides.
    pub fn answer_to_upgrade(&self, headers: &[(&str, &str)]) -> http::Response {
        let text = http::request("GET", "/", &[http::UPGRADE, headers].concat());
        http::exchange(&mut self.tcp_stream(), &text).expect("an answer")
    }

    /// A bare connection to the Unix socket.
    pub fn unix_stream(&self) -> UnixStream {
        match &self.address {
            Address::Unix(path) => connect_unix(path),
            _ => panic!("not a unix server"),
        }
    }

    /// A bare connection to the TCP port.
    pub fn tcp_stream(&self) -> TcpStream {
        connect_tcp(self.tcp_address())
    }

    /// The same from another address of this machine: another peer. All of 127.0.0.0/8 is ours.
    pub fn tcp_stream_from(&self, address: [u8; 4]) -> TcpStream {
        use rustix::net::{AddressFamily, SocketType, bind, connect, socket};
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&socket, &SocketAddr::from((address, 0))).expect("a loopback address");
        connect(&socket, &self.tcp_address()).expect("the listener takes it");
        patient(TcpStream::from(socket))
    }

    /// Where the TCP listener is.
    pub fn tcp_address(&self) -> SocketAddr {
        match &self.address {
            Address::Tcp(address) => *address,
            _ => panic!("not a TCP server"),
        }
    }

    /// Where the Unix socket is.
    pub fn socket_path(&self) -> &Path {
        match &self.address {
            Address::Unix(path) => path,
            _ => panic!("not a unix server"),
        }
    }
}

/// The address of the TCP listener in what a server has printed.
fn banner_address(text: &str) -> Option<SocketAddr> {
    // A line is whole once its line end is there.
    let rest = text.split_once("listening on: ws://")?.1;
    rest.split_once('\n')?.0.parse().ok()
}

/// A client on the Unix socket at `path` on which nothing was said yet.
pub fn connect_at(path: &Path) -> Client {
    Client::new(Box::new(Ws::upgrade(connect_unix(path))))
}

/// A client over TCP on which nothing was said yet.
pub fn connect_to(address: SocketAddr) -> Client {
    Client::new(Box::new(Ws::upgrade(connect_tcp(address))))
}

fn connect_unix(path: &Path) -> UnixStream {
    patient(UnixStream::connect(path).unwrap_or_else(|e| panic!("cannot connect to {}: {e}", path.display())))
}

fn connect_tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap_or_else(|e| panic!("cannot connect to {address}: {e}"));
    stream.set_nodelay(true).expect("a TCP socket takes the option");
    patient(stream)
}
