//! Encoding answers and reading params: small ones at once, large ones on a worker thread, so that they hold up nobody
//! else's.

use std::sync::Arc;

use actix_rt::task::spawn_blocking;
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::panics::guarded;
use crate::protocol::Frame;
use crate::reply::Reply;

/// Bytes of JSON up to which an answer, or what is to be read, is small: about as much as others do not notice (0.1 ms).
const SMALL_BYTES: usize = 64 * 1024;

/// Worker threads for large answers and params.
#[derive(Clone)]
pub struct Encoder {
    workers: Arc<Semaphore>,
}

impl Encoder {
    /// So many large answers are encoded, or params read, at a time; others wait for their turn.
    pub fn new(workers: usize) -> Self {
        Self { workers: Arc::new(Semaphore::new(workers)) }
    }

    /// Encodes a large answer. `make` runs on the worker, too, and so does the dropping of what it takes along. `None`
    /// where that panicked; the request is then answered.
    ///
    /// # Panics
    /// Panics outside an actix system.
    pub async fn large<T: Serialize>(
        self,
        reply: Reply,
        make: impl FnOnce() -> T + Send + 'static,
    ) -> Option<(Reply, Frame)> {
        // Where nothing comes out, the reply is dropped, which answers that the server failed.
        let encode = move || reply.encode(&make()).map(|frame| (reply, frame));
        self.run("the encoding of a large answer", encode).await.flatten()
    }

    /// Runs other work on large JSON. `None` where it panicked.
    ///
    /// # Panics
    /// Panics outside an actix system.
    pub async fn run<T: Send + 'static>(
        self,
        what: &'static str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let worker = self.workers.acquire_owned().await.ok()?;
        let work = move || {
            let _worker = worker;
            guarded(what, work)
        };
        spawn_blocking(work).await.ok().flatten()
    }
}

/// Whether an answer, or params, with parts of these sizes are large, in bytes of JSON. Looks at no more of them than it must.
pub fn is_large(parts: impl IntoIterator<Item = usize>) -> bool {
    let mut left = SMALL_BYTES;
    parts.into_iter().any(|bytes| match left.checked_sub(bytes) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_large_when_its_parts_are_together() {
        assert!(!is_large([]));
        assert!(!is_large([SMALL_BYTES / 2; 2]));
        assert!(is_large([SMALL_BYTES / 2; 3]));
        assert!(is_large(std::iter::repeat(1)), "it is not looked at to the end");
    }
}
