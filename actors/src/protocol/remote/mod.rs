//! Remote control: what clients ask and are told, and what this host and the backend say to each other, over HTTP and over
//! the WebSocket.
//!
//! What goes between host and backend can be written and read, because a test's backend, and one day a relay of our own,
//! are the other end.

mod envelope;
pub mod http;
mod message;
mod rpc;
mod status;
mod wire;

pub use envelope::{BackendBody, BackendEnvelope, HostBody, HostEnvelope, PongStatus, Segment};
pub use message::{Message, MessageKind};
pub use rpc::{
    PairingStartParams, PairingStartResponse, PairingStatusParams, PairingStatusResponse, RemoteControlAnswer,
    RemoteControlClient, RemoteControlClientsListParams, RemoteControlClientsListResponse,
    RemoteControlClientsRevokeParams, RemoteControlEnableParams, RemoteControlRequest, SortOrder,
};
pub use status::{RemoteControlState, RemoteControlStatus, RemoteControlStatusReadResponse};
