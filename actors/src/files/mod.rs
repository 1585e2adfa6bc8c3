//! The files actor: `fs/*`.
//!
//! The actor itself only schedules and answers requests. File operations may block for long and run on worker threads
//! ([`operations`], [`copy`], [`watch`]), so a big file or a slow disk does not delay other clients. The requests of
//! one client are carried out in order ([`Desk`]).

mod copy;
mod error;
mod operations;
mod remove;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use actix_rt::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::connection::ConnectionId;
use crate::connection::messages::Disconnected;
use crate::context::Context;
use crate::desk::Desk;
use crate::limits::Limits;
use crate::mailbox::start_alone;
use crate::panics::guarded;
use crate::post::Post;
use crate::protocol::fs::{FsAnswer, FsRequest, FsWatchResponse};
use crate::protocol::{RpcError, ServerNotification};
use crate::reply::{Asked, Reply};
use crate::router::{Audience, Outcome, Router};
use crate::vital::Vitals;
use crate::workers::{Progress, Unfinished, Workers};
use watch::{Look, Watches};

/// See the module's documentation.
pub struct Files {
    limits: Arc<Limits>,
    router: Arc<Addr<Router>>,
    desks: HashMap<ConnectionId, Desk<Asked<FsRequest>>>,
    workers: Workers,
    /// Workers that look at watched paths, so that no number of watches delays requests.
    lookers: Workers,
    watches: Arc<Watches>,
}

impl Files {
    /// Starts the actor on an arbiter of its own with up to [`Limits::file_workers`] worker threads. Its mailbox is
    /// bounded by [`Limits::files_mailbox_messages`], as long as the address is shared and never cloned.
    ///
    /// # Panics
    /// Panics outside an actix system.
    pub fn start(limits: Arc<Limits>, router: Arc<Addr<Router>>, vitals: &Vitals) -> Arc<Addr<Self>> {
        let messages = limits.files_mailbox_messages;
        let make = move || {
            let patience = limits.file_patience_seconds.duration();
            let [workers, lookers] = [(); 2].map(|()| Workers::new(limits.file_workers, patience));
            let watches = Arc::new(Watches::new(limits.clone()));
            Self { limits, router, desks: HashMap::new(), workers, lookers, watches }
        };
        start_alone(messages, vitals.watch("files"), make)
    }

    /// Starts the next request of a connection, unless one is in progress.
    fn begin(&mut self, connection: ConnectionId, ctx: &mut Context<Self>) {
        let Some((request, gone)) = self.desks.get_mut(&connection).and_then(Desk::begin) else { return };
        let Asked { reply, request } = request;
        let request = request.with_exact_paths();
        let (limits, watches, workers) = (self.limits.clone(), self.watches.clone(), self.workers.clone());
        let ended = gone.clone();
        let work = async move {
            if matches!(request, FsRequest::ReadFile(_) | FsRequest::ReadDirectory(_)) {
                // Large answers wait until the peer has read the earlier ones; otherwise it would be disconnected
                // because of them.
                reply.peer_drained().await;
            }
            let subject = request.subject();
            // Taken by whichever comes first: the worker with its result, or the end of the patience.
            let reply = Arc::new(Mutex::new(Some(reply)));
            let its_reply = reply.clone();
            let gone = ended.clone();
            let work = move |progress: &Progress| {
                let result = perform(request, connection, &limits, &watches, &gone, progress);
                // Encoding a large answer takes time, too.
                take(&its_reply).map(|reply| reply.answer(result))
            };
            match workers.run("a request about files", &ended, work).await {
                Ok(outcome) => outcome,
                // The reply is dropped, which answers -32603.
                Err(Unfinished::Panicked) => None,
                Err(unfinished) => take(&reply).map(|reply| reply.fail(&unfinished.explain(&subject))),
            }
        };
        let work = async move { gone.run_until_cancelled(work).await.flatten() };
        ctx.spawn(wrap_future::<_, Self>(work).map(move |outcome, files, ctx| files.end(connection, outcome, ctx)));
    }

