//! The threads registry: knows which threads are loaded, and answers the requests about threads.
//!
//! What is known about a thread stands in the database, what is alive about it in its [`crate::thread`] actor. Questions to
//! the database are handed over in the order in which the requests came, and requests about one thread end in that
//! order ([`lanes`]): the name that was told last is the name that holds.

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

/// What the registry works with.
pub struct ThreadsParts {
    /// Every bound.
    pub limits: Arc<Limits>,
    /// What the server says of itself.
    pub host: Host,
    /// Where answers and notifications go.
    pub router: Arc<Addr<Router>>,
    /// The database.
    pub store: Arc<Addr<Store>>,
    /// The settings of new threads.
    pub catalog: Arc<Addr<Catalog>>,
    /// What time it is.
    pub clock: Clock,
}

/// A thread in memory.
struct Loaded {
    thread: Arc<Addr<Thread>>,
    /// The database knows nothing of it.
    ephemeral: bool,
    /// Since when nobody follows it; `None` while somebody does or nobody has looked yet.
    unfollowed_since: Option<tokio::time::Instant>,
}

/// The part of a request that takes time; ends with what is then to be done in the registry.
type Work = Pin<Box<dyn Future<Output = Result<Finish, RpcError>>>>;

/// Changes the registry where needed, and answers.
type Finish = Box<dyn FnOnce(&mut Threads, Reply) -> Outcome>;

/// A request whose [`Work`] is over; `None` where that panicked.
struct Done {
    result: Option<Result<Finish, RpcError>>,
    reply: Reply,
}

/// A request that needs time.
fn work(future: impl Future<Output = Result<Finish, RpcError>> + 'static) -> Result<Work, RpcError> {
    Ok(Box::pin(future))
}

/// The end of a [`work`].
fn finish(end: impl FnOnce(&mut Threads, Reply) -> Outcome + 'static) -> Result<Finish, RpcError> {
    Ok(Box::new(end))
}

impl Threads {
    /// A registry with nothing loaded.
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

    /// Where something panicked, the reply is dropped, which answers that the server failed.
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

    /// Asks the database, now; the answer comes with the future.
    fn ask<Q: store::Question>(&self, question: Q) -> impl Future<Output = Result<Q::Answer, RpcError>> + use<Q> {
        let answer = store::ask(&self.parts.store, question);
        async move { answer.await.map_err(|error: StoreError| unavailable(&error)) }
    }

    /// Puts a thread into memory, unless it is there already.
    fn load(&mut self, record: &Arc<ThreadRecord>, ephemeral: bool) {
        let Self { parts: ThreadsParts { router, limits, .. }, loaded, .. } = self;
        let entry = loaded.entry(record.id).or_insert_with(|| Loaded {
            thread: Arc::new(Thread::new(record.clone(), router.clone(), limits.thread_mailbox_messages).start()),
            ephemeral,
            unfollowed_since: None,
        });
        entry.unfollowed_since = None;
    }

    /// Takes a thread out of memory. What everyone is told of it, if it was there.
    fn unload(&mut self, id: ThreadId) -> Option<ServerNotification> {
        self.loaded.remove(&id)?;
        Some(ServerNotification::ThreadStatusChanged { thread_id: id, status: ThreadStatus::NotLoaded })
    }

    fn is_ephemeral(&self, id: ThreadId) -> bool {
        self.loaded.get(&id).is_some_and(|loaded| loaded.ephemeral)
    }

    /// The record with which a loaded thread began.
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
