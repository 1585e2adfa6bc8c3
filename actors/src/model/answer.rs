//! Converts the bytes of a stream into the events of an answer. Pure: any bytes, cut anywhere, give an answer or a
//! [`StreamFault`].

mod chat;
mod numbers;
mod responses;
#[cfg(test)]
mod tests;

use self::chat::ChatAnswer;
use self::numbers::Numbers;
use self::responses::ResponsesAnswer;
use super::event::ModelEvent;
use super::fault::StreamFault;
use super::provider::WireApi;
use super::sse::{Sse, SseEvent};

/// An answer being read.
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

impl Answer {
    /// Creates an answer of which nothing was read yet. Its first item gets the number `first_item`; an event may have
    /// `event_bytes` bytes.
    pub fn new(wire: WireApi, first_item: u32, event_bytes: usize) -> Self {
        let numbers = Numbers::new(first_item);
        let wire = match wire {
            WireApi::Chat => Wire::Chat(ChatAnswer::new(numbers)),
            WireApi::Responses | WireApi::Echo => Wire::Responses(ResponsesAnswer::new(numbers)),
        };
        Self { sse: Sse::new(event_bytes), wire, events: Vec::new() }
    }

    /// Parses more bytes, and appends their events to `out`.
    ///
    /// # Errors
    /// The stream is not an answer, or breaks off. Call [`Self::cut`] then.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<ModelEvent>) -> Result<(), StreamFault> {
        // What follows a complete answer does not matter.
        if self.is_complete() {
            return Ok(());
        }
        let read = self.sse.push(bytes, &mut self.events);
        self.take(out)?;
        if self.is_complete() { Ok(()) } else { read.map_err(StreamFault::TooLong) }
    }

    /// The stream has ended.
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

    /// Ends every open item with its text so far.
    pub fn cut(&mut self, out: &mut Vec<ModelEvent>) {
        match &mut self.wire {
            Wire::Responses(answer) => answer.cut(out),
            Wire::Chat(answer) => answer.cut(out),
        }
    }

    /// Whether [`ModelEvent::Completed`] was reported.
    pub fn is_complete(&self) -> bool {
        match &self.wire {
            Wire::Responses(answer) => answer.is_complete(),
            Wire::Chat(answer) => answer.is_complete(),
        }
    }

    /// Whether only the token usage can still arrive.
    pub fn is_finished(&self) -> bool {
        match &self.wire {
            Wire::Responses(answer) => answer.is_complete(),
            Wire::Chat(answer) => answer.is_finished(),
        }
    }

    /// The number of the next item.
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
