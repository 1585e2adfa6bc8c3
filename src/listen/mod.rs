//! Where clients connect: opened before the first actor starts, served by [`crate::server`].

mod stdio;
mod tcp;
mod unix;
mod url;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

pub use self::{
    stdio::{Input, Output, open as open_stdio},
    tcp::TcpError,
    unix::{ControlSocket, SocketFile, UnixSocketError, startup_lock},
    url::{CONTROL_DIRECTORY, ListenUrl, ListenUrlError, control_socket},
};

/// A way in for clients.
#[derive(Debug)]
pub enum Listener {
    /// The one client on stdin and stdout.
    Stdio,
    /// Any number of WebSocket clients of this user.
    Unix(ControlSocket),
    /// Any number of WebSocket clients that can reach the address.
    Tcp(TcpListener),
    /// Nobody from here.
    None,
}

/// Why there is no way in.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// `off` without remote control. The text is the reference program's.
    #[error("no transport configured; use --listen or enable remote control")]
    NoTransport,
    /// The Unix socket.
    #[error(transparent)]
    Unix(#[from] UnixSocketError),
    /// The TCP address.
    #[error(transparent)]
    Tcp(#[from] TcpError),
}

impl Listener {
    /// Opens what `url` names; an address that other machines reach only when clients are `authenticated`. Waits up to
    /// `wait` for another server that is just starting on the same socket.
    pub async fn open(
        url: &ListenUrl,
        authenticated: bool,
        codex_home: &Path,
        wait: Duration,
    ) -> Result<Self, ListenError> {
        match url {
            ListenUrl::Stdio => Ok(Self::Stdio),
            ListenUrl::Unix(path) => Ok(Self::Unix(ControlSocket::bind(path, codex_home, wait).await?)),
            ListenUrl::WebSocket(address) => Ok(Self::Tcp(tcp::bind(*address, authenticated)?)),
            ListenUrl::Off => Ok(Self::None),
        }
    }

    /// The files by which clients connect; whoever may open one has all rights of the server.
    pub fn sockets(&self) -> Vec<PathBuf> {
        match self {
            Self::Unix(socket) => vec![socket.file.path().to_owned()],
            Self::Stdio | Self::Tcp(_) | Self::None => Vec::new(),
        }
    }

    /// Tells the operator, and clients that spawned this process, where to connect. Only TCP needs telling.
    pub fn announce(&self) {
        match self {
            Self::Tcp(listener) => tcp::announce(listener),
            Self::Unix(socket) => log::info!("listening on unix://{}", socket.file.path().display()),
            Self::Stdio | Self::None => {}
        }
    }
}
