//! Remote control: the methods for clients, and the messages between this host and the backend, over HTTP and over the
//! WebSocket.
//!
//! Messages between host and backend can be encoded and decoded on both sides, for the backend of the tests and
//! the relay of our own.

mod end_to_end;
mod envelope;
pub mod http;
mod message;
mod notice;
mod rpc;
mod status;
mod wire;

pub use end_to_end::{EndToEnd, EndToEndReason, PairingMessage, PairingStep};
pub use envelope::{BackendBody, BackendEnvelope, HostBody, HostEnvelope, PongStatus, Segment};
pub use message::{Message, MessageKind};
pub use notice::{Machine, Notice};
pub use rpc::{
    PairingConfirmParams, PairingDevice, PairingDeviceState, PairingEndToEnd, PairingStartParams, PairingStartResponse,
    PairingStatusParams, PairingStatusResponse, RemoteControlAnswer, RemoteControlClient,
    RemoteControlClientsListParams, RemoteControlClientsListResponse, RemoteControlClientsRevokeParams,
    RemoteControlEnableParams, RemoteControlRequest, SortOrder,
};
pub use status::{RemoteControlState, RemoteControlStatus, RemoteControlStatusReadResponse};
