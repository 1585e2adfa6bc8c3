//! The registry of threads: knows which threads are loaded, and answers requests about threads.
//!
//! The database holds the stored state of a thread, its [`crate::thread`] actor the live state. Queries reach the
//! database in the order of the requests, and requests about one thread finish in that order ([`lanes`]), so the name
//! that was announced last is the name that is stored.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;

use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::host::Host;
use crate::limits::Limits;
use crate::panics::{guarded, guarded_future};
use crate::post::post;
use crate::protocol::thread::{ThreadId, ThreadRequest, ThreadStatus};
use crate::protocol::{RpcError, ServerNotification};
use crate::reply::Reply;
use crate::router::{Outcome, Router};
use crate::store::{self, Store, StoreError, ThreadRecord};
use crate::thread::{Describe, Thread, TurnInput, TurnRequest};

mod birth;
mod change;
mod choice;
mod idle;
mod lanes;
mod messages;
mod query;
mod refusals;
#[cfg(test)]
mod tests;
mod view;

use lanes::Lanes;
pub use messages::ThreadsRequest;
use refusals::{thread_id, thread_not_found, unavailable};

/// See the module's documentation.
pub struct Threads {
    parts: ThreadsParts,
    /// Ordered by id, which is the order of creation.
    loaded: BTreeMap<ThreadId, Loaded>,
    lanes: Lanes<Done>,
}

/// The collaborators of the registry.
pub struct ThreadsParts {
    /// The limits.
    pub limits: Arc<Limits>,
    /// Facts about the server and the machine.
    pub host: Host,
    /// Receives answers and notifications.
    pub router: Arc<Addr<Router>>,
    /// The database.
    pub store: Arc<Addr<Store>>,
    /// Provides the settings of new threads.
    pub catalog: Arc<Addr<Catalog>>,
    /// The wall clock.
    pub clock: Clock,
}

/// A loaded thread.
struct Loaded {
    thread: Arc<Addr<Thread>>,
    /// It is not stored in the database.
    ephemeral: bool,
    /// Since when it has no subscribers; `None` if it has some, or before the first check.
    unfollowed_since: Option<tokio::time::Instant>,
}

/// The asynchronous part of a request. It resolves to the final step in the registry.
type Work = Pin<Box<dyn Future<Output = Result<Finish, RpcError>>>>;

/// The final step of a request: changes the registry if needed, and answers.
type Finish = Box<dyn FnOnce(&mut Threads, Reply) -> Outcome>;

/// A request whose [`Work`] is done; `None` if it panicked.
struct Done {
    result: Option<Result<Finish, RpcError>>,
    reply: Reply,
}

/// Wraps the asynchronous part of a request.
fn work(future: impl Future<Output = Result<Finish, RpcError>> + 'static) -> Result<Work, RpcError> {
    Ok(Box::pin(future))
}

/// Wraps the final step of a request.
fn finish(end: impl FnOnce(&mut Threads, Reply) -> Outcome + 'static) -> Result<Finish, RpcError> {
    Ok(Box::new(end))
}

impl Threads {
    /// Creates a registry without loaded threads.
    pub fn new(parts: ThreadsParts) -> Self {
        Self { parts, loaded: BTreeMap::new(), lanes: Lanes::new() }
    }

    fn dispatch(&mut self, request: ThreadsRequest, ctx: &mut Context<Self>) {
        use ThreadRequest as Request;
        let ThreadsRequest { reply, originator, request } = request;
        let about = request.thread_id().and_then(|id| ThreadId::parse(id).ok());
        let work = match request {
            Request::Start(params) => self.start_thread(originator.to_string(), *params),
            Request::Resume(params) => self.resume(*params),
            Request::Fork(params) => self.fork(originator.to_string(), *params),
            Request::NameSet(params) => self.set_name(&params),
            Request::MetadataUpdate(params) => self.update_metadata(*params),
            Request::Archive(params) => self.archive(&params),
            Request::Unarchive(params) => self.unarchive(&params),
            Request::Delete(params) => self.delete(&params),
            Request::Unsubscribe(params) => self.unsubscribe(&params, reply.connection()),
            Request::Read(params) => self.read(&params),
            Request::List(params) => self.list(*params),
            Request::Search(params) => self.search(*params),
            Request::TurnsList(params) => self.turns_list(&params),
            Request::ItemsList(params) => self.items_list(*params),
            Request::GoalGet(params) => self.goal(&params),
            Request::AttachmentList(params) => self.attachments(&params),
            Request::BackgroundTerminalsList(params) => self.background_terminals(&params),
            Request::ReadStateUpdate(params) => self.update_read_state(params),
            Request::LoadedList(params) => {
                let outcome = reply.answer(self.loaded_list(&params));
                return post::<Self, _, _>(&self.parts.router, outcome, ctx);
            }
            Request::TurnStart(params) => return self.turn(reply, TurnRequest::Start(params), ctx),
            Request::TurnSteer(params) => return self.turn(reply, TurnRequest::Steer(params), ctx),
            Request::TurnInterrupt(params) => return self.turn(reply, TurnRequest::Interrupt(params), ctx),
        };
        match work {
            Ok(work) => self.answer_after(work, about, reply, ctx),
            Err(error) => post::<Self, _, _>(&self.parts.router, reply.fail(&error), ctx),
        }
    }

