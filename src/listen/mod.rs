//! The listeners: opened before the first actor starts, served by [`crate::server`].

mod other_users;
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
    unix::{ControlSocket, SocketFile, UnixSocketError, is_starting, reachable, startup_lock},
    url::{CONTROL_DIRECTORY, ListenUrl, ListenUrlError, control_socket},
};

/// A listener.
#[derive(Debug)]
pub enum Listener {
    /// One client on stdin and stdout.
    Stdio,
    /// WebSocket clients of this user.
    Unix(ControlSocket),
    /// WebSocket clients that can reach the address.
    Tcp(TcpListener),
    /// No listener.
    None,
}

/// Why a listener cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// `off` without remote control. The text begins as the reference program's.
    #[error(
        "no transport configured: with `--listen off` clients could come by remote control only; add --remote-control, \
         or choose another --listen"
    )]
    NoTransport,
    /// The Unix socket failed.
    #[error(transparent)]
    Unix(#[from] UnixSocketError),
    /// The TCP listener failed.
    #[error(transparent)]
    Tcp(#[from] TcpError),
}

impl Listener {
    /// Opens the listener that `url` names. An address that other machines can reach requires `authenticated`. Waits up
    /// to `wait` for another server that is starting on the same socket.
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

    /// The socket files of the listener. A program that can open one has all rights of the server.
    pub fn sockets(&self) -> Vec<PathBuf> {
        match self {
            Self::Unix(socket) => vec![socket.file.path().to_owned()],
            Self::Stdio | Self::Tcp(_) | Self::None => Vec::new(),
        }
    }

    /// The URL at which everybody on this machine has all rights of the server, unless clients are `authenticated`.
    pub fn open_door(&self, authenticated: bool) -> Option<String> {
        match self {
            Self::Tcp(listener) if !authenticated => {
                listener.local_addr().ok().map(|address| format!("ws://{address}"))
            }
            _ => None,
        }
    }

    /// Prints the address on stderr, for the operator and for clients that spawned this process, and whether clients are
    /// `authenticated`.
    pub fn announce(&self, authenticated: bool) {
        match self {
            Self::Tcp(listener) => tcp::announce(listener, authenticated),
            Self::Unix(socket) => {
                let message = format!("listening on unix://{}", socket.file.path().display());
                let message = crate::terminal::shown(&message);
                crate::logging::say(&message, &format!("codex app-server (Unix socket)\n  {message}\n"));
            }
            Self::Stdio | Self::None => {}
        }
    }
}
