//! The messages of remote control. It also receives [`LinkLost`] from the link.
//!
//! [`LinkLost`]: crate::remote_link::LinkLost

use std::time::Duration;

use actix::prelude::*;

use crate::connection::ConnectionId;
use crate::metrics::state::RemoteState;
use crate::protocol::initialize::ClientInfo;

/// Sent by the processor for a connection that has just been initialized. Remote control sends it the status, and uses
/// the name of the first client towards the backend. No reply. Mailbox full: a task of the processor waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Meet {
    /// Who.
    pub connection: ConnectionId,
    /// Name and version of the client.
    pub client: ClientInfo,
}

/// Sent by whoever looks at the metrics. The reply is the state of remote control. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "RemoteState")]
pub struct MeasureRemoteControl;

/// Sent at shutdown, after every connection was closed: stops dialing, sends the last messages of remote streams, and
/// drops the socket. The reply comes when it is dropped. Mailbox full: the sender waits.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct EndRemoteControl {
    /// Time limit for the last messages.
    pub grace: Duration,
}
