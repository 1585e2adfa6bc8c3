//! The status of remote control.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The status of remote control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlConnectionStatus")]
pub enum RemoteControlStatus {
    /// Remote control is disabled.
    Disabled,
    /// The server is connecting to the backend.
    Connecting,
    /// Controllers can reach this server.
    Connected,
    /// The last attempt failed. The server retries by itself.
    Errored,
}

impl RemoteControlStatus {
    /// As it is on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Errored => "errored",
        }
    }
}

/// Params of `remoteControl/status/changed`, and the result of `remoteControl/enable` and `remoteControl/disable`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct RemoteControlState {
    /// The status.
    pub status: RemoteControlStatus,
    /// Name of this machine as shown to controllers.
    pub server_name: String,
    /// Id of this installation.
    pub installation_id: String,
    /// Id of this machine's environment at the backend; null before enrollment and while disabled.
    pub environment_id: Option<String>,
}

/// Result of `remoteControl/status/read`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteControlStatusReadResponse {
    /// The status, as in `remoteControl/status/changed`.
    #[serde(flatten)]
    pub state: RemoteControlState,
    /// Why the last attempt failed; present while the status is `errored`. Not part of the reference program's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}
