//! What the model replies.

use std::time::Duration;

use serde_json::{Value, json};

use super::Gate;
use crate::support::backend::http::Answer;

/// One reply: an answer in parts, or something that is none.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) head: Head,
    pub(super) parts: Vec<Part>,
    pub(super) end: End,
    pub(super) usage: Option<Usage>,
    pub(super) pace: Duration,
}

#[derive(Clone, Debug)]
pub(super) enum Head {
    /// An answer in events.
    Stream,
    /// An answer that is no stream.
    Answer(Answer),
    /// Bytes that may be anything.
    Raw(Vec<u8>),
    /// Nothing at all.
    None,
}

/// A part of an answer.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// One message, in these pieces.
    Text(Vec<Piece>),
    /// One reasoning item, in these deltas.
    Think(Vec<String>),
    Call {
        id: String,
        name: String,
        arguments: String,
    },
    Pause(Gate),
    /// One event with this data.
    Event(String),
}

/// A piece of a message.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Delta(String),
    Pause(Gate),
}

/// How a reply ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// As it should.
    Complete,
    /// The connection closes without a word.
    Cut,
    /// The connection is reset.
    Reset,
    /// Nothing more comes.
    Hang,
    /// The stream ends without its last events.
    Unfinished,
    /// The provider breaks off for this reason: `max_output_tokens`, `content_filter`.
    Incomplete(String),
    /// The provider says that it failed: a code and words.
    Failed(String, String),
}

/// Tokens read and written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Usage {
    pub input: u64,
    pub output: u64,
}

/// What is written on a wire.
pub(super) enum Step {
    Event(String),
    Pause(Gate),
}

impl Reply {
    fn of(head: Head) -> Self {
        let usage = Some(Usage { input: 100, output: 10 });
        Self { head, parts: Vec::new(), end: End::Complete, usage, pace: Duration::ZERO }
    }

    /// An answer to which parts are added.
    pub fn new() -> Self {
        Self::of(Head::Stream)
    }

    /// A message, one delta for each word.
    pub fn text(text: &str) -> Self {
        Self::new().and_text(text)
    }

    /// A call of a tool.
    pub fn call(name: &str, arguments: Value) -> Self {
        Self::new().and_call(name, arguments)
    }

    /// An answer that is no success.
    pub fn status(status: u16) -> Self {
        Self::of(Head::Answer(Answer::status(status)))
    }

    /// A refusal as OpenAI words it.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"error": {"code": code, "type": "error", "message": message}});
        Self::of(Head::Answer(Answer::status(status).json(&body)))
    }

    /// A page for people, as gateways and hotels send it.
    pub fn page(text: &str) -> Self {
        let page = format!("<!DOCTYPE html>\n<html><body><h1>{text}</h1></body></html>");
        Self::of(Head::Answer(Answer::status(200).text(&page).header("content-type", "text/html; charset=utf-8")))
    }

    /// JSON where a stream should be.
    pub fn json(body: &Value) -> Self {
        Self::of(Head::Answer(Answer::ok(body)))
    }

    /// Bytes that may be anything.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { end: End::Cut, ..Self::of(Head::Raw(bytes.into())) }
    }

    /// Not even a head.
    pub fn silence() -> Self {
        Self { end: End::Hang, ..Self::of(Head::None) }
    }

    /// The connection closes at once.
    pub fn close() -> Self {
        Self { end: End::Cut, ..Self::of(Head::None) }
    }

    /// The connection is reset at once.
    pub fn reset() -> Self {
        Self { end: End::Reset, ..Self::of(Head::None) }
    }

    /// Then a message, one delta for each word.
    pub fn and_text(self, text: &str) -> Self {
        self.and_deltas(text.split_inclusive(' '))
    }

    /// Then a message in these deltas.
    pub fn and_deltas<'a>(mut self, deltas: impl IntoIterator<Item = &'a str>) -> Self {
        let deltas = deltas.into_iter().map(|delta| Piece::Delta(delta.to_owned()));
        self.parts.push(Part::Text(deltas.collect()));
        self
    }

    /// Then more of the message, one delta for each word.
    pub fn and_more(mut self, text: &str) -> Self {
        let Some(Part::Text(pieces)) = self.parts.last_mut() else { panic!("there is no message to go on with") };
        pieces.extend(text.split_inclusive(' ').map(|delta| Piece::Delta(delta.to_owned())));
        self
    }

    /// Then a thought, one delta for each word.
    pub fn and_thought(mut self, text: &str) -> Self {
        self.parts.push(Part::Think(text.split_inclusive(' ').map(str::to_owned).collect()));
        self
    }

    /// Then a call of a tool. The n-th call of a reply has the id `call_n`.
    pub fn and_call(self, name: &str, arguments: Value) -> Self {
        let calls = self.parts.iter().filter(|part| matches!(part, Part::Call { .. })).count();
        self.and_call_as(&format!("call_{}", calls + 1), name, &arguments.to_string())
    }

    /// Then a call of a tool with this id and these arguments, which need not be JSON.
    pub fn and_call_as(mut self, id: &str, name: &str, arguments: &str) -> Self {
        let [id, name, arguments] = [id, name, arguments].map(str::to_owned);
        self.parts.push(Part::Call { id, name, arguments });
        self
    }

    /// Then it waits until the test opens `gate`; after a message that is within it, before its end.
    pub fn and_pause(mut self, gate: &Gate) -> Self {
        match self.parts.last_mut() {
            Some(Part::Text(pieces)) => pieces.push(Piece::Pause(gate.clone())),
            _ => self.parts.push(Part::Pause(gate.clone())),
        }
        self
    }

    /// Then an event with this data, whatever it means.
    pub fn and_event(mut self, data: &str) -> Self {
        self.parts.push(Part::Event(data.to_owned()));
        self
    }

    /// How it ends.
    pub fn end(self, end: End) -> Self {
        Self { end, ..self }
    }

    /// What it has cost.
    pub fn usage(self, input: u64, output: u64) -> Self {
        Self { usage: Some(Usage { input, output }), ..self }
    }

    /// Without a word about what it has cost.
    pub fn without_usage(self) -> Self {
        Self { usage: None, ..self }
    }

    /// Waits so long before every event.
    pub fn slowly(self, pace: Duration) -> Self {
        Self { pace, ..self }
    }

    /// With this header, if it is no stream.
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        if let Head::Answer(answer) = &mut self.head {
            *answer = std::mem::take(answer).header(name, value);
        }
        self
    }

    /// With this body, if it is no stream.
    pub fn body(mut self, body: &str) -> Self {
        if let Head::Answer(answer) = &mut self.head {
            *answer = std::mem::take(answer).text(body);
        }
        self
    }
}
