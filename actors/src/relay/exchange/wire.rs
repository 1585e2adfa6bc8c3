//! What the exchange needs of a socket.

use bytestring::ByteString;

use crate::relay::end::End;

/// The sending end of a socket.
pub trait Wire {
    /// Queues a text message. Returns false if there is no room, or the socket is gone.
    fn push(&self, text: ByteString) -> bool;

    /// Ends the socket behind what is queued.
    fn end(&self, why: End);

    /// Whether both are the same socket.
    fn is(&self, other: &Self) -> bool;
}
