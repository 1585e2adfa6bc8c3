//! What remote control is told. It is also told of a lost socket, with the link's own [`LinkLost`].
//!
//! [`LinkLost`]: crate::remote_link::LinkLost

use std::time::Duration;

use actix::prelude::*;

use crate::connection::ConnectionId;
use crate::protocol::initialize::ClientInfo;
use crate::protocol::remote::RemoteControlRequest;
use crate::remote_link::{Dial, EndSession, HangUp, SendRest};
use crate::reply::Reply;

/// Sent by the processor for a client's request. The answer goes to the router. Mailbox full: the client receives
/// -32001.
#[derive(Message)]
#[rtype(result = "()")]
pub struct AskRemoteControl {
    /// The duty to answer.
    pub reply: Reply,
    /// The request.
    pub request: RemoteControlRequest,
}

/// Sent by the processor for a connection that has just been initialized, which is then told where remote control stands.
/// The first one also gives its name to what is said to the backend. Nothing comes back. Mailbox full: a task of the
/// processor waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Meet {
    /// Who.
    pub connection: ConnectionId,
    /// As it named itself.
    pub client: ClientInfo,
}

/// Sent by the hub once the link is there; nothing is dialled before. Nothing comes back. Mailbox full: cannot be, it is
/// the first message.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Begin {
    /// Opens the socket.
    pub dial: Recipient<Dial>,
    /// Drops it.
    pub hang_up: Recipient<HangUp>,
    /// Drops it and forgets everything.
    pub end_session: Recipient<EndSession>,
    /// Waits for the last words.
    pub send_rest: Recipient<SendRest>,
    /// How long a dial may take.
    pub dial_time: Duration,
}

/// Sent by the hub when the server ends and every connection was told so: dials no more, sends what remote streams still
/// have to say, and drops the socket. Answered when it is gone. Mailbox full: the hub waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct EndRemoteControl {
    /// So long the last words may take.
    pub grace: Duration,
}
