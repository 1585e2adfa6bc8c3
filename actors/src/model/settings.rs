//! What the operator can set. `config/default.toml` says why each has its default.

use serde::Deserialize;

use crate::limits::{Milliseconds, Seconds};

/// Bounds and times of model calls, each with its unit in its name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// Seconds to reach a provider: name, connection, TLS.
    pub connect_seconds: Seconds,
    /// Connections to providers at once, for each arbiter that asks models; one more call waits.
    pub connections: usize,
    /// Bytes of one event of a stream; a longer one is a failure.
    pub event_bytes: usize,
    /// Bytes of one answer; a longer one is a failure.
    pub answer_bytes: usize,
    /// Bytes of the body of an error that are read.
    pub error_bytes: usize,
    /// Milliseconds of the longest wait before the first retry; it doubles with each further one.
    pub retry_first_milliseconds: Milliseconds,
    /// Milliseconds that the longest wait never exceeds, unless the provider asks for more.
    pub retry_most_milliseconds: Milliseconds,
    /// Seconds after the first failure in which retries begin; a wait that would end later is not begun.
    pub retry_seconds: Seconds,
}

impl ModelSettings {
    /// Short times, and room for what a test sends.
    #[cfg(test)]
    pub fn tiny() -> Self {
        Self {
            connect_seconds: Seconds(1),
            connections: 8,
            event_bytes: 64 * 1024,
            answer_bytes: 1024 * 1024,
            error_bytes: 4096,
            retry_first_milliseconds: Milliseconds(1),
            retry_most_milliseconds: Milliseconds(1),
            retry_seconds: Seconds(10),
        }
    }
}
