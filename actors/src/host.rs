//! What the server says of itself and of the machine.

use std::path::PathBuf;

use crate::protocol::initialize::{ClientInfo, InitializeResponse};

/// The level of the `codex app-server` API that this server speaks, announced in the user agent and by `--version`.
pub const API_VERSION: &str = "0.169.0";

/// See the module's documentation.
#[derive(Clone, Debug)]
pub struct Host {
    /// Where state lives.
    pub codex_home: PathBuf,
    /// For threads: what kind of program started this server (`--session-source`).
    pub session_source: String,
    /// Where relative paths of clients begin.
    pub cwd: PathBuf,
    /// Name and version of the operating system, as in `Linux 6.1.0`.
    pub os: String,
    /// The terminal that the server was started from, or `unknown`.
    pub terminal: String,
}

impl Host {
    /// The answer to `initialize` (spec: local transports 8). `originator` is the first client's name.
    pub fn initialize_response(&self, originator: &str, client: &ClientInfo) -> InitializeResponse {
        InitializeResponse {
            user_agent: self.user_agent(originator, Some(client)),
            codex_home: self.codex_home.display().to_string(),
            platform_family: std::env::consts::FAMILY.to_owned(),
            platform_os: std::env::consts::OS.to_owned(),
        }
    }

    /// `<originator>/<level> (<os>; <arch>) <terminal>`, and behind it for whom.
    pub fn user_agent(&self, originator: &str, client: Option<&ClientInfo>) -> String {
        let Self { os, terminal, .. } = self;
        let program = format!("{originator}/{API_VERSION} ({os}; {}) {terminal}", std::env::consts::ARCH);
        match client {
            Some(ClientInfo { name, version }) => format!("{program} ({name}; {version})"),
            None => program,
        }
    }
}
