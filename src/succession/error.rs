//! Errors of a hand-over.

use std::io;

/// Why the sockets could not be handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    /// The server has none, or has a client on stdio.
    #[error("this server cannot hand its sockets over: {0}")]
    Impossible(&'static str),
    /// They cannot be duplicated.
    #[error("the sockets cannot be passed on: {0}")]
    Sockets(io::Error),
    /// The next server cannot be started.
    #[error("the next server cannot be started: {error} ({program})")]
    NotStarted {
        /// The program.
        program: String,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The next server has ended, with these words.
    #[error("the next server has ended before it was ready: {0}")]
    NotReady(String),
    /// The next server takes too long.
    #[error("the next server was not ready within {0} s (startup.take_over_seconds)")]
    TooSlow(u64),
    /// The next server has ended after this one had begun to end.
    #[error("the next server has ended before it took over; start the server again")]
    Lost,
}
