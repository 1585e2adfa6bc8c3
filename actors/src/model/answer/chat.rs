//! Answers in chunks of Chat Completions.

use uuid::Uuid;

use super::super::event::ModelEvent;
use super::super::provider::WireApi;
use super::super::sse::SseEvent;
use super::numbers::Numbers;
use crate::model::fault::StreamFault;
use crate::protocol::model::chat::{ChatChunk, FinishReason, ToolCallPart};
use crate::protocol::model::{HistoryItem, ProviderError, ReasoningText, Role, TokenUsage};

/// The state of the answer.
#[derive(Debug)]
pub struct ChatAnswer {
    numbers: Numbers,
    reasoning: Option<(u32, String)>,
    message: Option<(u32, String)>,
    calls: Vec<Call>,
    finish: Option<FinishReason>,
    usage: Option<TokenUsage>,
    complete: bool,
}

/// A call being assembled.
#[derive(Debug)]
struct Call {
    index: Option<u64>,
    id: Option<String>,
    name: String,
    arguments: String,
}

impl Call {
    fn has_whole_arguments(&self) -> bool {
        self.arguments.trim_end().ends_with('}')
            && serde_json::from_str::<serde::de::IgnoredAny>(&self.arguments).is_ok()
    }
}

impl ChatAnswer {
    pub fn new(numbers: Numbers) -> Self {
        Self { numbers, reasoning: None, message: None, calls: Vec::new(), finish: None, usage: None, complete: false }
    }

    pub fn is_complete(&self) -> bool {
        self.complete
    }

    pub fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    pub fn next_item(&self) -> u32 {
        self.numbers.next
    }

