//! From a model's answer to the items of a turn.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::messages::{Growth, TurnEvent};
use super::plan::{Piece, PlanFinder};
use crate::protocol::item::{AgentMessage, Item, ItemKind, MessagePhase, Plan, Reasoning};
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
    /// Plans in what is said are items of their own.
    with_plans: bool,
}

struct Open {
    id: Arc<str>,
    item: Item,
    /// `None` where plans are text like any other.
    plans: Option<Plans>,
}

/// The plans in a message.
#[derive(Default)]
struct Plans {
    finder: PlanFinder,
    /// The message as the model wrote it.
    written: String,
    /// The plan in progress.
    open: Option<Item>,
}

impl Answer {
    /// An answer in which nothing was said yet. `with_plans`: plans in what is said are items of their own.
    pub(super) fn new(with_plans: bool) -> Self {
        Self { open: BTreeMap::new(), with_plans }
    }

    /// More of item `number`, which starts now if it has not yet.
    pub(super) fn grow(&mut self, number: u32, growth: Growth, now_ms: i64) -> Vec<TurnEvent> {
        let mut events = Vec::with_capacity(2);
        let with_plans = self.with_plans;
        let open = self.open.entry(number).or_insert_with(|| {
            let kind = match growth {
                Growth::Text(_) | Growth::Plan(_) | Growth::Output(_) => {
                    ItemKind::AgentMessage(AgentMessage::default())
                }
                _ => ItemKind::Reasoning(Reasoning::default()),
            };
            let open = Open::new(kind, with_plans, now_ms);
            events.push(TurnEvent::ItemStarted(open.item.clone()));
            open
        });
        open.grow(growth, now_ms, &mut events);
        events
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
        let mut open = self.open.remove(&number);
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
        let mut open = open.take().unwrap_or_else(|| {
            let mut open = Open::new(empty(&kind), self.with_plans, now_ms);
            events.push(TurnEvent::ItemStarted(open.item.clone()));
            if open.plans.is_some() {
                open.grow(Growth::Text(entry.said()), now_ms, &mut events);
            }
            open
        });
        let has_plans = open.end_plans(now_ms, &mut events);
        let mut item = open.item;
        item.kind = match (kind, &item.kind) {
            (ItemKind::AgentMessage(message), ItemKind::AgentMessage(shown)) if has_plans => {
                ItemKind::AgentMessage(AgentMessage { text: shown.text.clone(), ..message })
            }
            (kind, _) => kind,
        };
        item.completed_at_ms = Some(now_ms);
        // Only the provider that wrote them can continue thoughts, and only whole ones.
        let keep = !cut || matches!(item.kind, ItemKind::AgentMessage(_));
        let history = if keep { vec![entry] } else { Vec::new() };
        events.push(TurnEvent::ItemCompleted { item, history });
        (events, None)
    }

    /// The answer ends here: what is in progress is complete with the text so far.
    pub(super) fn cut(&mut self, now_ms: i64) -> Vec<TurnEvent> {
        let mut events = Vec::new();
        for mut open in std::mem::take(&mut self.open).into_values() {
            open.end_plans(now_ms, &mut events);
            let Open { mut item, plans, .. } = open;
            item.completed_at_ms = Some(now_ms);
            let said = match (&item.kind, plans) {
                (ItemKind::AgentMessage(_), Some(plans)) => plans.written,
                (ItemKind::AgentMessage(message), None) => message.text.clone(),
                _ => String::new(),
            };
            let history = if said.is_empty() { Vec::new() } else { vec![HistoryItem::text(Role::Assistant, said)] };
            events.push(TurnEvent::ItemCompleted { item, history });
        }
        events
    }
}

impl Open {
    fn new(kind: ItemKind, with_plans: bool, now_ms: i64) -> Self {
        let is_message = matches!(kind, ItemKind::AgentMessage(_));
        let item = started(kind, now_ms);
        Self { id: item.id.as_str().into(), item, plans: (with_plans && is_message).then(Plans::default) }
    }

