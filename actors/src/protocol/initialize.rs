//! The handshake: `initialize` (spec: local transports 8).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Params of `initialize`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitializeParams {
    /// Who connects.
    pub client_info: ClientInfo,
    /// What it can do; null and absent mean nothing special.
    #[serde(default)]
    pub capabilities: Option<Capabilities>,
}

/// The client's name and version.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ClientInfo {
    /// Used in the user agent, so it must be a valid HTTP header value.
    pub name: String,
    /// The client's own version, free text.
    pub version: String,
}

/// What a client announces; members that this server does not use are ignored.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "InitializeCapabilities")]
pub struct Capabilities {
    /// The client may call experimental methods and use experimental members.
    #[serde(default)]
    pub experimental_api: bool,
    /// Exact names of notifications that this connection does not want; unknown names are accepted.
    #[serde(default)]
    pub opt_out_notification_methods: Option<Vec<String>>,
}

/// Result of `initialize`: exactly these four members, in this order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitializeResponse {
    /// `<first client>/<version> (<os>; <arch>) <terminal> (<this client>; <its version>)`.
    pub user_agent: String,
    /// Where the server keeps its state.
    pub codex_home: String,
    /// `unix`.
    pub platform_family: String,
    /// `linux` or `macos`.
    pub platform_os: String,
}
