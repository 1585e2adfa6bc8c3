//! From a model's answer to the items of a turn.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::messages::{Growth, TurnEvent};
use crate::protocol::item::{AgentMessage, Item, ItemKind, MessagePhase, Reasoning};
use crate::protocol::model::{HistoryItem, Role};

/// A call of a tool that the model wants made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) call_id: String,
    pub(super) name: String,
    /// As the model wrote them, which need not be JSON.
    pub(super) arguments: String,
}

/// The items of one answer that are in progress, by the model's numbers.
#[derive(Default)]
pub(super) struct Answer {
    open: BTreeMap<u32, Open>,
}

struct Open {
    id: Arc<str>,
    item: Item,
}

impl Answer {
    /// More of item `number`, which starts now if it has not yet.
    pub(super) fn grow(&mut self, number: u32, growth: Growth, now_ms: i64) -> impl Iterator<Item = TurnEvent> + use<> {
        let (item_id, started) = match self.open.get_mut(&number) {
            Some(open) => {
                growth.apply(&mut open.item);
                (open.id.clone(), None)
            }
            None => {
                let kind = match growth {
                    Growth::Text(_) | Growth::Output(_) => ItemKind::AgentMessage(AgentMessage::default()),
                    _ => ItemKind::Reasoning(Reasoning::default()),
                };
                let item = started(kind, now_ms);
                let id: Arc<str> = item.id.as_str().into();
                let mut grown = item.clone();
                growth.apply(&mut grown);
                self.open.insert(number, Open { id: id.clone(), item: grown });
                (id, Some(TurnEvent::ItemStarted(item)))
            }
        };
        started.into_iter().chain([TurnEvent::Grew { item_id, growth }])
    }

    /// Item `number` is complete, and `entry` is what it is for the history. `cut` says that it broke off. The events and,
    /// where the item is one, the call come back.
    pub(super) fn complete(
        &mut self,
        number: u32,
        entry: HistoryItem,
        cut: bool,
        now_ms: i64,
    ) -> (Vec<TurnEvent>, Option<Call>) {
        let open = self.open.remove(&number).map(|open| open.item);
        let kind = match &entry {
            HistoryItem::Message { role: Role::Assistant, phase, .. } => ItemKind::AgentMessage(AgentMessage {
                text: entry.said(),
                phase: phase.as_deref().and_then(message_phase),
                ..AgentMessage::default()
            }),
            HistoryItem::Reasoning(_) => {
                let thought = entry.thought();
                let reasoning = Reasoning { summary: thought.summary, content: thought.content };
                if open.is_none() && reasoning == Reasoning::default() {
                    // Thoughts that nobody can read are no item.
                    return (vec![TurnEvent::Remembered(vec![entry])], None);
                }
                ItemKind::Reasoning(reasoning)
            }
            HistoryItem::FunctionCall { call_id, name, arguments } => {
                let call = Call { call_id: call_id.clone(), name: name.clone(), arguments: arguments.clone() };
                return (vec![TurnEvent::Remembered(vec![entry])], Some(call));
            }
            _ => return (vec![TurnEvent::Remembered(vec![entry])], None),
        };
        let mut events = Vec::with_capacity(2);
        let mut item = open.unwrap_or_else(|| {
            let item = started(empty(&kind), now_ms);
            events.push(TurnEvent::ItemStarted(item.clone()));
            item
        });
        item.kind = kind;
        item.completed_at_ms = Some(now_ms);
        // Only the provider that wrote them can continue thoughts, and only whole ones.
        let keep = !cut || matches!(item.kind, ItemKind::AgentMessage(_));
        let history = if keep { vec![entry] } else { Vec::new() };
        events.push(TurnEvent::ItemCompleted { item, history });
        (events, None)
    }