    /// The next request checks the client's outbound queue, so the router must have counted this answer first.
    fn end(&mut self, connection: ConnectionId, outcome: Option<Outcome>, ctx: &mut Context<Self>) {
        let handed_over = outcome.map(|outcome| self.router.send(outcome));
        let handed_over = async move {
            if let Some(Err(_)) = futures_util::future::OptionFuture::from(handed_over).await {
                log::debug!("the router ended before an answer about files");
            }
        };
        ctx.spawn(wrap_future::<_, Self>(handed_over).map(move |(), files, ctx| {
            let Some(desk) = files.desks.get_mut(&connection) else { return };
            desk.end();
            files.begin(connection, ctx);
        }));
    }

    /// Reports changes as long as the actor lives: waits for the first change, collects further ones, and reports them
    /// together.
    fn tell_of_changes(&self, ctx: &mut Context<Self>) {
        let watches = self.watches.clone();
        let pause = self.limits.file_change_milliseconds.duration();
        let changes = async move {
            watches.changed().await;
            tokio::time::sleep(pause).await;
            spawn_blocking(move || guarded("changes of files", || watches.collect())).await.ok().flatten()
        };
        ctx.spawn(wrap_future::<_, Self>(changes).map(|changes, files, ctx| {
            let (changes, looks) = changes.unwrap_or_default();
            let outcome = changes.into_iter().fold(Outcome::none(), |outcome, (to, changed)| {
                outcome.tell(Audience::One(to), ServerNotification::FsChanged(changed))
            });
            ctx.post(&files.router, outcome);
            looks.into_iter().for_each(|look| files.look(look, ctx));
            files.tell_of_changes(ctx);
        }));
    }

    fn look(&self, look: Look, ctx: &mut Context<Self>) {
        let (watches, lookers) = (self.watches.clone(), self.lookers.clone());
        ctx.spawn(wrap_future::<_, Self>(async move { watches.look_on(&lookers, look).await }));
    }
}

fn take(reply: &Mutex<Option<Reply>>) -> Option<Reply> {
    reply.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn perform(
    request: FsRequest,
    connection: ConnectionId,
    limits: &Limits,
    watches: &Watches,
    gone: &CancellationToken,
    progress: &Progress,
) -> Result<FsAnswer, RpcError> {
    use FsAnswer as Answer;
    let done = |()| Answer::Done {};
    match request {
        FsRequest::ReadFile(params) => operations::read_file(&params.path, limits, progress).map(Answer::ReadFile),
        FsRequest::WriteFile(params) => operations::write_file(&params, limits).map(done),
        FsRequest::CreateDirectory(params) => operations::create_directory(&params).map(done),
        FsRequest::GetMetadata(params) => operations::get_metadata(&params.path).map(Answer::GetMetadata),
        FsRequest::ReadDirectory(params) => {
            operations::read_directory(&params.path, limits, progress).map(Answer::ReadDirectory)
        }
        FsRequest::Remove(params) => remove::remove(&params, progress).map(done),
        FsRequest::Copy(params) => copy::copy(&params, limits, progress).map(done),
        FsRequest::Watch(params) => {
            watches.watch(connection, gone, params).map(|path| Answer::Watch(FsWatchResponse { path }))
        }
        FsRequest::Unwatch(params) => {
            watches.unwatch(connection, params.watch_id);
            Ok(Answer::Done {})
        }
    }
}

impl Actor for Files {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.tell_of_changes(ctx);
    }
}

impl Handler<Asked<FsRequest>> for Files {
    type Result = ();

    fn handle(&mut self, request: Asked<FsRequest>, ctx: &mut Self::Context) {
        let connection = request.reply.connection();
        self.desks.entry(connection).or_default().take(request);
        self.begin(connection, ctx);
    }
}

impl Handler<Disconnected> for Files {
    type Result = ();

    fn handle(&mut self, Disconnected { connection }: Disconnected, ctx: &mut Self::Context) {
        if self.desks.remove(&connection).is_none() {
            return;
        }
        let watches = self.watches.clone();
        ctx.spawn(wrap_future::<_, Self>(async move {
            if spawn_blocking(move || watches.forget(connection)).await.is_err() {
                log::error!("the watches of connection {connection} could not be ended");
            }
        }));
    }
}
