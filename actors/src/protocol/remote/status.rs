//! How far remote control is, as clients see it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far remote control is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlConnectionStatus")]
pub enum RemoteControlStatus {
    /// Switched off.
    Disabled,
    /// On its way to the backend.
    Connecting,
    /// Other devices can reach this server.
    Connected,
    /// The last attempt failed. Further attempts follow by themselves.
    Errored,
}

/// Params of `remoteControl/status/changed`, and the result of `remoteControl/enable` and `remoteControl/disable`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct RemoteControlState {
    /// How far it is.
    pub status: RemoteControlStatus,
    /// The name under which other devices see this machine.
    pub server_name: String,
    /// The identity of this installation.
    pub installation_id: String,
    /// Its identity at the backend, once enrolled and while enabled.
    pub environment_id: Option<String>,
}

/// Result of `remoteControl/status/read`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteControlStatusReadResponse {
    /// As in the notification.
    #[serde(flatten)]
    pub state: RemoteControlState,
    /// Why the last attempt failed, while the status is `errored`. The reference program does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}
