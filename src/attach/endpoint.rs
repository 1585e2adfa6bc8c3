//! The address of a running server.

use std::{
    io,
    net::IpAddr,
    path::{Path, PathBuf},
};

use awc::http::Uri;
use rustix::process::geteuid;
use tokio::net::UnixStream;

use super::Token;
use crate::{
    codex_home,
    listen::{control_socket, reachable},
};

/// The address of a running server.
#[derive(Clone, Debug, PartialEq)]
pub enum Endpoint {
    /// A Unix socket.
    Unix(PathBuf),
    /// A WebSocket on TCP.
    WebSocket {
        /// `ws://HOST[:PORT][/PATH]`.
        url: Uri,
        /// The token for the server.
        token: Option<Token>,
    },
}

/// Why an address is invalid.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The form of the URL is not known.
    #[error("unsupported URL `{0}`; expected `unix://`, `unix://PATH` or `ws://HOST:PORT`")]
    Unsupported(String),
    /// The URL needs TLS.
    #[error("`{0}` needs TLS, which this client does not support; forward the port, as with `ssh -L`, and use `ws://`")]
    Tls(String),
}

impl Endpoint {
    /// Parses the value of `--connect`; the default is the control socket of `codex_home`.
    ///
    /// # Errors
    /// See [`EndpointError`].
    pub fn parse(url: Option<&str>, token: Option<Token>, codex_home: &Path) -> Result<Self, EndpointError> {
        let Some(url) = url else {
            return Ok(Self::Unix(control_socket(codex_home)));
        };
        if let Some(path) = url.strip_prefix("unix://") {
            let path = if path.is_empty() { control_socket(codex_home) } else { PathBuf::from(path) };
            return Ok(Self::Unix(path));
        }
        if url.starts_with("wss://") {
            return Err(EndpointError::Tls(url.to_owned()));
        }
        let uri = url.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("ws") && uri.host().is_some());
        let url = uri.ok_or_else(|| EndpointError::Unsupported(url.to_owned()))?;
        Ok(Self::WebSocket { url, token })
    }
}

impl Endpoint {
    /// Whether the server is on this machine for sure, so that paths mean the same there.
    pub fn is_on_this_machine(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::WebSocket { url, .. } => {
                let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
                host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
            }
        }
    }
}

/// Advice for a Unix socket without a server.
pub fn how_to_start(path: &Path) -> String {
    let is_default = codex_home::find().is_ok_and(|home| control_socket(&home) == path);
    let named = if is_default { String::new() } else { path.display().to_string() };
    format!("Start a server there first: codex-app-server --listen unix://{named}")
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "socket at {}", path.display()),
            Self::WebSocket { url, .. } => write!(f, "{url}"),
        }
    }
}

/// Connects to the Unix socket at `path`.
///
/// # Errors
/// There is no server, or it belongs to another user, who must not receive what the client sends.
pub async fn connect_unix(path: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(reachable(path)?).await?;
    let (owner, me) = (stream.peer_cred()?.uid(), geteuid());
    if owner != me.as_raw() && owner != 0 && !me.is_root() {
        let text = format!("the server there belongs to another user (id {owner})");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::parse(Some(url), None, Path::new("/home/me/.codex"))
    }

    #[test]
    fn the_control_socket_unless_told_otherwise() {
        let control = Endpoint::Unix("/home/me/.codex/app-server-control/app-server-control.sock".into());
        assert_eq!(Endpoint::parse(None, None, Path::new("/home/me/.codex")).unwrap(), control);
        assert_eq!(parse("unix://").unwrap(), control);
        assert_eq!(parse("unix:///run/x.sock").unwrap(), Endpoint::Unix("/run/x.sock".into()));
    }

    #[test]
    fn a_url_says_where_on_tcp() {
        for url in ["ws://127.0.0.1:4500", "ws://[::1]:4500/rpc", "ws://host"] {
            assert!(matches!(parse(url), Ok(Endpoint::WebSocket { .. })), "{url}");
        }
        for url in ["", "garbage", "ws://", "http://x", "tcp://x:1", "ws:/x"] {
            assert!(matches!(parse(url), Err(EndpointError::Unsupported(_))), "{url}");
        }
        assert!(matches!(parse("wss://host"), Err(EndpointError::Tls(_))));
    }
}
