//! What a model answers, as a stream of events.

use std::time::Duration;

use super::failure::ModelFailure;
use crate::protocol::model::{HistoryItem, TokenUsage};

/// One step of an answer. A stream of them ends with [`ModelEvent::Completed`] or with a [`ModelFailure`], never
/// without one of the two.
///
/// Items are numbered in the order in which they begin. An item begins with the first event that names its number and
/// ends with [`ModelEvent::ItemDone`]; every item that began has ended before the stream ends and before
/// [`ModelEvent::Retrying`], with the text that there is. Numbers are not used again after a retry.
#[derive(Clone, Debug)]
pub enum ModelEvent {
    /// The provider has accepted the request. Once for each attempt.
    Started,
    /// More text of a message.
    TextDelta {
        /// The message.
        item: u32,
        /// What follows the text so far.
        delta: String,
    },
    /// The next part of the summary of what the model thinks begins.
    ReasoningSummaryPart {
        /// The reasoning.
        item: u32,
        /// The part, counted from 0.
        index: u32,
    },
    /// More text of a part of the summary.
    ReasoningSummaryDelta {
        /// The reasoning.
        item: u32,
        /// The part.
        index: u32,
        /// What follows the text so far.
        delta: String,
    },
    /// More of what the model thinks, in its own words.
    ReasoningDelta {
        /// The reasoning.
        item: u32,
        /// The part, counted from 0.
        index: u32,
        /// What follows the text so far.
        delta: String,
    },
    /// An item is complete: a message, reasoning, a call of a tool, or something else that the provider made. Calls are
    /// always whole, and can be started at once, before the answer has ended.
    ItemDone {
        /// Which.
        item: u32,
        /// For the history. Its text counts, should it differ from what the deltas said.
        entry: HistoryItem,
        /// True when the answer broke off within this item.
        cut: bool,
    },
    /// What this call has cost. At most once in a successful attempt; always before the end.
    Usage(TokenUsage),
    /// The attempt has failed, and another one follows.
    Retrying(Retrying),
    /// The answer is complete. It has at least one item.
    Completed,
}

/// Another attempt follows.
#[derive(Clone, Debug)]
pub struct Retrying {
    /// The number of this retry, counted from 1.
    pub attempt: u32,
    /// How many retries there are at most.
    pub of: u32,
    /// How long nothing happens before it.
    pub after: Duration,
    /// The error.
    pub failure: ModelFailure,
}