    fn answer_after(&mut self, work: Work, about: Option<ThreadId>, reply: Reply, ctx: &mut Context<Self>) {
        let place = about.map(|thread| self.lanes.enter(thread));
        let work = wrap_future::<_, Self>(guarded_future("a request about threads", work));
        ctx.spawn(work.map(move |result, threads, ctx| {
            let done = Done { result, reply };
            let ended = match place {
                Some(place) => threads.lanes.done(place, done),
                None => vec![done],
            };
            let outcome =
                ended.into_iter().fold(Outcome::none(), |outcome, done| outcome.followed_by(threads.end(done)));
            post::<Self, _, _>(&threads.parts.router, outcome, ctx);
        }));
    }

    /// After a panic the reply is dropped, which answers -32603.
    fn end(&mut self, Done { result, reply }: Done) -> Outcome {
        match result {
            Some(Ok(finish)) => {
                guarded("the end of a request about threads", || finish(self, reply)).unwrap_or_default()
            }
            Some(Err(error)) => reply.fail(&error),
            None => Outcome::none(),
        }
    }

    fn turn(&mut self, reply: Reply, request: TurnRequest, ctx: &mut Context<Self>) {
        let id = match &request {
            TurnRequest::Start(params) => &params.thread_id,
            TurnRequest::Steer(params) => &params.thread_id,
            TurnRequest::Interrupt(params) => &params.thread_id,
        };
        let loaded = thread_id(id).and_then(|id| self.loaded.get(&id).ok_or_else(|| thread_not_found(id)));
        let (reply, error) = match loaded {
            Err(error) => (reply, error),
            Ok(loaded) => match loaded.thread.try_send(TurnInput { reply, request }) {
                Ok(()) => return,
                Err(SendError::Full(input)) => (input.reply, RpcError::overloaded()),
                Err(SendError::Closed(input)) => (input.reply, RpcError::internal("the thread has failed; resume it")),
            },
        };
        post::<Self, _, _>(&self.parts.router, reply.fail(&error), ctx);
    }

    /// Sends a request to the database at once; the future resolves to its answer.
    fn ask<Q: store::Question>(&self, question: Q) -> impl Future<Output = Result<Q::Answer, RpcError>> + use<Q> {
        let answer = store::ask(&self.parts.store, question);
        async move { answer.await.map_err(|error: StoreError| unavailable(&error)) }
    }

    /// Loads a thread unless it is loaded.
    fn load(&mut self, record: &Arc<ThreadRecord>, ephemeral: bool) {
        let Self { parts: ThreadsParts { router, limits, .. }, loaded, .. } = self;
        let entry = loaded.entry(record.id).or_insert_with(|| Loaded {
            thread: Arc::new(Thread::new(record.clone(), router.clone(), limits.thread_mailbox_messages).start()),
            ephemeral,
            unfollowed_since: None,
        });
        entry.unfollowed_since = None;
    }

    /// Unloads a thread. Returns the notification for everyone if it was loaded.
    fn unload(&mut self, id: ThreadId) -> Option<ServerNotification> {
        self.loaded.remove(&id)?;
        Some(ServerNotification::ThreadStatusChanged { thread_id: id, status: ThreadStatus::NotLoaded })
    }

    fn is_ephemeral(&self, id: ThreadId) -> bool {
        self.loaded.get(&id).is_some_and(|loaded| loaded.ephemeral)
    }

    /// The record with which a thread was loaded.
    fn describe(&self, id: ThreadId) -> Option<impl Future<Output = Result<Arc<ThreadRecord>, RpcError>> + use<>> {
        let description = self.loaded.get(&id)?.thread.send(Describe);
        Some(async move { description.await.map_err(|_| RpcError::internal("the thread has failed; resume it")) })
    }
}

impl Actor for Threads {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.parts.limits.threads_mailbox_messages);
        self.watch_idle_threads(ctx);
    }
}

impl Handler<ThreadsRequest> for Threads {
    type Result = ();

    fn handle(&mut self, request: ThreadsRequest, ctx: &mut Self::Context) {
        guarded("a request about threads", || self.dispatch(request, ctx));
    }
}