    fn grow(&mut self, growth: Growth, now_ms: i64, events: &mut Vec<TurnEvent>) {
        match (growth, &mut self.plans) {
            (Growth::Text(text), Some(plans)) => {
                plans.written.push_str(&text);
                let pieces = plans.finder.push(&text);
                self.take(pieces, now_ms, events);
            }
            (growth, _) => {
                growth.apply(&mut self.item);
                events.push(TurnEvent::Grew { item_id: self.id.clone(), growth });
            }
        }
    }

    /// What was held back is said, and a plan in progress is complete. Returns whether the message is one with plans.
    fn end_plans(&mut self, now_ms: i64, events: &mut Vec<TurnEvent>) -> bool {
        let Some(plans) = &mut self.plans else { return false };
        let pieces = plans.finder.finish();
        self.take(pieces, now_ms, events);
        true
    }

    fn take(&mut self, pieces: Vec<Piece>, now_ms: i64, events: &mut Vec<TurnEvent>) {
        let Some(plans) = &mut self.plans else { return };
        for piece in pieces {
            match piece {
                Piece::Said(text) => {
                    let growth = Growth::Text(text);
                    growth.apply(&mut self.item);
                    events.push(TurnEvent::Grew { item_id: self.id.clone(), growth });
                }
                Piece::Begins => {
                    let plan = started(ItemKind::Plan(Plan::default()), now_ms);
                    events.push(TurnEvent::ItemStarted(plan.clone()));
                    plans.open = Some(plan);
                }
                Piece::Planned(text) => {
                    let Some(plan) = &mut plans.open else { continue };
                    let growth = Growth::Plan(text);
                    growth.apply(plan);
                    events.push(TurnEvent::Grew { item_id: plan.id.as_str().into(), growth });
                }
                Piece::Ends => {
                    let Some(plan) = plans.open.take() else { continue };
                    let item = Item { completed_at_ms: Some(now_ms), ..plan };
                    events.push(TurnEvent::ItemCompleted { item, history: Vec::new() });
                }
            }
        }
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
        let first: Vec<_> = answer.grow(0, text("Hel"), 5);
        let [TurnEvent::ItemStarted(started), TurnEvent::Grew { item_id, .. }] = &first[..] else { panic!() };
        assert_eq!((message(started), started.id.as_str()), ("", &**item_id));
        assert_eq!(answer.grow(0, text("lo"), 6).len(), 1);
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
        answer.grow(0, Growth::Thought { index: 0, text: "hm".to_owned() }, 1);
        answer.grow(1, text("Half a"), 1);
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
    fn a_plan_is_an_item_that_completes_before_its_message_which_is_without_it() {
        let whole = "Look:\n<proposed_plan>\n- a\n</proposed_plan>\n";
        for streamed in [true, false] {
            let mut answer = Answer::new(true);
            let mut events = Vec::new();
            if streamed {
                for piece in whole.split_inclusive(' ').flat_map(|word| word.split_inclusive('_')) {
                    events.extend(answer.grow(0, text(piece), 1));
                }
            }
            events.extend(answer.complete(0, HistoryItem::text(Role::Assistant, whole), false, 2).0);
            let completed: Vec<_> = events
                .iter()
                .filter_map(|event| match event {
                    TurnEvent::ItemCompleted { item, history } => Some((item, history)),
                    _ => None,
                })
                .collect();
            let [(plan, nothing), (said, history)] = completed[..] else { panic!("{} items", completed.len()) };
            assert!(matches!(&plan.kind, ItemKind::Plan(plan) if plan.text == "- a\n") && nothing.is_empty());
            assert_eq!((message(said), history[0].said().as_str()), ("Look:\n", whole));
        }
        let mut cut = Answer::new(true);
        cut.grow(0, text("<proposed_plan>\n- half"), 1);
        let events = cut.cut(2);
        let Some(TurnEvent::ItemCompleted { item, history }) = events.last() else { panic!() };
        assert_eq!((message(item), history[0].said().as_str()), ("", "<proposed_plan>\n- half"));
    }

    #[test]
    fn a_call_is_remembered_and_is_no_item() {
        let entry = HistoryItem::FunctionCall { call_id: "c".into(), name: "f".into(), arguments: "{}".into() };
        let (events, call) = Answer::default().complete(0, entry, false, 1);
        assert!(matches!(&events[..], [TurnEvent::Remembered(history)] if history.len() == 1));
        assert_eq!(call.unwrap().name, "f");
    }
}