    /// The answer ends here: what is in progress is complete with the text so far.
    pub(super) fn cut(&mut self, now_ms: i64) -> Vec<TurnEvent> {
        let open = std::mem::take(&mut self.open);
        open.into_values()
            .map(|Open { mut item, .. }| {
                item.completed_at_ms = Some(now_ms);
                let history = match &item.kind {
                    ItemKind::AgentMessage(message) if !message.text.is_empty() => {
                        vec![HistoryItem::text(Role::Assistant, message.text.as_str())]
                    }
                    _ => Vec::new(),
                };
                TurnEvent::ItemCompleted { item, history }
            })
            .collect()
    }
}

/// An item that starts now, under a new id.
pub(super) fn started(kind: ItemKind, now_ms: i64) -> Item {
    Item { kind, id: Uuid::now_v7().to_string(), started_at_ms: Some(now_ms), completed_at_ms: None }
}

fn empty(kind: &ItemKind) -> ItemKind {
    match kind {
        ItemKind::Reasoning(_) => ItemKind::Reasoning(Reasoning::default()),
        _ => ItemKind::AgentMessage(AgentMessage::default()),
    }
}

fn message_phase(phase: &str) -> Option<MessagePhase> {
    match phase {
        "commentary" => Some(MessagePhase::Commentary),
        "partial_answer" => Some(MessagePhase::PartialAnswer),
        "final_answer" => Some(MessagePhase::FinalAnswer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Growth {
        Growth::Text(text.to_owned())
    }

    fn message(item: &Item) -> &str {
        match &item.kind {
            ItemKind::AgentMessage(message) => &message.text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_item_starts_empty_grows_and_completes_under_one_id() {
        let mut answer = Answer::default();
        let first: Vec<_> = answer.grow(0, text("Hel"), 5).collect();
        let [TurnEvent::ItemStarted(started), TurnEvent::Grew { item_id, .. }] = &first[..] else { panic!() };
        assert_eq!((message(started), started.id.as_str()), ("", &**item_id));
        assert_eq!(answer.grow(0, text("lo"), 6).count(), 1);
        let (events, call) = answer.complete(0, HistoryItem::text(Role::Assistant, "Hello"), false, 7);
        let [TurnEvent::ItemCompleted { item, history }] = &events[..] else { panic!() };
        assert_eq!((message(item), item.id.as_str(), item.completed_at_ms), ("Hello", &**item_id, Some(7)));
        assert_eq!((history.len(), call), (1, None));
        assert!(answer.cut(8).is_empty(), "nothing is left in progress");
    }

    #[test]
    fn an_item_that_comes_whole_starts_all_the_same() {
        let (events, _) = Answer::default().complete(3, HistoryItem::text(Role::Assistant, "All"), false, 1);
        let [TurnEvent::ItemStarted(started), TurnEvent::ItemCompleted { item, .. }] = &events[..] else { panic!() };
        assert_eq!((message(started), message(item), started.id == item.id), ("", "All", true));
    }

    #[test]
    fn what_is_cut_keeps_its_text_for_people_and_for_the_model() {
        let mut answer = Answer::default();
        answer.grow(0, Growth::Thought { index: 0, text: "hm".to_owned() }, 1).count();
        answer.grow(1, text("Half a"), 1).count();
        let events = answer.cut(2);
        let [TurnEvent::ItemCompleted { history: thought, .. }, TurnEvent::ItemCompleted { item, history: said }] =
            &events[..]
        else {
            panic!()
        };
        assert!(thought.is_empty());
        assert_eq!((message(item), said[0].said().as_str()), ("Half a", "Half a"));
    }

    #[test]
    fn a_call_is_remembered_and_is_no_item() {
        let entry = HistoryItem::FunctionCall { call_id: "c".into(), name: "f".into(), arguments: "{}".into() };
        let (events, call) = Answer::default().complete(0, entry, false, 1);
        assert!(matches!(&events[..], [TurnEvent::Remembered(history)] if history.len() == 1));
        assert_eq!(call.unwrap().name, "f");
    }
}
