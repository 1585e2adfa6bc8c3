//! What is counted of one call to a model.

use std::sync::Arc;
use std::time::Instant;

use crate::metrics::Metrics;
use crate::model::ModelEvent;

/// A call to a model that has begun.
pub(super) struct Asked {
    metrics: Arc<Metrics>,
    provider: String,
    since: Instant,
    began: bool,
}

impl Asked {
    /// The call begins now.
    pub(super) fn new(metrics: Arc<Metrics>, provider: &str) -> Self {
        Self { metrics, provider: provider.to_owned(), since: Instant::now(), began: false }
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
    }
}
