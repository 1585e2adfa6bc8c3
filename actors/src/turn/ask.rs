//! One call to the model.

use futures_util::{FutureExt, StreamExt};

use super::answer::{Answer, Call};
use super::figures::Asked;
use super::messages::{Growth, TurnEvent};
use super::run::{Answered, Heard, Run, Stop, failure};
use super::tools;
use crate::model::{ModelEvent, ModelFailure, ModelRequest};
use crate::protocol::item::{Item, ItemKind};
use crate::protocol::settings::ModeKind;
use crate::protocol::turn::{CodexErrorInfo, TurnError};

/// What people see of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Showing {
    /// Its items.
    Items,
    /// Its thoughts and its calls: its messages are work for somebody who shows what comes of them.
    Work,
    /// Nothing: it is work on the conversation itself.
    Nothing,
}

impl Run {
    /// One answer of the model, from the request to its end. Calls of tools start as they arrive, and may still run
    /// when it ends.
    pub(super) async fn ask(
        &mut self,
        request: ModelRequest,
        showing: Showing,
        answered: &mut Answered,
    ) -> Result<(), Stop> {
        let mut answer = Answer::new(self.task.rules.mode == ModeKind::Plan);
        let mut wanted = Vec::new();
        let provider = self.task.rules.provider.clone();
        let mut asked = Asked::new(&self.setup, &self.task.turn_id, &provider.id);
        let mut events = self.models.ask(provider, request);
        let end = loop {
            let event = tokio::select! {
                biased;
                input = self.inbox.recv() => match self.hear(input) {
                    // A call that has been made must not be lost, so an answer with calls goes on to its end.
                    Heard::Words if showing == Showing::Items && answered.calls == 0 => break Ok(()),
                    Heard::Words | Heard::Other => continue,
                    Heard::Interrupt => break Err(Stop::Interrupted),
                },
                Some(made) = self.calls.next(), if !self.calls.is_empty() => match self.take_made(made) {
                    Ok(()) => continue,
                    Err(stop) => break Err(stop),
                },
                event = events.next() => event,
            };
            let mut event = Some(event);
            let step = loop {
                match event.take() {
                    Some(Some(Ok(ModelEvent::Completed))) => break Some(Ok(())),
                    // A call that was made must not be made again: the next request tells the model of it.
                    Some(Some(Ok(ModelEvent::Retrying(_)))) if answered.calls + wanted.len() > 0 => break Some(Ok(())),
                    Some(Some(Ok(event))) => {
                        asked.hear(&event);
                        let call = self.take(event, showing, &mut answer, answered);
                        wanted.extend(call);
                    }
                    Some(Some(Err(failure))) => break Some(Err(Stop::Failed(told(failure)))),
                    Some(None) => {
                        let error = failure("the answer of the model broke off", CodexErrorInfo::Other);
                        break Some(Err(Stop::Failed(error)));
                    }
                    None => break None,
                }
                if !self.reporter.is_full() {
                    event = events.next().now_or_never();
                }
            };
            self.reporter.flush().await?;
            for call in wanted.drain(..) {
                let most = self.setup.limits.calls_per_answer;
                if answered.calls < most {
                    self.calls.push(tools::make(self.toolbox.clone(), answered.calls, call));
                } else {
                    self.made.push(tools::not_made(answered.calls, call, most));
                }
                answered.calls += 1;
            }
            if let Some(end) = step {
                break end;
            }
        };
        asked.end(match &end {
            Ok(()) => "answered",
            Err(Stop::Failed(_)) => "failed",
            Err(Stop::Interrupted | Stop::Gone) => "stopped",
        });
        let cut = answer.cut(self.setup.clock.unix_ms());
        self.show(cut, showing);
        end
    }

    /// Takes in an event of the answer. A call that the model wants made comes back.
    fn take(
        &mut self,
        event: ModelEvent,
        showing: Showing,
        answer: &mut Answer,
        answered: &mut Answered,
    ) -> Option<Call> {
        let now = self.setup.clock.unix_ms();
        let (item, growth) = match event {
            ModelEvent::Started | ModelEvent::Completed => return None,
            ModelEvent::TextDelta { item, delta } => (item, Growth::Text(delta)),
            ModelEvent::ReasoningSummaryPart { item, index } => (item, Growth::SummaryPart { index: index as usize }),
            ModelEvent::ReasoningSummaryDelta { item, index, delta } => {
                (item, Growth::Summary { index: index as usize, text: delta })
            }
            ModelEvent::ReasoningDelta { item, index, delta } => {
                (item, Growth::Thought { index: index as usize, text: delta })
            }
            ModelEvent::ItemDone { item, entry, cut } => {
                let said = entry.said();
                let (events, call) = answer.complete(item, entry, cut, now);
                if !said.is_empty() {
                    answered.text = said;
                }
                self.show(events, showing);
                return call.filter(|_| showing != Showing::Nothing);
            }
            ModelEvent::Usage(usage) => {
                self.last_tokens = usage.total;
                let context_window = self.task.rules.context_window;
                self.reporter.push(TurnEvent::Used { usage, context_window });
                return None;
            }
            ModelEvent::RateLimit(limit) => {
                self.reporter.push(TurnEvent::Limited(limit));
                return None;
            }
            ModelEvent::Retrying(retrying) => {
                self.reporter.push(TurnEvent::Retrying(told(retrying.failure)));
                return None;
            }
        };
        let events = answer.grow(item, growth, now);
        self.show(events, showing);
        None
    }

    /// Reports what belongs to the conversation, and adds it to the history.
    fn show(&mut self, events: Vec<TurnEvent>, showing: Showing) {
        if showing == Showing::Nothing {
            return;
        }
        for event in &events {
            if let TurnEvent::ItemCompleted { history, .. } | TurnEvent::Remembered(history) = event {
                self.history.extend(history.iter().cloned());
            }
        }
        match showing {
            Showing::Work => self.reporter.extend(events.into_iter().filter_map(beside)),
            _ => self.reporter.extend(events),
        }
    }
}

fn told(ModelFailure { info, message, details, .. }: ModelFailure) -> TurnError {
    TurnError { additional_details: details, ..failure(message, info) }
}

/// What people see of an event in a conversation beside the thread's own: thoughts and calls, but no messages. The history of
/// the thread stays as it is.
fn beside(event: TurnEvent) -> Option<TurnEvent> {
    let is_message = |item: &Item| matches!(item.kind, ItemKind::AgentMessage(_));
    match event {
        TurnEvent::ItemStarted(item) if is_message(&item) => None,
        TurnEvent::ItemCompleted { item, .. } if is_message(&item) => None,
        TurnEvent::Grew { growth: Growth::Text(_), .. } | TurnEvent::Remembered(_) => None,
        TurnEvent::ItemCompleted { item, .. } => Some(TurnEvent::ItemCompleted { item, history: Vec::new() }),
        event => Some(event),
    }
}
