//! One connection's requests about files, one after the other.

use std::collections::VecDeque;

use tokio_util::sync::CancellationToken;

use super::FilesRequest;

/// What the files actor knows of one connection.
///
/// A client that sends several requests at once finds them carried out in their order, and at most one file of each
/// client is in memory. What waits is bounded by the requests that a connection may have in flight.
#[derive(Default)]
pub struct Desk {
    waiting: VecDeque<FilesRequest>,
    busy: bool,
    /// Cancelled when the connection is gone.
    gone: CancellationToken,
}

impl Desk {
    /// Puts a request behind the others.
    pub fn take(&mut self, request: FilesRequest) {
        self.waiting.push_back(request);
    }

    /// The request whose turn it is, if none is being worked on; and what tells that nobody waits for it any more.
    pub fn begin(&mut self) -> Option<(FilesRequest, CancellationToken)> {
        if self.busy {
            return None;
        }
        let request = self.waiting.pop_front()?;
        self.busy = true;
        Some((request, self.gone.clone()))
    }

    /// The request that was begun is answered.
    pub fn end(&mut self) {
        self.busy = false;
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.gone.cancel();
    }
}
