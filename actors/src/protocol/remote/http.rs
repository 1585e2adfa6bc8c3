//! The bodies of the backend's HTTP endpoints (spec: remote control 4). Times are RFC 3339 text.

use serde::{Deserialize, Serialize};

use crate::protocol::Secret;
use crate::protocol::scope::Scopes;

/// `POST …/server/enroll`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrollRequest {
    /// Name of this machine as shown to controllers.
    pub name: String,
    /// Operating system: `linux` or `macos`.
    pub os: String,
    /// Architecture as named by Rust: `x86_64`, `aarch64`.
    pub arch: String,
    /// The level of the API.
    pub app_server_version: String,
    /// Id of this installation.
    pub installation_id: String,
}

/// `POST …/server/refresh`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshRequest {
    /// Id of this host at the backend.
    pub server_id: String,
    /// Id of this installation.
    pub installation_id: String,
}

/// The answer to `enroll` and `refresh`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerTokenResponse {
    /// Id of this host at the backend; never shown to clients.
    pub server_id: String,
    /// Id of the environment that controllers connect to.
    pub environment_id: String,
    /// The server token.
    pub remote_control_token: Secret,
    /// Expiry of the token.
    pub expires_at: String,
}

/// `POST …/server/pair`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairRequest {
    /// Also requests a code for typing.
    pub manual_code: bool,
    /// What the controller may do. Only a relay of our own knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Scopes>,
}

/// The answer to `pair`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairResponse {
    /// The pairing code for scanning.
    pub pairing_code: Secret,
    /// The pairing code for typing.
    #[serde(default)]
    pub manual_pairing_code: Option<Secret>,
    /// Must be that of this host.
    pub server_id: String,
    /// Must be that of this host.
    pub environment_id: String,
    /// Expiry of the code.
    pub expires_at: String,
}

/// `POST …/server/pair/status`. Exactly one member must be present.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PairStatusRequest {
    /// The pairing code for scanning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairing_code: Option<Secret>,
    /// The pairing code for typing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manual_pairing_code: Option<Secret>,
}

/// The answer to `pair/status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairStatusResponse {
    /// Whether a controller has used the code.
    pub claimed: bool,
}

/// The answer to `GET …/clients`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientsResponse {
    /// The controllers.
    pub items: Vec<ClientItem>,
    /// Cursor of the next page.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// A controller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // As in `RemoteControlClient`.
pub struct ClientItem {
    pub client_id: String,
    pub display_name: Option<String>,
    pub device_type: Option<String>,
    pub platform: Option<String>,
    pub os_version: Option<String>,
    pub device_model: Option<String>,
    pub app_version: Option<String>,
    pub last_seen_at: Option<String>,
}
