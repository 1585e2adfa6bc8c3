//! How a stream can fail to be an answer.

use super::provider::WireApi;
use super::sse::EventTooLong;
use crate::protocol::model::ProviderError;

/// Why a stream is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamFault {
    /// It ended before the answer did.
    Broken,
    /// An event makes no sense.
    Garbled(String),
    /// It is no stream of events; so it began.
    NoStream(String),
    /// An event is too long.
    TooLong(EventTooLong),
    /// The provider speaks this wire.
    OtherWire(WireApi),
    /// The provider says so.
    Failed(ProviderError),
    /// The provider ended the answer before it was complete, for this reason.
    Incomplete(String),
    /// The answer is complete, and there is nothing in it.
    Empty,
}
