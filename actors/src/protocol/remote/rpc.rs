//! `remoteControl/*`: params and results (spec: remote control 12).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::status::{RemoteControlState, RemoteControlStatusReadResponse};
use crate::protocol::Secret;
use crate::protocol::thread::Empty;

/// Requests that the remote control actor answers; the variant is named after the method.
#[derive(Debug)]
pub enum RemoteControlRequest {
    /// `remoteControl/enable`
    Enable(RemoteControlEnableParams),
    /// `remoteControl/disable`
    Disable(RemoteControlEnableParams),
    /// `remoteControl/status/read`
    StatusRead(()),
    /// `remoteControl/pairing/start`
    PairingStart(PairingStartParams),
    /// `remoteControl/pairing/status`
    PairingStatus(PairingStatusParams),
    /// `remoteControl/client/list`
    ClientList(RemoteControlClientsListParams),
    /// `remoteControl/client/revoke`
    ClientRevoke(RemoteControlClientsRevokeParams),
}

/// What comes back.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum RemoteControlAnswer {
    /// To enable and disable.
    State(RemoteControlState),
    /// To status/read.
    StatusRead(RemoteControlStatusReadResponse),
    /// To pairing/start.
    PairingStart(PairingStartResponse),
    /// To pairing/status.
    PairingStatus(PairingStatusResponse),
    /// To client/list.
    ClientList(RemoteControlClientsListResponse),
    /// To client/revoke.
    ClientRevoke(Empty),
}

/// Params of `remoteControl/enable` and `remoteControl/disable`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct RemoteControlEnableParams {
    /// Until the server ends; what was remembered before stays.
    #[serde(default)]
    pub ephemeral: bool,
}

/// Params of `remoteControl/pairing/start`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlPairingStartParams")]
pub struct PairingStartParams {
    /// A code to be typed is wanted too.
    #[serde(default)]
    pub manual_code: bool,
}

/// Result of `remoteControl/pairing/start`. The codes are for the asking client alone.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlPairingStartResponse")]
pub struct PairingStartResponse {
    /// The code, as a controller scans it.
    pub pairing_code: String,
    /// The code, as a person types it.
    pub manual_pairing_code: Option<String>,
    /// Which environment the code leads to.
    pub environment_id: String,
    /// Until when the code holds, in seconds since the Unix epoch.
    pub expires_at: i64,
}

/// Without the codes.
impl std::fmt::Debug for PairingStartResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairingStartResponse").field("environment_id", &self.environment_id).finish_non_exhaustive()
    }
}

/// Params of `remoteControl/pairing/status`: exactly one of the two.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlPairingStatusParams")]
pub struct PairingStatusParams {
    /// The code, as a controller scans it.
    #[schemars(with = "Option<String>")]
    pub pairing_code: Option<Secret>,
    /// The code, as a person types it.
    #[schemars(with = "Option<String>")]
    pub manual_pairing_code: Option<Secret>,
}

/// Result of `remoteControl/pairing/status`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlPairingStatusResponse")]
pub struct PairingStatusResponse {
    /// Whether a controller has used the code.
    pub claimed: bool,
}

/// Params of `remoteControl/client/list`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteControlClientsListParams {
    /// Whose controllers.
    pub environment_id: String,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Controllers on a page, 1 to 100.
    pub limit: Option<u32>,
    /// By time.
    pub order: Option<SortOrder>,
}

/// Which end comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlClientsListOrder")]
pub enum SortOrder {
    /// The oldest.
    Asc,
    /// The newest.
    Desc,
}

impl SortOrder {
    /// As it is written, in JSON and in the query of a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asc => "asc",
            Self::Desc => "desc",
        }
    }
}

/// Result of `remoteControl/client/list`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteControlClientsListResponse {
    /// One page.
    pub data: Vec<RemoteControlClient>,
    /// Where the next one begins.
    pub next_cursor: Option<String>,
}

/// A controller; null is "not known".
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteControlClient {
    /// Its name at the backend.
    pub client_id: String,
    /// For people.
    pub display_name: Option<String>,
    /// `phone`, `web` and the like.
    pub device_type: Option<String>,
    /// `ios`, `android` and the like.
    pub platform: Option<String>,
    /// Of the platform.
    pub os_version: Option<String>,
    /// As its maker names it.
    pub device_model: Option<String>,
    /// Of the controller program.
    pub app_version: Option<String>,
    /// Seconds since the Unix epoch.
    pub last_seen_at: Option<i64>,
}

/// Params of `remoteControl/client/revoke`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteControlClientsRevokeParams {
    /// Whose controller.
    pub environment_id: String,
    /// Which.
    pub client_id: String,
}
