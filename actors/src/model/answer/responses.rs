//! Answers in events of the Responses API.

use super::super::event::ModelEvent;
use super::super::provider::WireApi;
use super::super::sse::SseEvent;
use super::numbers::Numbers;
use crate::model::fault::StreamFault;
use crate::protocol::model::responses::{Outcome, Place, ResponsesEvent};
use crate::protocol::model::{ContentPart, HistoryItem, ReasoningText, Role};

/// The state of the answer.
#[derive(Debug)]
pub struct ResponsesAnswer {
    numbers: Numbers,
    open: Vec<Open>,
    /// Ids of complete items; some servers repeat items.
    done: Vec<String>,
    complete: bool,
}

/// An open item.
#[derive(Debug)]
struct Open {
    place: Place,
    number: u32,
    /// Whether an event with its number was reported.
    told: bool,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Message {
        text: String,
        phase: Option<String>,
    },
    Reasoning(ReasoningText),
    Call {
        call_id: String,
        name: String,
        arguments: String,
    },
    /// It has no events before it is complete.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Message,
    Reasoning,
    Call,
    Other,
}

impl Content {
    fn of(item: HistoryItem) -> Self {
        match item {
            HistoryItem::Message { phase, .. } => Self::Message { text: String::new(), phase },
            HistoryItem::Reasoning(_) => Self::Reasoning(ReasoningText::default()),
            HistoryItem::FunctionCall { call_id, name, arguments } => Self::Call { call_id, name, arguments },
            HistoryItem::FunctionCallOutput { .. } | HistoryItem::Raw(_) => Self::Other,
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Message { .. } => Kind::Message,
            Self::Reasoning(_) => Kind::Reasoning,
            Self::Call { .. } => Kind::Call,
            Self::Other => Kind::Other,
        }
    }

    /// The item according to its deltas; `None` without deltas.
    fn into_item(self) -> Option<HistoryItem> {
        match self {
            Self::Message { text, phase } => Some(message(text, phase)),
            Self::Reasoning(text) => HistoryItem::reasoning(&text).ok(),
            Self::Call { call_id, name, arguments } => Some(HistoryItem::FunctionCall { call_id, name, arguments }),
            Self::Other => None,
        }
    }
}

fn kind_of(item: &HistoryItem) -> Kind {
    match item {
        HistoryItem::Message { .. } => Kind::Message,
        HistoryItem::Reasoning(_) => Kind::Reasoning,
        HistoryItem::FunctionCall { .. } => Kind::Call,
        HistoryItem::FunctionCallOutput { .. } | HistoryItem::Raw(_) => Kind::Other,
    }
}

fn message(text: String, phase: Option<String>) -> HistoryItem {
    HistoryItem::Message { role: Role::Assistant, content: vec![ContentPart::OutputText { text }], phase }
}

impl ResponsesAnswer {
    pub fn new(numbers: Numbers) -> Self {
        Self { numbers, open: Vec::new(), done: Vec::new(), complete: false }
    }

    pub fn is_complete(&self) -> bool {
        self.complete
    }

    pub fn next_item(&self) -> u32 {
        self.numbers.next
    }

    pub fn take(&mut self, event: &SseEvent, out: &mut Vec<ModelEvent>) -> Result<(), StreamFault> {
        // Not part of this API, but harmless after the end, and sent by servers that have both.
        if self.complete || event.data.trim() == "[DONE]" {
            return Ok(());
        }
        let event = ResponsesEvent::read(&event.data).map_err(|error| StreamFault::Garbled(error.to_string()))?;
        match event {
            ResponsesEvent::ItemAdded(place, item) => self.add(place, item),
            ResponsesEvent::TextDelta(place, delta) => self.text(&place, &delta, out),
            ResponsesEvent::TextDone(place, text) => {
                // A server without deltas sends everything here.
                if matches!(&self.at(&place, Kind::Message).content, Content::Message { text, .. } if text.is_empty()) {
                    self.text(&place, &text, out);
                }
            }
            ResponsesEvent::SummaryPart(place, index) => {
                let open = self.at(&place, Kind::Reasoning);
                open.told = true;
                out.push(ModelEvent::ReasoningSummaryPart { item: open.number, index });
            }
            ResponsesEvent::SummaryDelta(place, index, delta) => self.thought(&place, index, delta, true, out),
            ResponsesEvent::ReasoningDelta(place, index, delta) => self.thought(&place, index, delta, false, out),
            ResponsesEvent::ArgumentsDelta(place, delta) => {
                if let Some(arguments) = self.arguments(&place) {
                    arguments.push_str(&delta);
                }
            }
            ResponsesEvent::ArgumentsDone(place, whole) => {
                if let Some(arguments) = self.arguments(&place) {
                    *arguments = whole;
                }
            }
            ResponsesEvent::ItemDone(place, item) => self.finish(&place, item, out),
            ResponsesEvent::Completed(outcome) => return self.complete(outcome, out),
            ResponsesEvent::Incomplete(outcome, reason) => {
                self.cut(out);
                out.extend(outcome.usage.map(ModelEvent::Usage));
                return Err(StreamFault::Incomplete(reason.unwrap_or_else(|| "unknown".to_owned())));
            }
            ResponsesEvent::Failed(outcome, error) => {
                self.cut(out);
                out.extend(outcome.usage.map(ModelEvent::Usage));
                return Err(StreamFault::Failed(error));
            }
            ResponsesEvent::ChatChunk => return Err(StreamFault::OtherWire(WireApi::Chat)),
            ResponsesEvent::Other => {}
        }
        Ok(())
    }

    pub fn end(&self) -> Result<(), StreamFault> {
        if self.complete { Ok(()) } else { Err(StreamFault::Broken) }
    }

