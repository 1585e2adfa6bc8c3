//! The settings of remote control (spec: remote control 4 and 10). `config/default.toml` explains each default.

use std::time::Duration;

use serde::Deserialize;

use crate::backoff::Backoff;
use crate::http::HttpBounds;

/// Bounds and times; the name of each ends with its unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteControlSettings {
    /// Hosts besides the known ones that `chatgpt_base_url` may name; `https` only.
    pub hosts: Vec<String>,
    /// Requests waiting for remote control. Further ones get -32001.
    pub mailbox_messages: usize,
    /// Client requests waiting for the backend. Further ones get -32001.
    pub calls: usize,
    /// Time for one HTTP request including its answer, in milliseconds.
    pub request_milliseconds: u64,
    /// Largest body of an answer, in bytes.
    pub response_bytes: usize,
    /// Longest wait after the first failure, in milliseconds. It doubles with each further one.
    pub backoff_first_milliseconds: u64,
    /// Longest wait of all, in milliseconds.
    pub backoff_most_milliseconds: u64,
    /// Uptime of a socket after which earlier failures are forgotten, in milliseconds.
    pub stable_milliseconds: u64,
    /// Remaining lifetime below which the server token is refreshed, in milliseconds.
    pub refresh_ahead_milliseconds: u64,
    /// Shortest pause after a refresh that failed without a `Retry-After`, in milliseconds.
    pub refresh_rest_least_milliseconds: u64,
    /// Longest such pause, in milliseconds.
    pub refresh_rest_most_milliseconds: u64,
    /// Longest `Retry-After` that is obeyed, in milliseconds.
    pub retry_after_most_milliseconds: u64,
    /// Largest random addition to a `Retry-After`, in milliseconds.
    pub retry_jitter_milliseconds: u64,
    /// Interval between checks of `auth.json` while a change is awaited, in milliseconds.
    pub account_check_milliseconds: u64,
}

impl RemoteControlSettings {
    /// The bounds of a request to the backend.
    pub fn http(&self) -> HttpBounds {
        let exchange = Duration::from_millis(self.request_milliseconds);
        HttpBounds { connect: exchange, exchange, response_bytes: self.response_bytes }
    }

    /// The waits after failures; none has happened yet.
    pub fn backoff(&self) -> Backoff {
        let [first, most] =
            [self.backoff_first_milliseconds, self.backoff_most_milliseconds].map(Duration::from_millis);
        Backoff::new(first, most)
    }

    /// [`Self::stable_milliseconds`] as a duration.
    pub fn stable(&self) -> Duration {
        Duration::from_millis(self.stable_milliseconds)
    }

    /// [`Self::account_check_milliseconds`] as a duration.
    pub fn account_check(&self) -> Duration {
        Duration::from_millis(self.account_check_milliseconds)
    }

    /// Settings for tests: queues with room for one message, and short times.
    #[cfg(test)]
    pub fn tiny() -> Self {
        Self {
            hosts: Vec::new(),
            mailbox_messages: 1,
            calls: 4,
            // Long, because only tests delay answers, and the machine may be slow.
            request_milliseconds: 60_000,
            response_bytes: 16 * 1024,
            backoff_first_milliseconds: 20,
            backoff_most_milliseconds: 80,
            stable_milliseconds: 60_000,
            refresh_ahead_milliseconds: 300_000,
            refresh_rest_least_milliseconds: 24_000,
            refresh_rest_most_milliseconds: 36_000,
            retry_after_most_milliseconds: 3_600_000,
            retry_jitter_milliseconds: 1,
            account_check_milliseconds: 10,
        }
    }
}
