//! The grammar of `--listen`. Prefixes are matched exactly and case-sensitively, as the reference program does.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use crate::codex_home::{self, CodexHomeError};

/// The directory below `$CODEX_HOME` for the control socket and the start-up lock.
pub const CONTROL_DIRECTORY: &str = "app-server-control";
const CONTROL_SOCKET: &str = "app-server-control.sock";

/// The control socket of `codex_home`.
pub fn control_socket(codex_home: &Path) -> PathBuf {
    codex_home.join(CONTROL_DIRECTORY).join(CONTROL_SOCKET)
}

/// Where clients connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenUrl {
    /// `stdio://`: one client on stdin and stdout.
    Stdio,
    /// `unix://` and `unix://PATH`: WebSocket clients on a Unix socket; always an absolute path.
    Unix(PathBuf),
    /// `ws://IP:PORT`: WebSocket clients on TCP; port 0 means any free port.
    WebSocket(SocketAddr),
    /// `off`: no listener.
    Off,
}

/// Why a listen URL is invalid. The texts are the reference program's, behind clap's `invalid value …: `.
#[derive(Debug, thiserror::Error)]
pub enum ListenUrlError {
    /// The form of the URL is not known.
    #[error("unsupported --listen URL `{0}`; expected `stdio://`, `unix://`, `unix://PATH`, `ws://IP:PORT`, or `off`")]
    Unsupported(String),
    /// `ws://` without a literal address and port.
    #[error("invalid websocket --listen URL `{0}`; expected `ws://IP:PORT`")]
    WebSocket(String),
    /// `unix://` without a usable `$CODEX_HOME`.
    #[error("invalid unix socket --listen URL `{0}`; failed to resolve socket path: {1}")]
    NoHome(String, CodexHomeError),
    /// `unix://PATH` with a relative path and no working directory.
    #[error("invalid unix socket --listen URL `{0}`; failed to resolve socket path: {1}")]
    NoWorkingDirectory(String, std::io::Error),
}

impl ListenUrl {
    /// Parses `url` with the process's `$CODEX_HOME` and working directory.
    pub fn parse_here(url: &str) -> Result<Self, ListenUrlError> {
        Self::parse(url, codex_home::find)
    }

    /// Parses `url`. A relative socket path is resolved now, so that a later change of the working directory does not
    /// move it.
    pub fn parse(
        url: &str,
        codex_home: impl FnOnce() -> Result<PathBuf, CodexHomeError>,
    ) -> Result<Self, ListenUrlError> {
        if url == "stdio://" {
            Ok(Self::Stdio)
        } else if let Some(path) = url.strip_prefix("unix://") {
            if path.is_empty() {
                let home = codex_home().map_err(|error| ListenUrlError::NoHome(url.to_owned(), error))?;
                return Ok(Self::Unix(control_socket(&home)));
            }
            let path = std::path::absolute(Path::new(path));
            path.map(Self::Unix).map_err(|error| ListenUrlError::NoWorkingDirectory(url.to_owned(), error))
        } else if url == "off" {
            Ok(Self::Off)
        } else if let Some(address) = url.strip_prefix("ws://") {
            address.parse().map(Self::WebSocket).map_err(|_| ListenUrlError::WebSocket(url.to_owned()))
        } else {
            Err(ListenUrlError::Unsupported(url.to_owned()))
        }
    }
}

/// The URL that [`ListenUrl::parse`] reads as the same.
impl fmt::Display for ListenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdio => f.write_str("stdio://"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::WebSocket(address) => write!(f, "ws://{address}"),
            Self::Off => f.write_str("off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<ListenUrl, ListenUrlError> {
        ListenUrl::parse(url, || Ok(PathBuf::from("/home/me/.codex")))
    }

    #[test]
    fn reads_every_form() {
        let cwd = std::env::current_dir().unwrap();
        let unix = |path: &str| ListenUrl::Unix(PathBuf::from(path));
        for (url, expected) in [
            ("stdio://", ListenUrl::Stdio),
            ("off", ListenUrl::Off),
            ("unix://", unix("/home/me/.codex/app-server-control/app-server-control.sock")),
            ("unix:///abs/p.sock", unix("/abs/p.sock")),
            ("unix://rel/p.sock", ListenUrl::Unix(cwd.join("rel/p.sock"))),
            ("ws://127.0.0.1:0", ListenUrl::WebSocket("127.0.0.1:0".parse().unwrap())),
            ("ws://[::1]:8080", ListenUrl::WebSocket("[::1]:8080".parse().unwrap())),
        ] {
            assert_eq!(parse(url).unwrap(), expected, "{url}");
        }
    }

    #[test]
    fn refuses_other_schemes_with_the_references_text() {
        for url in [
            "wss://127.0.0.1:0",
            "http://x",
            "garbage",
            "",
            "STDIO://",
            "stdio",
            "stdio://x",
            "unix:",
            "off://",
            "tcp://x",
        ] {
            assert_eq!(
                parse(url).unwrap_err().to_string(),
                format!(
                    "unsupported --listen URL `{url}`; expected `stdio://`, `unix://`, `unix://PATH`, `ws://IP:PORT`, or `off`"
                )
            );
        }
    }

    #[test]
    fn refuses_websocket_urls_without_a_literal_address() {
        for rest in ["localhost:0", "127.0.0.1", "127.0.0.1:0/", "", "127.0.0.1:99999", "::1:0"] {
            assert_eq!(
                parse(&format!("ws://{rest}")).unwrap_err().to_string(),
                format!("invalid websocket --listen URL `ws://{rest}`; expected `ws://IP:PORT`")
            );
        }
    }

    #[test]
    fn the_default_socket_needs_a_home() {
        let error = ListenUrl::parse("unix://", || Err(CodexHomeError::Missing("/nope".into()))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "invalid unix socket --listen URL `unix://`; failed to resolve socket path: failed to resolve CODEX_HOME: \
             CODEX_HOME points to \"/nope\", but that path does not exist"
        );
    }
}
