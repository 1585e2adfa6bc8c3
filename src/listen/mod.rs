//! The listeners: opened before the first actor starts, served by [`crate::server`].

mod admin;
mod inherited;
mod other_users;
mod relay;
mod stdio;
mod tcp;
mod together;
mod unix;
mod url;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    time::Duration,
};

use self::inherited::Socket;
pub use self::{
    admin::{AdminError, AdminListener, AdminUrl},
    inherited::{ADMIN, Inherited, InheritedError, InheritedSocket, TAKE_OVER},
    relay::{PublicUrl, RelayAddress},
    stdio::{Input, Output, leave as leave_stdio, open as open_stdio},
    tcp::TcpError,
    together::{NotTogether, check_together},
    unix::{ControlSocket, SocketFile, UnixSocketError, is_starting, reachable, startup_lock},
    url::{CONTROL_DIRECTORY, ListenUrl, ListenUrlError, control_socket},
};

/// Everything that a server listens on.
#[derive(Debug, Default)]
pub struct Listeners {
    /// One client on stdin and stdout.
    pub stdio: bool,
    /// WebSocket clients of this user.
    pub unix: Vec<ControlSocket>,
    /// WebSocket clients that can reach the address.
    pub tcp: Vec<TcpListener>,
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
    /// A socket that this process was started with.
    #[error(transparent)]
    Inherited(#[from] InheritedError),
}

impl Listeners {
    /// Opens what `urls` name; without any, what this process was started with, or stdio. An `inherited` socket takes the
    /// place of the URL with its address; one that no URL names is served, too. An address that other machines can reach
    /// requires `authenticated`. Waits up to `wait` for another server that is starting on the same socket.
    ///
    /// # Errors
    /// One cannot be opened. Those that were opened before are closed again.
    pub async fn open(
        urls: &[ListenUrl],
        mut inherited: Inherited,
        authenticated: bool,
        codex_home: &Path,
        wait: Duration,
    ) -> Result<Self, ListenError> {
        let mut listeners = Self { stdio: urls.is_empty() && inherited.is_empty(), ..Self::default() };
        inherited.check()?;
        for url in urls {
            match (url, inherited.at(url)) {
                (_, Some(socket)) => listeners.adopt(socket, Some(url), authenticated)?,
                (ListenUrl::Stdio, None) => listeners.stdio = true,
                (ListenUrl::Unix(path), None) => {
                    listeners.unix.push(ControlSocket::bind(path, codex_home, wait).await?);
                }
                (ListenUrl::WebSocket(address), None) => listeners.tcp.push(tcp::bind(*address, authenticated)?),
                (ListenUrl::Off, None) => {}
            }
        }
        for socket in inherited.rest() {
            listeners.adopt(socket, None, authenticated)?;
        }
        Ok(listeners)
    }

    fn adopt(&mut self, socket: Socket, named: Option<&ListenUrl>, authenticated: bool) -> Result<(), ListenError> {
        match socket {
            Socket::Unix { listener, path, is_ours } => {
                let requested = if let Some(ListenUrl::Unix(requested)) = named { requested } else { &path };
                self.unix.push(ControlSocket::adopt(listener, &path, requested, is_ours)?);
            }
            Socket::Tcp { listener, address } => {
                tcp::check(address, authenticated)?;
                self.tcp.push(listener);
            }
        }
        Ok(())
    }

    /// The server that had the sockets before has ended: from now on their files are this one's, as they were its.
    pub fn claim_files(&mut self) {
        self.unix.iter_mut().for_each(|socket| socket.file.claim());
    }

    /// Whether the one client on stdio is the only one there can be, except by remote control.
    pub fn is_stdio_alone(&self) -> bool {
        self.stdio && self.unix.is_empty() && self.tcp.is_empty()
    }

    /// The socket files. A program that can open one has all rights of the server.
    pub fn sockets(&self) -> Vec<PathBuf> {
        self.unix.iter().map(|socket| socket.file.path().to_owned()).collect()
    }

    /// The URLs, with real ports.
    pub fn urls(&self) -> Vec<String> {
        let stdio = self.stdio.then_some(ListenUrl::Stdio);
        let unix = self.unix.iter().map(|socket| ListenUrl::Unix(socket.file.path().to_owned()));
        let tcp = self.tcp.iter().filter_map(|listener| listener.local_addr().ok()).map(ListenUrl::WebSocket);
        stdio.into_iter().chain(unix).chain(tcp).map(|url| url.to_string()).collect()
    }

    /// The URL at which everybody on this machine has all rights of the server, unless clients are `authenticated`.
    pub fn open_door(&self, authenticated: bool) -> Option<String> {
        let address = self.tcp.first().filter(|_| !authenticated)?.local_addr().ok()?;
        Some(ListenUrl::WebSocket(address).to_string())
    }

    /// Prints the addresses on stderr, for the operator and for clients that spawned this process, and whether clients are
    /// `authenticated`.
    pub fn announce(&self, authenticated: bool) {
        for socket in &self.unix {
            let message = format!("listening on unix://{}", socket.file.path().display());
            let message = crate::terminal::shown(&message);
            crate::logging::say(&message, &format!("codex app-server (Unix socket)\n  {message}\n"));
        }
        for listener in &self.tcp {
            tcp::announce(listener, authenticated);
        }
    }
}
