//! Notifications in both directions.

use serde::Serialize;

use super::config::ConfigWarning;
use super::thread::Thread;

/// What a client may tell without waiting for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientNotification {
    /// The handshake is over. Optional: some editors never send it, and nothing waits for it.
    Initialized,
}

/// What the server tells; the variants carry the `params`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "method", content = "params")]
pub enum ServerNotification {
    /// A thread came to life.
    #[serde(rename = "thread/started")]
    ThreadStarted {
        /// The thread as it is now.
        thread: Box<Thread>,
    },
    /// The configuration has a fault that the server can live with.
    #[serde(rename = "configWarning")]
    ConfigWarning(ConfigWarning),
}
