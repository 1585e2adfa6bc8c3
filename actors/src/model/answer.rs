//! From the events of a stream to the events of an answer. Pure: bytes of any kind, cut anywhere, end in an answer or
//! in a [`StreamFault`].

mod chat;
mod responses;
#[cfg(test)]
mod tests;

use self::chat::ChatAnswer;
use self::responses::ResponsesAnswer;
use super::event::ModelEvent;
use super::provider::WireApi;
use super::sse::{EventTooLong, Sse, SseEvent};
use crate::protocol::model::{HistoryItem, ProviderError};

/// Why a stream is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamFault {
    /// It ended before the answer did.
    Broken,
    /// An event makes no sense.
    Garbled(String),
    /// It is no stream of events; so it began.
    NoStream(String),
    /// An event is too long.
    TooLong(EventTooLong),
    /// The provider speaks this wire.
    OtherWire(WireApi),
    /// The provider says so.
    Failed(ProviderError),
    /// The provider ended the answer before it was complete, for this reason.
    Incomplete(String),
    /// The answer is complete, and there is nothing in it.
    Empty,
}

/// One answer while it is read.
#[derive(Debug)]
pub struct Answer {
    sse: Sse,
    wire: Wire,
    events: Vec<SseEvent>,
}

#[derive(Debug)]
enum Wire {
    Responses(ResponsesAnswer),
    Chat(ChatAnswer),
}

/// Gives the items of an answer their numbers, and counts those that were told.
#[derive(Debug)]
struct Numbers {
    next: u32,
    done: u32,
}

impl Numbers {
    fn take(&mut self) -> u32 {
        let number = self.next;
        self.next = number.saturating_add(1);
        number
    }

    /// Tells that an item is complete.
    fn finish(&mut self, item: u32, entry: HistoryItem, cut: bool, out: &mut Vec<ModelEvent>) {
        self.done = self.done.saturating_add(1);
        out.push(ModelEvent::ItemDone { item, entry, cut });
    }
}

impl Answer {
    /// Nothing read yet. The first item gets the number `first_item`; an event may have `event_bytes` bytes.
    pub fn new(wire: WireApi, first_item: u32, event_bytes: usize) -> Self {
        let numbers = Numbers { next: first_item, done: 0 };
        let wire = match wire {
            WireApi::Chat => Wire::Chat(ChatAnswer::new(numbers)),
            WireApi::Responses | WireApi::Echo => Wire::Responses(ResponsesAnswer::new(numbers)),
        };
        Self { sse: Sse::new(event_bytes), wire, events: Vec::new() }
    }

    /// Reads on, and appends what the bytes say to `out`.
    ///
    /// # Errors
    /// There is no answer, or no more of it. Call [`Self::cut`] then.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<ModelEvent>) -> Result<(), StreamFault> {
        // Whatever follows an answer says nothing about it.
        if self.is_complete() {
            return Ok(());
        }
        let read = self.sse.push(bytes, &mut self.events);
        self.take(out)?;
        if self.is_complete() { Ok(()) } else { read.map_err(StreamFault::TooLong) }
    }

    /// There are no more bytes.
    ///
    /// # Errors
    /// The answer is not complete. Call [`Self::cut`] then.
    pub fn end(&mut self, out: &mut Vec<ModelEvent>) -> Result<(), StreamFault> {
        self.sse.finish(&mut self.events);
        self.take(out)?;
        let ended = match &mut self.wire {
            Wire::Responses(answer) => answer.end(),
            Wire::Chat(answer) => answer.end(out),
        };
        ended.map_err(|fault| match (fault, self.sse.opening()) {
            (StreamFault::Broken, Some(opening)) if !opening.trim().is_empty() => StreamFault::NoStream(opening),
            (fault, _) => fault,
        })
    }

    /// There will be no more: ends every item that has begun, with the text that there is.
    pub fn cut(&mut self, out: &mut Vec<ModelEvent>) {
        match &mut self.wire {
            Wire::Responses(answer) => answer.cut(out),
            Wire::Chat(answer) => answer.cut(out),
        }
    }

    /// Whether [`ModelEvent::Completed`] was told.
    pub fn is_complete(&self) -> bool {
        match &self.wire {
            Wire::Responses(answer) => answer.is_complete(),
            Wire::Chat(answer) => answer.is_complete(),
        }
    }

    /// Whether nothing but the costs can still come.
    pub fn is_finished(&self) -> bool {
        match &self.wire {
            Wire::Responses(answer) => answer.is_complete(),
            Wire::Chat(answer) => answer.is_finished(),
        }
    }

    /// The number that the next item would get.
    pub fn next_item(&self) -> u32 {
        match &self.wire {
            Wire::Responses(answer) => answer.next_item(),
            Wire::Chat(answer) => answer.next_item(),
        }
    }

    fn take(&mut self, out: &mut Vec<ModelEvent>) -> Result<(), StreamFault> {
        let Self { wire, events, .. } = self;
        events.drain(..).try_for_each(|event| match wire {
            Wire::Responses(answer) => answer.take(&event, out),
            Wire::Chat(answer) => answer.take(&event, out),
        })
    }
}
