//! The answer of a model as a stream of events.

use std::time::Duration;

use super::failure::ModelFailure;
use crate::protocol::account::RateLimitSnapshot;
use crate::protocol::model::{HistoryItem, TokenUsage};

/// An event of an answer. A stream always ends with [`ModelEvent::Completed`] or with a [`ModelFailure`].
///
/// Items are numbered in order. An item starts with the first event that has its number and ends with
/// [`ModelEvent::ItemDone`]. All items end before the stream ends and before [`ModelEvent::Retrying`], with their text
/// so far. Numbers are not reused after a retry.
#[derive(Clone, Debug)]
pub enum ModelEvent {
    /// The provider has accepted the request. Once per attempt.
    Started,
    /// More text of a message.
    TextDelta {
        /// The message.
        item: u32,
        /// The added text.
        delta: String,
    },
    /// A new part of a reasoning summary starts.
    ReasoningSummaryPart {
        /// The reasoning.
        item: u32,
        /// Index of the part, from 0.
        index: u32,
    },
    /// More text of a part of a reasoning summary.
    ReasoningSummaryDelta {
        /// The reasoning.
        item: u32,
        /// The part.
        index: u32,
        /// The added text.
        delta: String,
    },
    /// More text of the reasoning itself.
    ReasoningDelta {
        /// The reasoning.
        item: u32,
        /// Index of the part, from 0.
        index: u32,
        /// The added text.
        delta: String,
    },
    /// An item is complete: a message, reasoning, a call of a tool, or another item of the provider. Calls are always
    /// complete and can be started before the answer ends.
    ItemDone {
        /// Which.
        item: u32,
        /// The item for the history. Its text takes precedence over that of the deltas.
        entry: HistoryItem,
        /// Whether the answer broke off within this item.
        cut: bool,
    },
    /// A rate limit of the account, as the provider states it with its answer or refusal.
    RateLimit(Box<RateLimitSnapshot>),
    /// Token usage of the request. At most once in a successful attempt, before the end.
    Usage(TokenUsage),
    /// The attempt has failed, and another one follows.
    Retrying(Retrying),
    /// The answer is complete. It has at least one item.
    Completed,
}

/// Another attempt follows.
#[derive(Clone, Debug)]
pub struct Retrying {
    /// Number of this retry, from 1.
    pub attempt: u32,
    /// Maximum number of retries.
    pub of: u32,
    /// The wait before it.
    pub after: Duration,
    /// The error.
    pub failure: ModelFailure,
}
