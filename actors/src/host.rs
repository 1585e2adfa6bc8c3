//! Facts about the server and the machine, as reported to clients.

use std::path::PathBuf;

use crate::protocol::API_VERSION;
use crate::protocol::initialize::{ClientInfo, InitializeResponse};
use crate::protocol::scope::Scopes;

/// See the module's documentation.
#[derive(Clone, Debug)]
pub struct Host {
    /// Directory of the server's state.
    pub codex_home: PathBuf,
    /// The kind of program that started this server (`--session-source`); recorded in threads.
    pub session_source: String,
    /// The directory against which relative paths of clients are resolved.
    pub cwd: PathBuf,
    /// Name and version of the operating system, as in `Linux 6.1.0`.
    pub os: String,
    /// The terminal in which the server was started, or `unknown`.
    pub terminal: String,
}

impl Host {
    /// The result of `initialize` (spec: local transports 8). `originator` is the name of the first client.
    pub fn initialize_response(&self, originator: &str, client: &ClientInfo, scopes: Scopes) -> InitializeResponse {
        InitializeResponse {
            user_agent: self.user_agent(originator, Some(client)),
            codex_home: self.codex_home.display().to_string(),
            platform_family: std::env::consts::FAMILY.to_owned(),
            platform_os: std::env::consts::OS.to_owned(),
            scopes,
        }
    }

    /// `<originator>/<level> (<os>; <arch>) <terminal>`, followed by the client's name and version.
    pub fn user_agent(&self, originator: &str, client: Option<&ClientInfo>) -> String {
        let Self { os, terminal, .. } = self;
        let program = format!("{originator}/{API_VERSION} ({os}; {}) {terminal}", std::env::consts::ARCH);
        match client {
            Some(ClientInfo { name, version }) => format!("{program} ({name}; {version})"),
            None => program,
        }
    }
}
