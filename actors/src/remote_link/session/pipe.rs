//! The connection behind a stream.

use super::outbound::StreamKey;
use crate::protocol::scope::Scopes;

/// The pipe to the connection of a stream. Dropping it ends the connection.
pub(in crate::remote_link) trait Pipe: Sized {
    /// Opens pipes.
    type Opener;

    /// Opens a new connection for a stream. With `scopes` it gets no others.
    fn open(opener: &Self::Opener, key: &StreamKey, generation: u64, scopes: Option<Scopes>) -> Self;

    /// Sends a line including its newline to the connection. Returns false if it has no room.
    fn offer(&self, line: String) -> bool;
}
