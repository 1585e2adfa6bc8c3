//! What a call gives back.

use crate::protocol::model::{ContentPart, HistoryItem};

/// What a tool gives back.
pub(super) enum Answer {
    /// Text for the model.
    Text(String),
    /// Text and images for the model.
    Parts(Vec<ContentPart>),
    /// Text for the model, which it sees in a later turn: the person wants this one to end.
    EndTurn(String),
}

/// A call that was made.
pub(in crate::turn) struct Made {
    /// The place of the call among those of its answer, counted from 0. Commands of users come last.
    pub(in crate::turn) number: usize,
    /// What the model sees of it.
    pub(in crate::turn) entry: HistoryItem,
    pub(in crate::turn) ends_turn: bool,
}

impl Made {
    /// Whether a user wanted it, and not the model.
    pub(in crate::turn) fn is_of_user(&self) -> bool {
        !matches!(self.entry, HistoryItem::FunctionCallOutput { .. })
    }
}
