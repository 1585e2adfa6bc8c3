//! Encoding answers: a small one at once, a large one on a worker thread, so that it holds up nobody else's.

use std::sync::Arc;

use actix_rt::task::spawn_blocking;
use serde::Serialize;
use tokio::sync::Semaphore;

use crate::panics::guarded;
use crate::protocol::Frame;
use crate::reply::Reply;

/// Bytes of JSON up to which an answer is small: about as much as others do not notice (0.1 ms).
const SMALL_BYTES: usize = 64 * 1024;

/// Worker threads for large answers.
#[derive(Clone)]
pub struct Encoder {
    workers: Arc<Semaphore>,
}

impl Encoder {
    /// So many large answers are encoded at a time; others wait for their turn.
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
        let worker = self.workers.acquire_owned().await.ok()?;
        let encode = move || {
            let _worker = worker;
            // Where nothing comes out, the reply is dropped, which answers that the server failed.
            guarded("the encoding of a large answer", || {
                let frame = reply.encode(&make());
                frame.map(|frame| (reply, frame))
            })
        };
        spawn_blocking(encode).await.ok().flatten().flatten()
    }
}

/// Whether an answer with parts of these sizes is large, in bytes of JSON. Looks at no more of them than it must.
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
