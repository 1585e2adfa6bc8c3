//! The messages of a controller; only the reader of its socket sends any.

use actix::prelude::*;
use bytestring::ByteString;

/// Sent by the reader of the phone's socket, one at a time. The answer comes when the message was passed on. Mailbox full: the
/// phone is not read meanwhile.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Said {
    /// The text message.
    pub text: ByteString,
}

/// Sent by the reader of the phone's socket when it has ended. Mailbox full: the sender waits.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Gone;
