//! The queue of messages to write to a JSON-lines peer.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;

use crate::connection::intake::Intake;
use crate::protocol::Frame;

/// Maximum size of one write, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// Filled by the connection actor and emptied by [`Self::write_to`]. The router bounds its bytes: it counts them and
/// disconnects a peer above its budget.
pub(super) struct Outbox {
    intake: Rc<Intake>,
    queue: RefCell<VecDeque<Frame>>,
    closed: Cell<bool>,
    filled: Notify,
}

impl Outbox {
    pub(super) fn new(intake: Rc<Intake>) -> Self {
        Self { intake, queue: RefCell::default(), closed: Cell::new(false), filled: Notify::new() }
    }

    /// Queues a frame of the connection itself.
    pub(super) fn push(&self, frame: Frame) {
        self.intake.queue(frame.len());
        self.push_counted(frame);
    }

    /// Queues a frame that the router has counted already.
    pub(super) fn push_counted(&self, frame: Frame) {
        self.queue.borrow_mut().push_back(frame);
        self.filled.notify_one();
    }

    /// Marks the queue as complete; queued frames are still written.
    pub(super) fn close(&self) {
        self.closed.set(true);
        self.filled.notify_one();
    }

    /// Writes lines until the queue is complete and empty.
    pub(super) async fn write_to(&self, mut writer: impl AsyncWrite + Unpin) -> std::io::Result<()> {
        let mut chunk = Vec::new();
        loop {
            let (messages, bytes) = self.fill(&mut chunk);
            if chunk.is_empty() {
                if self.closed.get() {
                    return writer.shutdown().await;
                }
                self.filled.notified().await;
                continue;
            }
            writer.write_all(&chunk).await?;
            writer.flush().await?;
            self.intake.written(messages, bytes);
            chunk.clear();
            chunk.shrink_to(CHUNK_BYTES);
        }
    }

    /// Number of messages taken from the queue, and their bytes.
    fn fill(&self, chunk: &mut Vec<u8>) -> (usize, usize) {
        let mut queue = self.queue.borrow_mut();
        let (mut messages, mut bytes) = (0, 0);
        while chunk.len() < CHUNK_BYTES
            && let Some(frame) = queue.pop_front()
        {
            chunk.extend_from_slice(frame.text().as_bytes());
            chunk.push(b'\n');
            messages += 1;
            bytes += frame.len();
        }
        (messages, bytes)
    }
}
