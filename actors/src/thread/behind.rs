//! Commands that go on behind the end of their turn: their output is told under its id, and their end is recorded.

use crate::protocol::item::{Item, ItemKind};
use crate::store::TurnRecord;
use crate::turn::Growth;

/// The commands of one thread that go on, each with its turn.
#[derive(Default)]
pub(super) struct Behind(Vec<(TurnRecord, Item)>);

impl Behind {
    /// `items` go on, and `turn` has ended.
    pub(super) fn keep(&mut self, turn: &TurnRecord, items: Vec<Item>) {
        self.0.extend(items.into_iter().map(|item| (turn.clone(), item)));
    }

    /// An item became longer. The id of its turn comes back, if it is one of these.
    pub(super) fn grew(&mut self, item_id: &str, growth: &Growth) -> Option<String> {
        let (turn, item) = self.0.iter_mut().find(|(_, item)| item.id == item_id)?;
        growth.apply(item);
        Some(turn.id.clone())
    }

    /// An item is complete. Its turn comes back, if it is one of these.
    pub(super) fn complete(&mut self, item_id: &str) -> Option<TurnRecord> {
        let at = self.0.iter().position(|(_, item)| item.id == item_id)?;
        Some(self.0.swap_remove(at).0)
    }
}

/// Whether the item can go on behind the end of its turn: only commands can.
pub(super) fn can_go_on(item: &Item) -> bool {
    matches!(item.kind, ItemKind::CommandExecution(_))
}
