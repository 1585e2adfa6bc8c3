//! The state of one stream that speaks end to end.

use tokio::time::Instant;

use super::noise::Channel;
use crate::protocol::scope::Scopes;
use crate::remote_link::PublicKey;

/// See the module's documentation.
pub struct SealedStream {
    pub channel: Channel,
    pub stage: Stage,
    /// The phone's first message. When it comes again, nothing happens.
    pub greeting: Vec<u8>,
    /// The number of the last message of the phone.
    pub mark: Option<u64>,
    /// The device's key.
    pub device: PublicKey,
    /// When the phone last said something.
    pub heard: Instant,
}

/// How far it has come.
pub enum Stage {
    /// The device is paired. The next message begins the connection.
    Paired(Scopes),
    /// A new device owes the number to which it has committed itself.
    Committed(Commitment),
    /// A new device waits for a decision.
    Undecided { pairing: u64 },
    /// The connection is open.
    Open,
}

/// What a new device and the machine have said in the handshake.
pub struct Commitment {
    pub pairing: u64,
    pub knows_secret: bool,
    /// The digest of the phone's number.
    pub digest: Vec<u8>,
    /// The machine's number.
    pub nonce: Vec<u8>,
    /// The digest of the handshake.
    pub handshake: Vec<u8>,
}
