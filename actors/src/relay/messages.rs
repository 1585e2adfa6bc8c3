//! The messages of the relay: what its HTTP routes ask. Each says what is wanted, not how it is kept, so that several relays
//! could share what they know. Mailbox full: the route answers 503.

use std::sync::Arc;

use actix::prelude::*;

use super::controller::Admitted;
use super::server_link::ServerLink;
use super::settings::RelaySettings;
use super::store::{AccountRow, MachineRow};
use crate::protocol::Secret;
use crate::protocol::remote::http::{
    ClientsResponse, EnrollRequest, PairRequest, PairResponse, PairStatusRequest, PairStatusResponse, RefreshRequest,
    ServerTokenResponse,
};
use crate::protocol::remote::{Machine, SortOrder};
use crate::protocol::scope::Scopes;
use crate::store::StoreError;

/// Why the relay refuses a request. The texts hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayRefusal {
    /// The token is not good, or not any more.
    #[error("this token is not known here, or not any more")]
    Unauthorized,
    /// The server is not enrolled any more. The text is the one that servers wait for.
    #[error("Remote app server not found")]
    NoServer,
    /// There is no such environment, controller or code for whoever asks.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// A code is wrong, was used, or has expired.
    #[error("this code is wrong, was used already, or has expired; ask for a new one on the machine")]
    WrongCode,
    /// The request cannot be understood.
    #[error("{0}")]
    Invalid(&'static str),
    /// The server has as many devices as it may have.
    #[error("this machine has as many devices as it may have; remove one of them first")]
    Full,
    /// Too much is asked at once.
    #[error("the relay is busy; try again")]
    Busy,
    /// Something failed, and the log says what.
    #[error("the relay failed; its log says why")]
    Failed,
}

impl From<StoreError> for RelayRefusal {
    fn from(error: StoreError) -> Self {
        if error == StoreError::Busy {
            return Self::Busy;
        }
        log::error!("{error}");
        Self::Failed
    }
}

/// The token of an account, and the account that the request names.
#[derive(Clone, Debug)]
pub struct AccountToken {
    /// The token.
    pub token: Secret,
    /// Id of the account.
    pub account_id: String,
}

/// Sent for `server/enroll`: the ids of a new server, and its first token.
#[derive(Debug, Message)]
#[rtype(result = "Result<ServerTokenResponse, RelayRefusal>")]
pub struct EnrollServer {
    /// Who asks.
    pub account: AccountToken,
    /// The server.
    pub request: EnrollRequest,
}

/// Sent for `server/refresh`: another token of a server.
#[derive(Debug, Message)]
#[rtype(result = "Result<ServerTokenResponse, RelayRefusal>")]
pub struct RefreshServer {
    /// Who asks.
    pub account: AccountToken,
    /// The server.
    pub request: RefreshRequest,
}

/// Sent for `server/pair`: a new code.
#[derive(Debug, Message)]
#[rtype(result = "Result<PairResponse, RelayRefusal>")]
pub struct StartPairing {
    /// Token of the server.
    pub token: Secret,
    /// What is wanted.
    pub request: PairRequest,
}

/// Sent for `server/pair/status`: was a code claimed?
#[derive(Debug, Message)]
#[rtype(result = "Result<PairStatusResponse, RelayRefusal>")]
pub struct AskPairing {
    /// Token of the server.
    pub token: Secret,
    /// The code.
    pub request: PairStatusRequest,
}

/// Sent for the list of an environment's controllers.
#[derive(Debug, Message)]
#[rtype(result = "Result<ClientsResponse, RelayRefusal>")]
pub struct ListClients {
    /// Who asks.
    pub account: AccountToken,
    /// Id of the environment.
    pub environment_id: String,
    /// The cursor of the last page.
    pub cursor: Option<String>,
    /// Most rows.
    pub limit: Option<u32>,
    /// By the time of pairing.
    pub order: Option<SortOrder>,
}

/// Sent when a controller is revoked, by the account of its server or by itself. Its streams have ended when the answer
/// comes.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), RelayRefusal>")]
pub struct EndClientPairing {
    /// Who asks: an account, or the token of a device.
    pub by: Result<AccountToken, Secret>,
    /// Id of the environment.
    pub environment_id: String,
    /// Id of the controller.
    pub client_id: String,
}

