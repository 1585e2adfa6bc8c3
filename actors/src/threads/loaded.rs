//! The loaded threads: each has an actor.

use std::sync::Arc;

use actix::prelude::*;

use super::Threads;
use crate::mailbox::start;
use crate::mcp::Servers;
use crate::protocol::thread::{ThreadId, ThreadStatus};
use crate::protocol::{RpcError, ServerNotification};
use crate::store::ThreadRecord;
use crate::thread::{Describe, EndTurn, Past, SharedActivity, Thread, ThreadParts};
use crate::turn::Shells;

/// A loaded thread.
pub(super) struct Loaded {
    pub(super) thread: Arc<Addr<Thread>>,
    /// What it does.
    pub(super) activity: SharedActivity,
    /// Commands of its turns.
    pub(super) shells: Arc<Shells>,
    /// Its MCP servers.
    pub(super) servers: Arc<Servers>,
    /// It is not stored in the database.
    pub(super) ephemeral: bool,
    /// Since when it has no subscribers; `None` if it has some, or before the first check.
    pub(super) unfollowed_since: Option<tokio::time::Instant>,
}

impl Threads {
    /// Loads a thread unless it is loaded; one whose actor has failed is loaded again. `past` is what is known of it.
    pub(super) fn load(&mut self, record: &Arc<ThreadRecord>, past: Past) {
        let parts = ThreadParts {
            router: self.parts.router.clone(),
            store: self.parts.store.clone(),
            turns: self.parts.turns.clone(),
            clock: self.parts.clock.clone(),
            history_bytes: self.parts.limits.ephemeral_history_bytes,
            work: self.parts.work.clone(),
        };
        let messages = self.parts.limits.thread_mailbox_messages;
        if self.loaded.get(&record.id).is_some_and(|loaded| !loaded.thread.connected()) {
            self.loaded.remove(&record.id);
        }
        let entry = self.loaded.entry(record.id).or_insert_with(|| {
            let ephemeral = past.memory.is_some();
            let thread = Thread::new(record.clone(), past, parts);
            let (activity, shells, servers) = (thread.activity(), thread.shells(), thread.servers());
            Loaded { thread: start(messages, thread), activity, shells, servers, ephemeral, unfollowed_since: None }
        });
        entry.unfollowed_since = None;
    }

    /// Unloads a thread. Returns the notification for everyone if it was loaded.
    pub(super) fn unload(&mut self, id: ThreadId) -> Option<ServerNotification> {
        let loaded = self.loaded.remove(&id)?;
        // A turn that runs ends, and is recorded as interrupted. Nobody waits for it; a full mailbox holds one already.
        let _ = loaded.thread.try_send(EndTurn);
        Some(ServerNotification::ThreadStatusChanged { thread_id: id, status: ThreadStatus::NotLoaded })
    }

    pub(super) fn is_ephemeral(&self, id: ThreadId) -> bool {
        self.loaded.get(&id).is_some_and(|loaded| loaded.ephemeral)
    }

    /// The record with which a thread was loaded.
    pub(super) fn describe(
        &self,
        id: ThreadId,
    ) -> Option<impl Future<Output = Result<Arc<ThreadRecord>, RpcError>> + use<>> {
        let description = self.loaded.get(&id)?.thread.send(Describe);
        Some(async move { description.await.map_err(|_| RpcError::internal("the thread has failed; resume it")) })
    }
}
