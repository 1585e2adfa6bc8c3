//! Sockets that this process was started with: by a supervisor (socket activation of systemd), or by the server before it,
//! which hands its sockets over.

use std::{
    fmt, io,
    net::{SocketAddr, TcpListener},
    os::{
        fd::AsFd,
        unix::net::{SocketAddr as UnixAddr, UnixListener},
    },
    path::{Path, PathBuf},
};

use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;

use super::{AdminUrl, ListenUrl, unix::reachable};

/// The variable by which a server tells the next one that it takes the sockets over. Its value lists the numbers of the
/// sockets whose files the next one removes when it ends, and that of the admin listener, such as `0,2,admin=2`; the files
/// of a supervisor stay.
pub const TAKE_OVER: &str = "CODEX_APP_SERVER_TAKE_OVER";

/// In front of the number of the admin listener.
pub const ADMIN: &str = "admin=";

/// Most sockets that are taken: more than anybody listens on.
const MOST: usize = 64;

/// The sockets, until the listeners have taken them.
#[derive(Debug, Default)]
pub struct Inherited {
    sockets: Vec<Socket>,
    admin: Option<Socket>,
    unusable: Option<InheritedError>,
}

/// One that has another purpose than serving clients.
#[derive(Debug)]
pub struct InheritedSocket(pub(super) Socket);

/// One of them.
#[derive(Debug)]
pub(super) enum Socket {
    Unix { listener: UnixListener, path: PathBuf, is_ours: bool },
    Tcp { listener: TcpListener, address: SocketAddr },
}

/// A socket that this process was started with cannot be served.
#[derive(Debug, thiserror::Error)]
#[error(
    "the inherited socket {number} (LISTEN_FDS) cannot be served: {why}; expected a listening stream socket on a path or \
     an IP address (ListenStream= of a socket unit, without Accept=yes)"
)]
pub struct InheritedError {
    number: usize,
    why: String,
}

impl Inherited {
    /// Takes the sockets that the environment speaks of. Call it once, before another thread starts: it removes the
    /// variables.
    pub fn take() -> Self {
        let handed = std::env::var(TAKE_OVER).unwrap_or_default();
        let is_handed = |what: String| handed.split(',').any(|it| it == what);
        let mut inherited = Self::default();
        let count = std::env::var("LISTEN_FDS").unwrap_or_default();
        if !count.is_empty() && !count.parse().is_ok_and(|count: usize| count <= MOST) {
            let why = format!("LISTEN_FDS is {count}, which is no number up to {MOST}");
            inherited.unusable = Some(InheritedError { number: 0, why });
            return inherited;
        }
        let mut found = ListenFd::from_env();
        for number in 0..found.len() {
            match Socket::take(&mut found, number, is_handed(number.to_string())) {
                Ok(socket) if is_handed(format!("{ADMIN}{number}")) => inherited.admin = Some(socket),
                Ok(socket) => inherited.sockets.push(socket),
                Err(why) => {
                    inherited.unusable.get_or_insert(InheritedError { number, why: why.to_string() });
                }
            }
        }
        inherited
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sockets.is_empty() && self.unusable.is_none()
    }

    /// Whether clients come over TCP.
    pub fn has_tcp(&self) -> bool {
        self.sockets.iter().any(|socket| matches!(socket, Socket::Tcp { .. }))
    }

    /// The socket of the admin listener of the server before this one.
    pub fn take_admin(&mut self) -> Option<InheritedSocket> {
        self.admin.take().map(InheritedSocket)
    }

    /// # Errors
    /// One of the sockets cannot be served.
    pub(super) fn check(&mut self) -> Result<(), InheritedError> {
        self.unusable.take().map_or(Ok(()), Err)
    }

    /// The socket at the address of `url`.
    pub(super) fn at(&mut self, url: &ListenUrl) -> Option<Socket> {
        let found = self.sockets.iter().position(|socket| socket.is_at(url))?;
        Some(self.sockets.swap_remove(found))
    }

    /// Those that are left.
    pub(super) fn rest(&mut self) -> Vec<Socket> {
        std::mem::take(&mut self.sockets)
    }
}

impl Socket {
    fn take(found: &mut ListenFd, number: usize, is_ours: bool) -> io::Result<Self> {
        if let Ok(Some(listener)) = found.take_unix_listener(number) {
            must_listen(&listener)?;
            let address = listener.local_addr()?;
            let path = address.as_pathname().map(Path::to_owned);
            let path =
                path.ok_or_else(|| io::Error::other(format!("its address {} is not a path", Shown(&address))))?;
            return Ok(Self::Unix { listener, path, is_ours });
        }
        let listener = found.take_tcp_listener(number)?;
        let listener = listener.ok_or_else(|| io::Error::other("it is not there"))?;
        must_listen(&listener)?;
        let address = listener.local_addr()?;
        Ok(Self::Tcp { listener, address })
    }

    /// Port 0 means any port.
    fn is_at(&self, url: &ListenUrl) -> bool {
        match (self, url) {
            (Self::Unix { path, .. }, ListenUrl::Unix(wanted)) => reachable(wanted).is_ok_and(|bound| *path == bound),
            (Self::Tcp { address, .. }, ListenUrl::WebSocket(wanted)) => {
                address == wanted || (wanted.port() == 0 && address.ip() == wanted.ip())
            }
            _ => false,
        }
    }

    /// The same for the admin listener.
    pub(super) fn is_at_admin(&self, url: &AdminUrl) -> bool {
        match url {
            AdminUrl::Unix(path) => self.is_at(&ListenUrl::Unix(path.clone())),
            AdminUrl::Http(address) => self.is_at(&ListenUrl::WebSocket(*address)),
        }
    }
}

fn must_listen(socket: impl AsFd) -> io::Result<()> {
    if socket_acceptconn(socket)? { Ok(()) } else { Err(io::Error::other("it is a connection, and not a listener")) }
}

/// An address of a Unix socket in words.
struct Shown<'a>(&'a UnixAddr);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_unnamed() { f.write_str("(none)") } else { write!(f, "{:?}", self.0) }
    }
}
