//! The settings of remote control (spec: remote control 4 and 10). `config/default.toml` explains each default.

use std::time::Duration;

use serde::Deserialize;

use crate::backoff::Backoff;
use crate::http::HttpBounds;

/// Bounds and times; the name of each ends with its unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteControlSettings {
    /// Hosts besides the known ones that `chatgpt_base_url` may name, `https` only.
    pub hosts: Vec<String>,
    /// Requests waiting for the actor; one more is answered -32001.
    pub mailbox_messages: usize,
    /// Clients' requests at once that wait for the backend; one more is answered -32001.
    pub calls: usize,
    /// Milliseconds of one HTTP request with its answer.
    pub request_milliseconds: u64,
    /// Bytes of the body of an answer.
    pub response_bytes: usize,
    /// Milliseconds of the longest wait after the first failure; it doubles with each further one.
    pub backoff_first_milliseconds: u64,
    /// Milliseconds that the longest wait never exceeds.
    pub backoff_most_milliseconds: u64,
    /// Milliseconds that a socket must have stayed up for failures before it to be forgotten.
    pub stable_milliseconds: u64,
    /// Milliseconds before the expiry of the server token from which on it is refreshed.
    pub refresh_ahead_milliseconds: u64,
    /// Milliseconds at least without another refresh after one that failed without saying when to retry.
    pub refresh_rest_least_milliseconds: u64,
    /// Milliseconds at most.
    pub refresh_rest_most_milliseconds: u64,
    /// Milliseconds for which a `Retry-After` is obeyed at most.
    pub retry_after_most_milliseconds: u64,
    /// Milliseconds at most that are added to a `Retry-After`.
    pub retry_jitter_milliseconds: u64,
    /// Milliseconds between two looks at `auth.json` while somebody waits for a change in it.
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
