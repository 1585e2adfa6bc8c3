//! What is counted of one call to a model.

use std::sync::Arc;
use std::time::Instant;

use super::TurnSetup;
use crate::metrics::Metrics;
use crate::model::ModelEvent;
use crate::traces::{Span, Traces};

/// A call to a model that has begun.
pub(super) struct Asked {
    metrics: Arc<Metrics>,
    traces: Traces,
    turn_id: Arc<str>,
    provider: String,
    since: Instant,
    began: bool,
}

impl Asked {
    /// The call begins now.
    pub(super) fn new(setup: &TurnSetup, turn_id: &Arc<str>, provider: &str) -> Self {
        Self {
            metrics: setup.metrics.clone(),
            traces: setup.traces.clone(),
            turn_id: turn_id.clone(),
            provider: provider.to_owned(),
            since: Instant::now(),
            began: false,
        }
    }

    /// The model said something.
    pub(super) fn hear(&mut self, event: &ModelEvent) {
        match event {
            ModelEvent::Started | ModelEvent::Completed => return,
            ModelEvent::Retrying(_) => return self.metrics.models.retried(&self.provider),
            ModelEvent::Usage(usage) => return self.metrics.models.used(&self.provider, usage),
            _ => {}
        }
        if !std::mem::replace(&mut self.began, true) {
            self.metrics.models.began(&self.provider, self.since.elapsed());
        }
    }

    /// The call is over: it was `answered`, `failed`, or was `stopped` by somebody.
    pub(super) fn end(self, how: &'static str) {
        self.metrics.models.ended(&self.provider, how);
        self.traces.ended(Span {
            turn_id: &self.turn_id,
            name: "model",
            since: self.since,
            failed: how == "failed",
            attributes: &[("provider", &self.provider), ("end", how)],
        });
    }
}
