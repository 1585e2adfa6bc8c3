//! The loaded threads: each has an actor.

use std::sync::Arc;

use actix::prelude::*;
use toml::Table;

use super::{MeasureThreads, Threads};
use crate::mailbox::start;
use crate::mcp::Servers;
use crate::metrics::state::LoadedThreads;
use crate::protocol::thread::{ThreadId, ThreadStatus};
use crate::protocol::{RpcError, ServerNotification};
use crate::store::ThreadRecord;
use crate::thread::{Activity, Describe, EndTurn, Past, SharedActivity, Thread, ThreadParts};
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
    /// What a client has chosen for it, in the words of `config.toml`; it counts while the thread is loaded.
    pub(super) config: Arc<Table>,
    /// It is not stored in the database.
    pub(super) ephemeral: bool,
    /// Since when it has no subscribers; `None` if it has some, or before the first check.
    pub(super) unfollowed_since: Option<tokio::time::Instant>,
}

impl Handler<MeasureThreads> for Threads {
    type Result = MessageResult<MeasureThreads>;

    fn handle(&mut self, _: MeasureThreads, _: &mut Self::Context) -> Self::Result {
        let mut threads = LoadedThreads { loaded: self.loaded.len(), ..LoadedThreads::default() };
        for loaded in self.loaded.values() {
            threads.commands += loaded.shells.running().len();
            if let Activity::Working(waits) = loaded.activity.get() {
                threads.working += 1;
                threads.waiting_for_approval += usize::from(waits.approval);
                threads.waiting_for_input += usize::from(waits.input);
            }
        }
        MessageResult(threads)
    }
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
            let (ephemeral, config) = (past.memory.is_some(), past.config.clone());
            let thread = Thread::new(record.clone(), past, parts);
            let (activity, shells, servers) = (thread.activity(), thread.shells(), thread.servers());
            let thread = start(messages, thread);
            Loaded { thread, activity, shells, servers, config, ephemeral, unfollowed_since: None }
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
