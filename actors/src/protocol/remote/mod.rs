//! What a remote-control backend and its hosts say to each other. Both directions can be written and read, because a test's
//! backend, and one day a relay of our own, are the other end.

mod envelope;
mod message;
mod wire;

pub use envelope::{BackendBody, BackendEnvelope, HostBody, HostEnvelope, PongStatus, Segment};
pub use message::{Message, MessageKind};
