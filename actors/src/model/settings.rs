//! The settings of requests to models. `config/default.toml` explains each default.

use serde::Deserialize;

use crate::limits::{Milliseconds, Seconds};

/// Bounds and times of requests to models; the name of each ends with its unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// Time to reach a provider (DNS, connection, TLS), in seconds.
    pub connect_seconds: Seconds,
    /// Connections to providers per arbiter. Further requests wait.
    pub connections: usize,
    /// Largest event of a stream, in bytes.
    pub event_bytes: usize,
    /// Largest answer, in bytes.
    pub answer_bytes: usize,
    /// Bytes of an error's body that are read.
    pub error_bytes: usize,
    /// Longest wait before the first retry, in milliseconds. It doubles with each further one.
    pub retry_first_milliseconds: Milliseconds,
    /// Longest wait before any retry, in milliseconds, unless the provider asks for more.
    pub retry_most_milliseconds: Milliseconds,
    /// Time after the first failure in which retries start, in seconds.
    pub retry_seconds: Seconds,
}

impl ModelSettings {
    /// Settings for tests: short times, and room for what a test sends.
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