    pub fn take(&mut self, event: &SseEvent, out: &mut Vec<ModelEvent>) -> Result<(), StreamFault> {
        let data = event.data.trim();
        if self.complete || data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            return self.conclude(FinishReason::Complete, out);
        }
        let chunk = match ChatChunk::read(data) {
            Ok(chunk) => chunk,
            Err(_) if event.name == "error" => {
                return Err(StreamFault::Failed(ProviderError {
                    message: Some(data.to_owned()),
                    ..Default::default()
                }));
            }
            Err(error) => return Err(StreamFault::Garbled(error.to_string())),
        };
        if let Some(error) = chunk.error {
            return Err(StreamFault::Failed(error));
        }
        if chunk.is_responses_event {
            return Err(StreamFault::OtherWire(WireApi::Responses));
        }
        self.think(chunk.delta.reasoning, out);
        self.say(chunk.delta.text, out);
        for part in chunk.delta.tool_calls {
            self.call(part);
        }
        self.usage = chunk.usage.or(self.usage);
        if let Some(reason) = chunk.finish {
            self.finish = Some(reason);
            // Calls can start at once; the token usage may arrive later.
            if reason == FinishReason::Complete {
                self.close(out);
            }
        }
        match self.finish {
            Some(reason) if self.usage.is_some() => self.conclude(reason, out),
            _ => Ok(()),
        }
    }

    pub fn end(&mut self, out: &mut Vec<ModelEvent>) -> Result<(), StreamFault> {
        match self.finish {
            _ if self.complete => Ok(()),
            Some(reason) => self.conclude(reason, out),
            None => Err(StreamFault::Broken),
        }
    }

    /// Ends open items. Calls that may be incomplete must not be made.
    pub fn cut(&mut self, out: &mut Vec<ModelEvent>) {
        self.calls.clear();
        self.end_reasoning(true, out);
        self.end_message(true, out);
    }

    fn think(&mut self, delta: String, out: &mut Vec<ModelEvent>) {
        if delta.is_empty() {
            return;
        }
        self.end_message(false, out);
        let (item, text) = self.reasoning.get_or_insert_with(|| (self.numbers.take(), String::new()));
        text.push_str(&delta);
        out.push(ModelEvent::ReasoningDelta { item: *item, index: 0, delta });
    }

    fn say(&mut self, delta: String, out: &mut Vec<ModelEvent>) {
        if delta.is_empty() {
            return;
        }
        self.end_reasoning(false, out);
        let (item, text) = self.message.get_or_insert_with(|| (self.numbers.take(), String::new()));
        text.push_str(&delta);
        out.push(ModelEvent::TextDelta { item: *item, delta });
    }

    /// Adds a piece to its call, which not every server names.
    fn call(&mut self, part: ToolCallPart) {
        let ToolCallPart { index, id, name, arguments } = part;
        match self.calls.iter().rposition(|call| continues(call, index, id.as_ref(), name.as_ref(), &arguments)) {
            Some(place) => {
                let call = &mut self.calls[place];
                call.id = call.id.take().or(id);
                if call.name.is_empty() {
                    call.name = name.unwrap_or_default();
                }
                call.arguments.push_str(&arguments);
            }
            None => {
                let before = self.calls.last().map(|call| call.name.clone());
                let name = name.or(before).unwrap_or_default();
                self.calls.push(Call { index, id, name, arguments });
            }
        }
    }

    /// Ends all items and reports the calls.
    fn close(&mut self, out: &mut Vec<ModelEvent>) {
        self.end_reasoning(false, out);
        self.end_message(false, out);
        let mut known: Vec<String> = Vec::new();
        for Call { id, name, arguments, .. } in std::mem::take(&mut self.calls) {
            // Outputs refer to ids, so two calls need different ones.
            let call_id = id.filter(|id| !known.contains(id)).unwrap_or_else(|| format!("call_{}", Uuid::now_v7()));
            known.push(call_id.clone());
            let arguments = if arguments.trim().is_empty() { "{}".to_owned() } else { arguments };
            let item = self.numbers.take();
            self.numbers.finish(item, HistoryItem::FunctionCall { call_id, name, arguments }, false, out);
        }
    }

    fn conclude(&mut self, reason: FinishReason, out: &mut Vec<ModelEvent>) -> Result<(), StreamFault> {
        let reason = self.finish.unwrap_or(reason);
        match reason {
            FinishReason::Complete => self.close(out),
            FinishReason::Length | FinishReason::ContentFilter => self.cut(out),
        }
        out.extend(self.usage.take().map(ModelEvent::Usage));
        match reason {
            FinishReason::Length => Err(StreamFault::Incomplete("max_output_tokens".to_owned())),
            FinishReason::ContentFilter => Err(StreamFault::Incomplete("content_filter".to_owned())),
            FinishReason::Complete if self.numbers.done == 0 => Err(StreamFault::Empty),
            FinishReason::Complete => {
                self.complete = true;
                out.push(ModelEvent::Completed);
                Ok(())
            }
        }
    }

    fn end_reasoning(&mut self, cut: bool, out: &mut Vec<ModelEvent>) {
        if let Some((item, text)) = self.reasoning.take() {
            let text = ReasoningText { summary: Vec::new(), content: vec![text] };
            if let Ok(entry) = HistoryItem::reasoning(&text) {
                self.numbers.finish(item, entry, cut, out);
            }
        }
    }

    fn end_message(&mut self, cut: bool, out: &mut Vec<ModelEvent>) {
        if let Some((item, text)) = self.message.take() {
            self.numbers.finish(item, HistoryItem::text(Role::Assistant, text), cut, out);
        }
    }
}

/// Whether a piece belongs to `call`. Some servers number every call 0, some repeat id and name in every piece, some
/// send neither.
fn continues(call: &Call, index: Option<u64>, id: Option<&String>, name: Option<&String>, arguments: &str) -> bool {
    let same_index = index.is_none() || call.index.is_none() || call.index == index;
    match (id, &call.id) {
        (Some(id), Some(known)) => id == known && same_index,
        // The id arrived late.
        (Some(_), None) => same_index && call.index.is_some() && name.is_none(),
        (None, _) => {
            let other_name = name.is_some_and(|name| *name != call.name && !call.name.is_empty());
            let could_begin = name.is_some() || arguments.trim_start().starts_with('{');
            same_index && !other_name && !(could_begin && call.has_whole_arguments())
        }
    }
}
