//! The messages of a server's link.

use std::collections::HashSet;
use std::sync::Arc;

use actix::prelude::*;
use bytestring::ByteString;

use crate::protocol::remote::Machine;
use crate::protocol::scope::Scopes;
use crate::relay::end::End;
use crate::relay::exchange::StreamKey;
use crate::relay::socket::Outbox;

/// Sent by the relay when the server has a new socket, which takes the place of an earlier one. The number of the socket
/// comes back. Mailbox full: the sender waits.
#[derive(Message)]
#[rtype(result = "u64")]
pub struct Connected {
    /// What is sent to the server.
    pub outbox: Arc<Outbox>,
    /// The cursor with which the server came.
    pub cursor: Option<String>,
}

/// Sent by the reader of the server's socket, one at a time. The answer comes when it is handled. Mailbox full: the socket is
/// not read meanwhile.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FromServer {
    /// The number of the socket.
    pub socket: u64,
    /// The text message; `None` for a pong.
    pub text: Option<ByteString>,
}

/// Sent by the reader of the server's socket when it has ended. Mailbox full: the sender waits.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Disconnected {
    /// The number of the socket.
    pub socket: u64,
}

/// Sent by a controller that has started. The key of its stream comes back, or why it must end. Mailbox full: the sender
/// waits.
#[derive(Message)]
#[rtype(result = "Result<StreamKey, End>")]
pub struct Attach {
    /// Id of the controller.
    pub client: String,
    /// The stream to resume, if the phone names one.
    pub stream: Option<String>,
    /// What the phone may do.
    pub scopes: Scopes,
    /// What is sent to the phone.
    pub outbox: Arc<Outbox>,
}

/// Sent by a controller, one at a time. The answer comes when the message is handled, which waits while the server does not
/// read. Mailbox full: the phone is not read meanwhile.
#[derive(Message)]
#[rtype(result = "()")]
pub struct FromPhone {
    /// The stream.
    pub key: StreamKey,
    /// The text message.
    pub text: ByteString,
}

/// Sent by a controller whose socket has ended; the stream waits for the phone. Mailbox full: the sender waits.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Detach {
    /// The stream.
    pub key: StreamKey,
    /// What was sent to the phone; another socket may have taken its place.
    pub outbox: Arc<Outbox>,
}

/// Sent by the relay when a pairing has ended: every stream of the controller ends, at both ends. The answer comes when they
/// have. Mailbox full: the sender waits.
#[derive(Message)]
#[rtype(result = "()")]
pub struct EndClient {
    /// Id of the controller.
    pub client: String,
}

/// Sent by the relay when another process has changed what there is: the streams of all other controllers end. Mailbox full: the
/// sender waits.
#[derive(Message)]
#[rtype(result = "()")]
pub struct KeepClients {
    /// Ids of the controllers that exist.
    pub clients: Arc<HashSet<String>>,
}

/// Sent by the relay when the server may not connect any more, or when the relay ends: every socket ends. Mailbox full: the
/// sender waits.
#[derive(Message)]
#[rtype(result = "()")]
pub struct EndLink {
    /// Why.
    pub why: End,
}

/// Sent by whoever shows a list of machines: is this one connected? Mailbox full: the sender waits.
#[derive(Message)]
#[rtype(result = "Machine")]
pub struct AskMachine;

/// Sent for the overview of whoever runs the relay. Mailbox full: the sender waits.
#[derive(Message)]
#[rtype(result = "LinkOverview")]
pub struct AskLink;

/// What a link knows of its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkOverview {
    /// Whether it can be reached.
    pub machine: Machine,
    /// How many phones have a socket to it.
    pub phones: usize,
}
