//! The requests of one connection to an actor with slow requests, carried out one at a time.

use std::collections::VecDeque;

use tokio_util::sync::CancellationToken;

/// The requests of one connection.
///
/// Requests of a client are carried out in order, and at most one of them occupies a worker. The number of waiting
/// requests is bounded by the requests that a connection may have in flight.
pub struct Desk<R> {
    waiting: VecDeque<R>,
    busy: bool,
    /// Cancelled when the connection ends.
    gone: CancellationToken,
}

impl<R> Desk<R> {
    /// Queues a request.
    pub fn take(&mut self, request: R) {
        self.waiting.push_back(request);
    }

    /// The next request, if none is in progress, with the token that is cancelled when the connection ends.
    pub fn begin(&mut self) -> Option<(R, CancellationToken)> {
        if self.busy {
            return None;
        }
        let request = self.waiting.pop_front()?;
        self.busy = true;
        Some((request, self.gone.clone()))
    }

    /// The request in progress was answered.
    pub fn end(&mut self) {
        self.busy = false;
    }

    /// Whether no request is waiting or in progress.
    pub fn is_idle(&self) -> bool {
        !self.busy && self.waiting.is_empty()
    }
}

impl<R> Default for Desk<R> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), busy: false, gone: CancellationToken::new() }
    }
}

impl<R> Drop for Desk<R> {
    fn drop(&mut self) {
        self.gone.cancel();
    }
}
