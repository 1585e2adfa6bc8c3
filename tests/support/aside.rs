//! Background work of a test on a separate thread, such as a fake server.

use std::sync::mpsc::{self, Receiver};
use std::thread;

use super::PATIENCE;

/// Work on another thread. Unlike a `JoinHandle` it is not waited for without end: a peer that never came fails the
/// test.
pub struct Aside<T>(Receiver<T>);

impl<T: Send + 'static> Aside<T> {
    /// Starts `work`.
    pub fn start(work: impl FnOnce() -> T + Send + 'static) -> Self {
        let (done, result) = mpsc::channel();
        thread::spawn(move || {
            // A test that has failed already waits for nothing.
            let _ = done.send(work());
        });
        Self(result)
    }

    /// Waits for its end: what came of it.
    pub fn finish(self, what: &str) -> T {
        self.0.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{what} has not come to a good end: {error}"))
    }
}
