//! The handshake: `initialize` (spec: local transports 8).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scope::{Scope, Scopes};

/// Params of `initialize`, the first request on a connection.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitializeParams {
    /// Name and version of the client.
    pub client_info: ClientInfo,
    /// Capabilities of the client; null or absent for none.
    #[serde(default)]
    pub capabilities: Option<Capabilities>,
}

/// The client's name and version.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ClientInfo {
    /// Name of the client. It becomes part of the user agent, so it must be a valid HTTP header value.
    pub name: String,
    /// Version of the client; any text.
    pub version: String,
}

impl ClientInfo {
    /// Most characters of the name, and of the version, in [`Self::shown`].
    const SHOWN: usize = 80;

    /// Name and version for people, in short.
    pub fn shown(&self) -> String {
        let short = |text: &str| text.chars().take(Self::SHOWN).collect::<String>();
        format!("{} {}", short(&self.name), short(&self.version)).trim().to_owned()
    }
}

/// Capabilities of a client. Unknown members are ignored.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "InitializeCapabilities")]
pub struct Capabilities {
    /// Allows experimental methods and members.
    #[serde(default)]
    pub experimental_api: bool,
    /// Names of notifications that this connection does not want. Unknown names are accepted.
    #[serde(default)]
    pub opt_out_notification_methods: Option<Vec<String>>,
}

/// Result of `initialize`: the members of the reference program, and the scopes of the connection.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitializeResponse {
    /// `<first client>/<version> (<os>; <arch>) <terminal> (<this client>; <its version>)`.
    pub user_agent: String,
    /// Directory of the server's state.
    pub codex_home: String,
    /// Family of the operating system: `unix`.
    pub platform_family: String,
    /// Operating system: `linux` or `macos`.
    pub platform_os: String,
    /// What this connection may do. The reference program does not have this member, and allows everything.
    #[serde(default = "Scopes::all")]
    #[schemars(with = "Vec<Scope>")]
    pub scopes: Scopes,
}
