//! `remoteControl/*`: params and results (spec: remote control 12).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::status::{RemoteControlState, RemoteControlStatusReadResponse};
use crate::protocol::Secret;
use crate::protocol::scope::{Scope, Scopes};
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
    /// `remoteControl/pairing/confirm`
    PairingConfirm(PairingConfirmParams),
    /// `remoteControl/client/list`
    ClientList(RemoteControlClientsListParams),
    /// `remoteControl/client/revoke`
    ClientRevoke(RemoteControlClientsRevokeParams),
}

/// The result of a [`RemoteControlRequest`].
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum RemoteControlAnswer {
    /// `remoteControl/enable` and `remoteControl/disable`
    State(RemoteControlState),
    /// `remoteControl/status/read`
    StatusRead(RemoteControlStatusReadResponse),
    /// `remoteControl/pairing/start`
    PairingStart(PairingStartResponse),
    /// `remoteControl/pairing/status`
    PairingStatus(PairingStatusResponse),
    /// `remoteControl/pairing/confirm`
    PairingConfirm(Empty),
    /// `remoteControl/client/list`
    ClientList(RemoteControlClientsListResponse),
    /// `remoteControl/client/revoke`
    ClientRevoke(Empty),
}

/// Params of `remoteControl/enable` and `remoteControl/disable`.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct RemoteControlEnableParams {
    /// If true, the change lasts until the server ends and is not remembered.
    #[serde(default)]
    pub ephemeral: bool,
}

/// Params of `remoteControl/pairing/start`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlPairingStartParams")]
pub struct PairingStartParams {
    /// Also requests a code for typing.
    #[serde(default)]
    pub manual_code: bool,
    /// What the controller may do. Only a relay of our own knows it; absent: `observe` and `converse` there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Scope>>")]
    pub scopes: Option<Scopes>,
}

/// Result of `remoteControl/pairing/start`. Only the requesting client receives the codes.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlPairingStartResponse")]
pub struct PairingStartResponse {
    /// The pairing code for scanning.
    pub pairing_code: String,
    /// The pairing code for typing.
    pub manual_pairing_code: Option<String>,
    /// Id of the environment that the code is for.
    pub environment_id: String,
    /// Expiry of the code, in seconds since the Unix epoch.
    pub expires_at: i64,
    /// Time until then by the backend's clock, in seconds. Older servers do not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_seconds: Option<i64>,
    /// For phones that speak end to end; absent where nothing is encrypted. Not part of the reference program's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end: Option<PairingEndToEnd>,
}

/// What the link for a camera carries besides the code. It never goes to the relay.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlPairingEndToEnd")]
pub struct PairingEndToEnd {
    /// The public key of this machine, in base64 for URLs.
    pub key: String,
    /// The one-time secret, in base64 for URLs.
    pub secret: String,
}

/// Without the codes.
impl std::fmt::Debug for PairingStartResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairingStartResponse").field("environment_id", &self.environment_id).finish_non_exhaustive()
    }
}

/// Params of `remoteControl/pairing/status`. Exactly one member must be present.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlPairingStatusParams")]
pub struct PairingStatusParams {
    /// The pairing code for scanning.
    #[schemars(with = "Option<String>")]
    pub pairing_code: Option<Secret>,
    /// The pairing code for typing.
    #[schemars(with = "Option<String>")]
    pub manual_pairing_code: Option<Secret>,
}

/// Result of `remoteControl/pairing/status`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlPairingStatusResponse")]
pub struct PairingStatusResponse {
    /// Whether a controller has used the code.
    pub claimed: bool,
    /// The device that has come for the code and speaks end to end. Not part of the reference program's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<PairingDevice>,
    /// Whether devices have to speak end to end, so that one still has to come after the code was used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub end_to_end: bool,
}

/// A device that has come for a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlPairingDevice")]
pub struct PairingDevice {
    /// Its id at the relay.
    pub client_id: String,
    /// What it calls itself.
    pub name: Option<String>,
    /// The words that it shows as well, if nobody is between it and this machine.
    pub words: String,
    /// What it may do once it is paired.
    #[schemars(with = "Vec<Scope>")]
    pub scopes: Scopes,
    /// What was decided.
    pub state: PairingDeviceState,
}

/// What was decided about a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlPairingDeviceState")]
pub enum PairingDeviceState {
    /// A person has to compare the words (`remoteControl/pairing/confirm`).
    Waiting,
    /// It is paired.
    Accepted,
    /// It was refused.
    Refused,
}

/// Params of `remoteControl/pairing/confirm`: a person has compared the words. Not a method of the reference program.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlPairingConfirmParams")]
pub struct PairingConfirmParams {
    /// Id of the device, as `remoteControl/pairing/status` tells it.
    pub client_id: String,
    /// The words that the person has seen.
    pub words: String,
    /// Whether they are the same on the device.
    pub accept: bool,
}

/// Params of `remoteControl/client/list`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteControlClientsListParams {
    /// Id of the environment.
    pub environment_id: String,
    /// `nextCursor` of the previous page; absent for the first page.
    pub cursor: Option<String>,
    /// Maximum number of controllers: 1 to 100.
    pub limit: Option<u32>,
    /// Sort direction, by time.
    pub order: Option<SortOrder>,
}

/// Sort direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RemoteControlClientsListOrder")]
pub enum SortOrder {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

impl SortOrder {
    /// The value in JSON and in the query of a URL.
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
    /// The controllers.
    pub data: Vec<RemoteControlClient>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
}

/// A controller. A null member is not known.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteControlClient {
    /// Id of the controller at the backend.
    pub client_id: String,
    /// Name for display.
    pub display_name: Option<String>,
    /// Kind of device, such as `phone` or `web`.
    pub device_type: Option<String>,
    /// Operating system, such as `ios` or `android`.
    pub platform: Option<String>,
    /// Version of the operating system.
    pub os_version: Option<String>,
    /// Model of the device.
    pub device_model: Option<String>,
    /// Version of the controller program.
    pub app_version: Option<String>,
    /// Time of the last contact, in seconds since the Unix epoch.
    pub last_seen_at: Option<i64>,
}

/// Params of `remoteControl/client/revoke`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteControlClientsRevokeParams {
    /// Id of the environment.
    pub environment_id: String,
    /// Id of the controller.
    pub client_id: String,
}