/// Sent when a controller gets another name.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), RelayRefusal>")]
pub struct RenameClient {
    /// Who asks: an account, or the token of a device.
    pub by: Result<AccountToken, Secret>,
    /// Id of the environment.
    pub environment_id: String,
    /// Id of the controller.
    pub client_id: String,
    /// Its name, for people; an empty one takes it away.
    pub name: String,
}

/// Sent when a server opens its socket: the link to give the socket to.
#[derive(Debug, Message)]
#[rtype(result = "Result<ServerAdmitted, RelayRefusal>")]
pub struct AdmitServer {
    /// Token of the server.
    pub token: Secret,
    /// Id of the server.
    pub server_id: String,
}

/// A server that may connect.
pub struct ServerAdmitted {
    /// Its link.
    pub(super) link: Addr<ServerLink>,
    pub(super) settings: Arc<RelaySettings>,
}

/// Sent when a phone claims a code.
#[derive(Debug, Message)]
#[rtype(result = "Result<ClaimAnswer, RelayRefusal>")]
pub struct ClaimCode {
    /// The code, scanned or typed.
    pub code: Secret,
    /// The token that the device has already.
    pub device: Option<Secret>,
    /// What a person calls the device.
    pub display_name: Option<String>,
    /// What it runs on.
    pub platform: Option<String>,
}

/// The answer to [`ClaimCode`].
#[derive(Debug)]
pub struct ClaimAnswer {
    /// The token of the device, if it has got one now.
    pub token: Option<Secret>,
    /// What it may control now.
    pub machine: MachineView,
}

/// Sent when a phone asks what it may control. Replaces the device's token when it is old.
#[derive(Debug, Message)]
#[rtype(result = "Result<DeviceView, RelayRefusal>")]
pub struct AskDevice {
    /// The token of the device.
    pub token: Secret,
}

/// What a device may control.
#[derive(Debug)]
pub struct DeviceView {
    /// Another token, which takes the place of the one that was shown.
    pub token: Option<Secret>,
    /// By the time of pairing.
    pub machines: Vec<MachineView>,
    /// Whether it is told when a machine waits for a person.
    pub is_told: bool,
}

/// A machine that a device may control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineView {
    /// Id of its environment.
    pub environment_id: String,
    /// Id of the device as its controller.
    pub client_id: String,
    /// Its name, for people.
    pub name: String,
    /// What the device may do.
    pub scopes: Scopes,
    /// Whether it can be reached.
    pub machine: Machine,
    /// What the device is called there.
    pub device_name: Option<String>,
}

/// Sent when a phone opens its socket to a machine.
#[derive(Debug, Message)]
#[rtype(result = "Result<Admitted, RelayRefusal>")]
pub struct AdmitPhone {
    /// The token of the device.
    pub token: Secret,
    /// Id of the environment.
    pub environment_id: String,
}

/// Sent when the relay ends: every socket gets a close frame. The answer comes when they have been told.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct EndRelay;

/// Sent by the local socket of the relay for `relay status`, one at a time. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "Result<Overview, RelayRefusal>")]
pub struct AskOverview;

/// The answer to [`AskOverview`].
#[derive(Clone, Debug)]
pub struct Overview {
    /// By name.
    pub accounts: Vec<AccountRow>,
    /// By account and name.
    pub machines: Vec<MachineOverview>,
    /// How many devices are paired with any machine.
    pub devices: i64,
}

/// A machine.
#[derive(Clone, Debug)]
pub struct MachineOverview {
    /// What is kept of it.
    pub row: MachineRow,
    /// Whether it can be reached.
    pub machine: Machine,
    /// How many phones have a socket to it.
    pub phones: usize,
}

/// Sent when a phone wants to be told. Its earlier subscription is forgotten.
#[derive(Message)]
#[rtype(result = "Result<(), RelayRefusal>")]
pub struct SubscribeDevice {
    /// The token of the device.
    pub token: Secret,
    /// The address of its push service.
    pub endpoint: String,
}

/// Sent when a phone does not want to be told any more.
#[derive(Message)]
#[rtype(result = "Result<(), RelayRefusal>")]
pub struct UnsubscribeDevice {
    /// The token of the device.
    pub token: Secret,
}
