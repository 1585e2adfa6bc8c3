//! Unloads threads that have had no subscribers for a while.

use std::collections::HashSet;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio::time::Instant;

use super::Threads;
use crate::context::Context;
use crate::post::Post;
use crate::protocol::ServerNotification;
use crate::protocol::thread::ThreadId;
use crate::router::{Audience, Outcome, SubscribedThreads};

/// Longest interval between checks for idle threads; with a short time limit they happen twice within it.
const CHECK: Duration = Duration::from_secs(5);

impl Threads {
    pub(super) fn watch_idle_threads(&self, ctx: &mut Context<Self>) {
        let check = CHECK.min(self.parts.limits.thread_idle_seconds.duration() / 2);
        ctx.run_interval(check, |threads, ctx| {
            let followed = wrap_future::<_, Self>(threads.parts.router.send(SubscribedThreads));
            ctx.spawn(followed.map(|followed, threads, ctx| {
                let Ok(followed) = followed else { return };
                let outcome = threads.unload_idle(&followed.into_iter().collect(), Instant::now());
                ctx.post(&threads.parts.router, outcome);
            }));
        });
    }

    /// Unloads threads that have had no subscribers for `thread_idle_seconds`. The time starts when a thread is loaded,
    /// so a thread that is just being resumed is safe.
    pub(super) fn unload_idle(&mut self, followed: &HashSet<ThreadId>, now: Instant) -> Outcome {
        let limit = self.parts.limits.thread_idle_seconds.duration();
        let mut idle = Vec::new();
        for (id, loaded) in &mut self.loaded {
            if loaded.activity.get().is_working() || followed.contains(id) {
                loaded.unfollowed_since = None;
            } else if now.duration_since(*loaded.unfollowed_since.get_or_insert(now)) >= limit {
                idle.push(*id);
            }
        }
        idle.into_iter().fold(Outcome::none(), |outcome, id| match self.unload(id) {
            Some(news) => outcome
                .tell(Audience::Everyone, news)
                .tell(Audience::Everyone, ServerNotification::ThreadClosed { thread_id: id }),
            None => outcome,
        })
    }
}
