//! The messages about queued messages of users.

use crate::protocol::thread::{QueuedSubmission, ThreadId};

/// Lets a message wait until a thread is idle.
#[derive(Debug)]
pub struct AddQueued {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// The message.
    pub submission: QueuedSubmission,
    /// Messages that may wait at most.
    pub most: usize,
}

/// What came of it.
#[derive(Debug)]
pub enum Queued {
    /// It waits.
    Added(QueuedSubmission),
    /// The thread does not exist.
    UnknownThread,
    /// So many wait that it was not added.
    Full,
}

/// Lists the messages that wait, the one that waits longest first.
#[derive(Debug)]
pub struct ListQueued {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Only those behind the message with this id; empty for all.
    pub after: String,
    /// Messages at most.
    pub most: u32,
}

/// Takes a message out of the queue. The answer is whether it was there.
#[derive(Debug)]
pub struct DeleteQueued {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the message.
    pub id: String,
}
