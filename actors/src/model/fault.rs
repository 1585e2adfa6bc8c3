//! How a stream can fail to be an answer.

use super::provider::WireApi;
use super::sse::EventTooLong;
use crate::protocol::model::ProviderError;

/// Why a stream is not an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamFault {
    /// It ended before the answer was complete.
    Broken,
    /// An event is invalid.
    Garbled(String),
    /// It is not a stream of events; contains its beginning.
    NoStream(String),
    /// An event is too long.
    TooLong(EventTooLong),
    /// The provider speaks this other wire.
    OtherWire(WireApi),
    /// The provider reported an error.
    Failed(ProviderError),
    /// The provider ended the answer early, for this reason.
    Incomplete(String),
    /// The answer is complete but empty.
    Empty,
}