    /// Ends open items that were reported. An incomplete call must not be made.
    pub fn cut(&mut self, out: &mut Vec<ModelEvent>) {
        for Open { number, told, content, .. } in std::mem::take(&mut self.open) {
            if let Some(entry) = content.into_item().filter(|_| told) {
                self.numbers.finish(number, entry, true, out);
            }
        }
    }

    fn add(&mut self, place: Place, item: HistoryItem) {
        let is_known = match &place.id {
            Some(id) => self.done.contains(id) || self.open.iter().any(|open| open.place.id.as_ref() == Some(id)),
            None => place.index.is_some() && self.open.iter().any(|open| open.place.index == place.index),
        };
        if !is_known {
            let number = self.numbers.take();
            self.open.push(Open { place, number, told: false, content: Content::of(item) });
        }
    }

    /// Finds the open item of an event: by id, by number, or the last one of its kind.
    fn find(&self, place: &Place, kind: Kind) -> Option<usize> {
        let of_kind = |open: &Open| open.content.kind() == kind;
        let by_id = || self.open.iter().position(|open| of_kind(open) && open.place.id == place.id);
        let by_index = || self.open.iter().position(|open| of_kind(open) && open.place.index == place.index);
        (place.id.as_ref().and_then(|_| by_id()))
            .or_else(|| place.index.and_then(|_| by_index()))
            .or_else(|| self.open.iter().rposition(of_kind))
    }

    /// Finds the open item of an event, or opens it.
    fn at(&mut self, place: &Place, kind: Kind) -> &mut Open {
        let found = self.find(place, kind).unwrap_or_else(|| {
            let content = match kind {
                Kind::Reasoning => Content::Reasoning(ReasoningText::default()),
                Kind::Message | Kind::Call | Kind::Other => Content::Message { text: String::new(), phase: None },
            };
            let number = self.numbers.take();
            self.open.push(Open { place: place.clone(), number, told: false, content });
            self.open.len() - 1
        });
        &mut self.open[found]
    }

    fn text(&mut self, place: &Place, delta: &str, out: &mut Vec<ModelEvent>) {
        if delta.is_empty() {
            return;
        }
        let open = self.at(place, Kind::Message);
        if let Content::Message { text, .. } = &mut open.content {
            text.push_str(delta);
            open.told = true;
            out.push(ModelEvent::TextDelta { item: open.number, delta: delta.to_owned() });
        }
    }

    fn thought(&mut self, place: &Place, index: u32, delta: String, summary: bool, out: &mut Vec<ModelEvent>) {
        let open = self.at(place, Kind::Reasoning);
        let Content::Reasoning(text) = &mut open.content else { return };
        let parts = if summary { &mut text.summary } else { &mut text.content };
        // Parts arrive in order; a number that skips some is a server's mistake and must not allocate memory.
        let part = usize::try_from(index).unwrap_or(usize::MAX).min(parts.len());
        if part == parts.len() {
            parts.push(String::new());
        }
        parts[part].push_str(&delta);
        open.told = true;
        let item = open.number;
        let index = u32::try_from(part).unwrap_or(index);
        out.push(match summary {
            true => ModelEvent::ReasoningSummaryDelta { item, index, delta },
            false => ModelEvent::ReasoningDelta { item, index, delta },
        });
    }

    fn arguments(&mut self, place: &Place) -> Option<&mut String> {
        let found = self.find(place, Kind::Call)?;
        match &mut self.open[found].content {
            Content::Call { arguments, .. } => Some(arguments),
            _ => None,
        }
    }

    /// An item is complete. Its deltas fill in what the server now leaves out.
    fn finish(&mut self, place: &Place, item: HistoryItem, out: &mut Vec<ModelEvent>) {
        if let Some(id) = &place.id {
            if self.done.contains(id) {
                return;
            }
            self.done.push(id.clone());
        }
        let open = self.find(place, kind_of(&item)).map(|found| self.open.remove(found));
        let (number, told, content) = match open {
            Some(Open { number, told, content, .. }) => (Some(number), told, content),
            None => (None, false, Content::Other),
        };
        let entry = match (item, content) {
            (item @ HistoryItem::Message { .. }, Content::Message { text, phase }) if item.said().is_empty() => {
                message(text, phase)
            }
            (item @ HistoryItem::Reasoning(_), Content::Reasoning(text))
                if item.thought() == ReasoningText::default() && text != ReasoningText::default() =>
            {
                HistoryItem::reasoning(&text).unwrap_or(item)
            }
            (HistoryItem::FunctionCall { call_id, name, arguments }, Content::Call { arguments: told, .. }) => {
                let arguments = if arguments.is_empty() { told } else { arguments };
                HistoryItem::FunctionCall { call_id, name, arguments }
            }
            (item, _) => item,
        };
        // An empty message is not shown.
        if told || !matches!(&entry, HistoryItem::Message { .. } if entry.said().is_empty()) {
            let number = number.unwrap_or_else(|| self.numbers.take());
            self.numbers.finish(number, entry, false, out);
        }
    }

    fn complete(&mut self, outcome: Outcome, out: &mut Vec<ModelEvent>) -> Result<(), StreamFault> {
        if self.numbers.done == 0 && !outcome.output.is_empty() {
            for item in outcome.output {
                self.finish(&Place::default(), item, out);
            }
        }
        for Open { number, told, content, .. } in std::mem::take(&mut self.open) {
            let is_call = content.kind() == Kind::Call;
            if let Some(entry) = content.into_item().filter(|_| told || is_call) {
                self.numbers.finish(number, entry, false, out);
            }
        }
        out.extend(outcome.usage.map(ModelEvent::Usage));
        if self.numbers.done == 0 {
            return Err(StreamFault::Empty);
        }
        self.complete = true;
        out.push(ModelEvent::Completed);
        Ok(())
    }
}
