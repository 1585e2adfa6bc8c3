//! The grammar of `--admin`, and its listeners.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use super::{ControlSocket, InheritedSocket, UnixSocketError, inherited::Socket};
use crate::logging;

/// Where operators and scrapers connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminUrl {
    /// `unix://PATH`; always an absolute path.
    Unix(PathBuf),
    /// `http://IP:PORT`; port 0 means any free port.
    Http(SocketAddr),
}

/// Why a URL of `--admin` is invalid.
#[derive(Debug, thiserror::Error)]
#[error("unsupported --admin URL `{0}`; expected `unix://PATH` or `http://IP:PORT`")]
pub struct AdminUrlError(String);

/// Why the admin listener cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Anybody who can reach the address could look into the server.
    #[error("refusing to open the admin listener {0} to other machines without a token; add --admin-token-file PATH")]
    OpenToOthers(SocketAddr),
    /// The Unix socket failed.
    #[error(transparent)]
    Unix(#[from] UnixSocketError),
    /// The system refused.
    #[error("{error}: http://{address}")]
    Io {
        /// The error of the operating system.
        error: io::Error,
        /// The address.
        address: SocketAddr,
    },
}

/// The bound admin listener.
#[derive(Debug)]
pub enum AdminListener {
    /// For the owner.
    Unix(ControlSocket),
    /// For whoever can reach the address.
    Tcp(TcpListener),
}

impl AdminUrl {
    /// Parses `url`. A relative socket path is resolved now.
    ///
    /// # Errors
    /// It has another form.
    pub fn parse_here(url: &str) -> Result<Self, AdminUrlError> {
        let unsupported = || AdminUrlError(url.to_owned());
        if let Some(path) = url.strip_prefix("unix://").filter(|path| !path.is_empty()) {
            return std::path::absolute(path).map(Self::Unix).map_err(|_| unsupported());
        }
        let address = url.strip_prefix("http://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        address.and_then(|text| text.parse().ok()).map(Self::Http).ok_or_else(unsupported)
    }
}

impl AdminListener {
    /// Binds the listener that `url` names, or serves the one that was `inherited` if it has that address. An address that
    /// other machines can reach requires `authenticated`.
    ///
    /// # Errors
    /// See [`AdminError`].
    pub async fn open(
        url: &AdminUrl,
        inherited: Option<InheritedSocket>,
        authenticated: bool,
        codex_home: &Path,
        wait: Duration,
    ) -> Result<Self, AdminError> {
        let inherited = inherited.map(|InheritedSocket(socket)| socket).filter(|socket| socket.is_at_admin(url));
        match (url, inherited) {
            (AdminUrl::Http(address), _) if !authenticated && !address.ip().is_loopback() => {
                Err(AdminError::OpenToOthers(*address))
            }
            (AdminUrl::Unix(requested), Some(Socket::Unix { listener, path, is_ours })) => {
                Ok(Self::Unix(ControlSocket::adopt(listener, &path, requested, is_ours)?))
            }
            (AdminUrl::Http(_), Some(Socket::Tcp { listener, .. })) => Ok(Self::Tcp(listener)),
            (AdminUrl::Unix(path), _) => Ok(Self::Unix(ControlSocket::bind(path, codex_home, wait).await?)),
            (AdminUrl::Http(address), _) => {
                let bound = TcpListener::bind(address);
                bound.map(Self::Tcp).map_err(|error| AdminError::Io { error, address: *address })
            }
        }
    }

    /// The server that had the listener before has ended: from now on its file is this one's.
    pub fn claim_file(&mut self) {
        if let Self::Unix(socket) = self {
            socket.file.claim();
        }
    }

    /// Prints the address on stderr.
    pub fn announce(&self) {
        let place = match self {
            Self::Unix(socket) => format!("unix://{}", socket.file.path().display()),
            Self::Tcp(listener) => match listener.local_addr() {
                Ok(address) => format!("http://{address}/"),
                Err(error) => return log::warn!("cannot print the address of the admin listener: {error}"),
            },
        };
        let message = format!("admin: {}", crate::terminal::shown(&place));
        logging::say(&message, &format!("  {message}\n"));
        if matches!(self, Self::Tcp(listener) if listener.local_addr().is_ok_and(|it| !it.ip().is_loopback())) {
            log::warn!(
                "tokens of the admin listener cross the network unencrypted; put a proxy with TLS in front of it"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms_and_refuses_others_in_words() {
        let http = |text: &str| AdminUrl::Http(text.parse().unwrap());
        assert_eq!(AdminUrl::parse_here("unix:///run/a.sock").unwrap(), AdminUrl::Unix("/run/a.sock".into()));
        assert_eq!(AdminUrl::parse_here("http://127.0.0.1:0").unwrap(), http("127.0.0.1:0"));
        assert_eq!(AdminUrl::parse_here("http://[::1]:9/").unwrap(), http("[::1]:9"));
        for wrong in
            ["", "unix://", "http://", "http://localhost:1", "https://127.0.0.1:1", "ws://127.0.0.1:1", "127.0.0.1:1"]
        {
            let error = AdminUrl::parse_here(wrong).unwrap_err().to_string();
            assert!(error.contains("expected `unix://PATH` or `http://IP:PORT`"), "{wrong}: {error}");
        }
    }
}
