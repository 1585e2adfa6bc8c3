//! Telling the thread what happened.

use std::sync::Arc;

use actix::prelude::*;

use super::messages::{Report, TurnEvent};

/// Events in one report from which on text of one item is joined: the thread is behind then, and fewer, longer pieces
/// are less work for everyone.
const JOIN_FROM: usize = 16;
/// Events in one report.
pub(super) const MOST_EVENTS: usize = 64;
/// Bytes of text in one joined piece.
const MOST_JOINED_BYTES: usize = 8 * 1024;

/// The thread is gone, and with it everyone who could be told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ThreadGone;

/// Collects events, and hands them to the thread.
pub(super) struct Reporter {
    turn_id: Arc<str>,
    thread: Recipient<Report>,
    events: Vec<TurnEvent>,
}

impl Reporter {
    pub(super) fn new(turn_id: Arc<str>, thread: Recipient<Report>) -> Self {
        Self { turn_id, thread, events: Vec::new() }
    }

    pub(super) fn push(&mut self, event: TurnEvent) {
        let is_behind = self.events.len() >= JOIN_FROM;
        let event = match (self.events.last_mut(), event) {
            (Some(TurnEvent::Grew { item_id: last, growth }), TurnEvent::Grew { item_id, growth: more })
                if is_behind && *last == item_id && growth.bytes() + more.bytes() <= MOST_JOINED_BYTES =>
            {
                match growth.join(more) {
                    Ok(()) => return,
                    Err(more) => TurnEvent::Grew { item_id, growth: more },
                }
            }
            (_, event) => event,
        };
        self.events.push(event);
    }

    pub(super) fn extend(&mut self, events: impl IntoIterator<Item = TurnEvent>) {
        events.into_iter().for_each(|event| self.push(event));
    }

    /// Whether a report should go before more is collected.
    pub(super) fn is_full(&self) -> bool {
        self.events.len() >= MOST_EVENTS
    }

    /// Hands over what was collected. Returns when it is recorded and told.
    pub(super) async fn flush(&mut self) -> Result<(), ThreadGone> {
        if self.events.is_empty() {
            return Ok(());
        }
        let report = Report { turn_id: self.turn_id.clone(), events: std::mem::take(&mut self.events) };
        self.thread.send(report).await.map_err(|_| ThreadGone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turn::messages::Growth;

    struct Nobody;

    impl Actor for Nobody {
        type Context = Context<Self>;
    }

    impl Handler<Report> for Nobody {
        type Result = ();

        fn handle(&mut self, _: Report, _: &mut Self::Context) {}
    }

    fn grew(item: &str, text: &str) -> TurnEvent {
        TurnEvent::Grew { item_id: item.into(), growth: Growth::Text(text.to_owned()) }
    }

    #[actix_rt::test]
    async fn text_is_joined_only_behind_a_backlog_and_never_across_items() {
        let mut reporter = Reporter::new("t".into(), Nobody.start().recipient());
        for _ in 0..JOIN_FROM {
            reporter.push(grew("a", "x"));
        }
        assert_eq!(reporter.events.len(), JOIN_FROM, "nobody is behind: each piece stays as the model cut it");
        reporter.extend([grew("a", "y"), grew("a", "z"), grew("b", "w")]);
        let texts: Vec<_> = reporter.events[JOIN_FROM - 1..]
            .iter()
            .map(|event| match event {
                TurnEvent::Grew { growth: Growth::Text(text), .. } => text.as_str(),
                _ => panic!(),
            })
            .collect();
        assert_eq!(texts, ["xyz", "w"]);
        assert_eq!(reporter.flush().await, Ok(()));
        assert!(reporter.events.is_empty());
    }
}
