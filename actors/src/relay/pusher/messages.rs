//! The messages of the pusher.

use std::collections::HashSet;

use actix::prelude::*;

/// Sent by the link of a server whose machine waits for a person. Nothing comes back. Mailbox full: it is left out, and the
/// phones see it when they are opened.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Push {
    /// Id of the server.
    pub server_id: String,
    /// The controllers that have a socket, and see it by themselves.
    pub present: HashSet<String>,
}
