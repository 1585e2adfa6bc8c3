//! The settings of remote control (spec: remote control 4 and 10). `config/default.toml` explains each default.

use serde::Deserialize;

use crate::protocol::scope::Scopes;

use crate::backoff::Backoff;
use crate::http::HttpBounds;
use crate::limits::Milliseconds;

/// Bounds and times; the name of each ends with its unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteControlSettings {
    /// Hosts besides the known ones that `chatgpt_base_url` may name; `https` only.
    pub hosts: Vec<String>,
    /// URL of a relay of our own, which takes the place of `chatgpt_base_url`; empty without one.
    pub relay: String,
    /// URL of that relay as phones reach it; empty if it is the same.
    pub relay_page: String,
    /// The file with the token for the relay.
    pub relay_token_file: String,
    /// Which controllers have to speak end to end.
    pub end_to_end: EndToEndRule,
    /// Devices that may be paired end to end. Above it the one that was unused for longest is forgotten.
    pub end_to_end_devices: usize,
    /// Time in which a device may come for a code, in milliseconds.
    pub pairing_milliseconds: Milliseconds,
    /// Scopes of remote controllers.
    pub scopes: Scopes,
    /// Requests waiting for remote control. Further ones get -32001.
    pub mailbox_messages: usize,
    /// Client requests waiting for the backend. Further ones get -32001.
    pub calls: usize,
    /// Time for one HTTP request including its answer, in milliseconds.
    pub request_milliseconds: Milliseconds,
    /// Largest body of an answer, in bytes.
    pub response_bytes: usize,
    /// Longest wait after the first failure, in milliseconds. It doubles with each further one.
    pub backoff_first_milliseconds: Milliseconds,
    /// Longest wait of all, in milliseconds.
    pub backoff_most_milliseconds: Milliseconds,
    /// Uptime of a socket after which earlier failures are forgotten, in milliseconds.
    pub stable_milliseconds: Milliseconds,
    /// Remaining lifetime below which the server token is refreshed, in milliseconds.
    pub refresh_ahead_milliseconds: Milliseconds,
    /// Shortest pause after a refresh that failed without a `Retry-After`, in milliseconds.
    pub refresh_rest_least_milliseconds: Milliseconds,
    /// Longest such pause, in milliseconds.
    pub refresh_rest_most_milliseconds: Milliseconds,
    /// Longest `Retry-After` that is obeyed, in milliseconds.
    pub retry_after_most_milliseconds: Milliseconds,
    /// Largest random addition to a `Retry-After`, in milliseconds.
    pub retry_jitter_milliseconds: Milliseconds,
    /// Interval between checks of `auth.json` while a change is awaited, in milliseconds.
    pub account_check_milliseconds: Milliseconds,
}

/// Which controllers have to speak end to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndToEndRule {
    /// Those of a relay of our own. The app of the vendor does not speak it.
    Relay,
    /// All.
    Required,
    /// None.
    Off,
}

impl RemoteControlSettings {
    /// Whether controllers have to speak end to end.
    pub fn encrypts(&self) -> bool {
        match self.end_to_end {
            EndToEndRule::Relay => self.relay().is_some(),
            EndToEndRule::Required => true,
            EndToEndRule::Off => false,
        }
    }

    /// The bounds of a request to the backend.
    pub fn http(&self) -> HttpBounds {
        let exchange = self.request_milliseconds.duration();
        HttpBounds { connect: exchange, exchange, response_bytes: self.response_bytes }
    }

    /// The relay of our own, if there is one.
    pub fn relay(&self) -> Option<&str> {
        Some(self.relay.as_str()).filter(|url| !url.is_empty())
    }

    /// Where phones find that relay, without a slash at the end.
    pub fn relay_page(&self) -> Option<&str> {
        let page = if self.relay_page.is_empty() { self.relay()? } else { &self.relay_page };
        Some(page.trim_end_matches('/'))
    }

    /// The waits after failures; none has happened yet.
    pub fn backoff(&self) -> Backoff {
        Backoff::new(self.backoff_first_milliseconds.duration(), self.backoff_most_milliseconds.duration())
    }

    /// Settings for tests: queues with room for one message, and short times.
    #[cfg(test)]
    pub fn tiny() -> Self {
        Self {
            hosts: Vec::new(),
            relay: String::new(),
            relay_page: String::new(),
            relay_token_file: String::new(),
            end_to_end: EndToEndRule::Relay,
            end_to_end_devices: 4,
            pairing_milliseconds: Milliseconds(300_000),
            scopes: Scopes::ALL,
            mailbox_messages: 1,
            calls: 4,
            // Long, because only tests delay answers, and the machine may be slow.
            request_milliseconds: Milliseconds(60_000),
            response_bytes: 16 * 1024,
            backoff_first_milliseconds: Milliseconds(20),
            backoff_most_milliseconds: Milliseconds(80),
            stable_milliseconds: Milliseconds(60_000),
            refresh_ahead_milliseconds: Milliseconds(300_000),
            refresh_rest_least_milliseconds: Milliseconds(24_000),
            refresh_rest_most_milliseconds: Milliseconds(36_000),
            retry_after_most_milliseconds: Milliseconds(3_600_000),
            retry_jitter_milliseconds: Milliseconds(1),
            account_check_milliseconds: Milliseconds(10),
        }
    }
}
