//! Traces: on what a turn has spent its time, told to a collector of OpenTelemetry (OTLP over HTTP, in JSON).
//!
//! A turn is a trace, whose id is the turn's; its calls to models and of tools are spans in it. The program has this only with
//! the cargo feature `otlp`. Without it a [`Traces`] forgets what it is told.

#[cfg(feature = "otlp")]
mod encode;
#[cfg(feature = "otlp")]
mod export;

use std::time::Instant;

use serde::Deserialize;

use crate::limits::Milliseconds;

/// The settings of traces.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceSettings {
    /// URL of the collector, to which `/v1/traces` is added; empty for none.
    pub endpoint: String,
    /// Spans that wait to be sent. Further ones are dropped and counted.
    pub queue_spans: usize,
    /// Spans that are sent at once.
    pub batch_spans: usize,
    /// How long a span may wait for others, in milliseconds.
    pub batch_milliseconds: Milliseconds,
    /// Time for connecting to the collector, and for its answer, in milliseconds.
    pub request_milliseconds: Milliseconds,
}

/// Why spans cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The program was built without it.
    #[error(
        "this program cannot send traces (traces.endpoint); build it with --features otlp, or leave the setting empty"
    )]
    NotBuiltIn,
    /// The endpoint is no URL.
    #[error("traces.endpoint must be a URL such as http://127.0.0.1:4318, not {0}")]
    NoUrl(String),
}

/// Where spans go. Clones share it.
#[derive(Clone, Default)]
pub struct Traces {
    #[cfg(feature = "otlp")]
    queue: Option<export::Queue>,
}

/// Something that has just ended.
pub struct Span<'a> {
    /// Id of the turn, a UUID.
    pub turn_id: &'a str,
    /// What it was. `turn` is the turn itself.
    pub name: &'static str,
    /// When it began.
    pub since: Instant,
    /// Whether it failed.
    pub failed: bool,
    /// Further facts; never what somebody has said.
    pub attributes: &'a [(&'static str, &'a str)],
}

/// The name of the span of a turn, which holds the others.
pub const TURN: &str = "turn";

#[cfg(not(feature = "otlp"))]
impl Traces {
    /// Traces that are sent nowhere.
    ///
    /// # Errors
    /// There is an endpoint.
    pub fn start(settings: &TraceSettings, _: &crate::network::Network) -> Result<Self, TraceError> {
        if settings.endpoint.is_empty() { Ok(Self::default()) } else { Err(TraceError::NotBuiltIn) }
    }

    /// There is no trace to be a part of.
    pub fn context(&self, _: &str) -> Option<String> {
        None
    }

    /// Forgets `span`.
    pub fn ended(&self, _: Span<'_>) {}
}
