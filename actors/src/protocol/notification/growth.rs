//! Notifications that add text to an item: several may be told as one, and mean the same.

use super::{ItemDelta, ReasoningSummaryTextDelta, ReasoningTextDelta, ServerNotification};

/// Bytes of text in one joined notification.
const MOST_JOINED_BYTES: usize = 64 * 1024;

impl ServerNotification {
    /// Whether it adds text to an item.
    pub fn adds_text(&self) -> bool {
        matches!(
            self,
            Self::AgentMessageDelta(_)
                | Self::PlanDelta(_)
                | Self::CommandExecutionOutputDelta(_)
                | Self::ReasoningTextDelta(_)
                | Self::ReasoningSummaryTextDelta(_)
        )
    }

    /// Appends the text that `later` adds, if it belongs to the same place. Returns whether it did.
    pub fn join(&mut self, later: &Self) -> bool {
        match (self, later) {
            (Self::AgentMessageDelta(first), Self::AgentMessageDelta(more))
            | (Self::PlanDelta(first), Self::PlanDelta(more))
            | (Self::CommandExecutionOutputDelta(first), Self::CommandExecutionOutputDelta(more)) => {
                let ItemDelta { thread_id, turn_id, item_id, delta } = more;
                let same = (first.thread_id, &first.turn_id, &first.item_id) == (*thread_id, turn_id, item_id);
                same && append(&mut first.delta, delta)
            }
            (Self::ReasoningTextDelta(first), Self::ReasoningTextDelta(more)) => {
                let ReasoningTextDelta { thread_id, turn_id, item_id, delta, content_index } = more;
                let same = (first.thread_id, &first.turn_id, &first.item_id) == (*thread_id, turn_id, item_id);
                same && first.content_index == *content_index && append(&mut first.delta, delta)
            }
            (Self::ReasoningSummaryTextDelta(first), Self::ReasoningSummaryTextDelta(more)) => {
                let ReasoningSummaryTextDelta { thread_id, turn_id, item_id, delta, summary_index } = more;
                let same = (first.thread_id, &first.turn_id, &first.item_id) == (*thread_id, turn_id, item_id);
                same && first.summary_index == *summary_index && append(&mut first.delta, delta)
            }
            _ => false,
        }
    }
}

fn append(text: &mut String, more: &str) -> bool {
    let fits = text.len() + more.len() <= MOST_JOINED_BYTES;
    if fits {
        text.push_str(more);
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::thread::ThreadId;

    #[test]
    fn only_text_of_one_place_is_joined_and_no_more_than_the_bound() {
        let thread_id = ThreadId::new();
        let delta = |item: &str, text: &str| ItemDelta {
            thread_id,
            turn_id: "t".to_owned(),
            item_id: item.to_owned(),
            delta: text.to_owned(),
        };
        let said = |item, text| ServerNotification::AgentMessageDelta(delta(item, text));
        let mut first = said("a", "x");
        assert!(first.adds_text() && first.join(&said("a", "y")));
        assert!(matches!(&first, ServerNotification::AgentMessageDelta(ItemDelta { delta, .. }) if delta == "xy"));
        assert!(!first.join(&said("b", "z")), "another item");
        assert!(!first.join(&ServerNotification::PlanDelta(delta("a", "z"))), "another kind");
        assert!(!first.join(&said("a", &"z".repeat(MOST_JOINED_BYTES))), "too long");
    }
}
