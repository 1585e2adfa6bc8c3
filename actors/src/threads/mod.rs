//! The registry of threads: knows which threads are loaded, and answers requests about threads.
//!
//! What is known about a thread stands in the database, what is alive about it in its [`crate::thread`] actor. Requests
//! about one thread are decided in the order in which they came ([`schedule`]): each looks at what is loaded when its
//! turn comes.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use futures_util::future::join_all;
use serde::Serialize;
use tokio_util::task::TaskTracker;

use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::context::Context;
use crate::encode::Encoder;
use crate::host::Host;
use crate::limits::Limits;
use crate::panics::{guarded, guarded_future};
use crate::post::post;
use crate::protocol::RpcError;
use crate::protocol::thread::{ThreadId, ThreadRequest};
use crate::reply::Reply;
use crate::router::{Outcome, Router};
use crate::store::{self, Store};
use crate::thread::EndTurn;
use crate::turn::TurnSetup;

mod birth;
mod change;
mod choice;
mod conversation;
mod goal;
mod idle;
mod loaded;
mod mcp;
mod messages;
mod query;
mod queue;
mod refusals;
mod resume;
mod schedule;
mod terminals;
#[cfg(test)]
mod tests;
mod ticket;
mod turn;
mod view;

use loaded::Loaded;
pub use messages::{EndTurns, MeasureThreads, ThreadsRequest};
use schedule::{Kind, Schedule, Ticket};
use ticket::ticket;

/// See the module's documentation.
pub struct Threads {
    parts: ThreadsParts,
    /// Ordered by id, which is the order of creation.
    loaded: BTreeMap<ThreadId, Loaded>,
    schedule: Schedule<ThreadsRequest, Done, Outcome>,
    /// Large answers that the next message to the router holds.
    delivering: Vec<Ticket>,
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
    /// Encodes large answers.
    pub encoder: Encoder,
    /// How turns are run.
    pub turns: Arc<TurnSetup>,
    /// What a drain waits for.
    pub work: TaskTracker,
}

/// What a request does before its final step in the registry.
enum Work {
    /// Nothing: it is decided as soon as its turn has come.
    Decided(Finish),
    /// This, which waits for others.
    Awaited(Pin<Box<dyn Future<Output = Result<Finish, RpcError>>>>),
}

/// The final step of a request: changes the registry if needed, and answers.
type Finish = Box<dyn FnOnce(&mut Threads, Reply) -> End>;

/// How a request ends.
enum End {
    /// This is to be told.
    Answered(Outcome),
    /// A worker encodes the answer. The request then ends with the outcome of the returned function.
    Encoded(Pin<Box<dyn Future<Output = Encoded>>>),
    /// A loaded thread decides and answers, and the future is ready when it has.
    HandedOver(Pin<Box<dyn Future<Output = ()>>>),
}

type Encoded = Box<dyn FnOnce(&mut Threads) -> Outcome>;

impl From<Outcome> for End {
    fn from(outcome: Outcome) -> Self {
        Self::Answered(outcome)
    }
}

/// A request whose [`Work`] is done; `None` if it panicked.
struct Done {
    result: Option<Result<Finish, RpcError>>,
    reply: Reply,
}

/// Wraps the part of a request that waits for others.
fn work(future: impl Future<Output = Result<Finish, RpcError>> + 'static) -> Result<Work, RpcError> {
    Ok(Work::Awaited(Box::pin(future)))
}

/// Wraps the final step of a request that waits for nobody.
fn decided(finish: Result<Finish, RpcError>) -> Result<Work, RpcError> {
    finish.map(Work::Decided)
}

/// Wraps the final step of a request, which answers.
fn finish<E: Into<End>>(end: impl FnOnce(&mut Threads, Reply) -> E + 'static) -> Result<Finish, RpcError> {
    Ok(Box::new(|threads, reply| end(threads, reply).into()))
}

/// Wraps the final step of a request that is answered by the loaded thread.
fn hand_over<F>(end: impl FnOnce(Reply) -> F + 'static) -> Result<Finish, RpcError>
where
    F: Future<Output = ()> + 'static,
{
    Ok(Box::new(|_, reply| End::HandedOver(Box::pin(end(reply)))))
}

impl Threads {
    /// Creates a registry without loaded threads.
    pub fn new(parts: ThreadsParts) -> Self {
        Self { parts, loaded: BTreeMap::new(), schedule: Schedule::new(), delivering: Vec::new() }
    }

    /// Starts a request in its turn: it sees the state that the earlier requests left.
    fn work(&self, reply: &Reply, originator: &str, request: ThreadRequest) -> Result<Work, RpcError> {
        use ThreadRequest as Request;
        match request {
            Request::Start(params) => self.start_thread(originator.to_owned(), *params),
            Request::Resume(params) => self.resume(*params),
            Request::Fork(params) => self.fork(originator.to_owned(), *params),
            Request::NameSet(params) => self.set_name(&params),
            Request::MetadataUpdate(params) => self.update_metadata(*params),
            Request::Archive(params) => self.archive(&params),
            Request::Unarchive(params) => self.unarchive(&params),
            Request::Delete(params) => self.delete(&params),
            Request::Unsubscribe(params) => self.unsubscribe(&params, reply.connection()),
            Request::Read(params) => self.read(&params),
            Request::List(params) => self.list(*params),
            Request::Search(params) => self.search("thread/search", *params),
            Request::SearchStream(params) => self.search_stream(*params),
            Request::SearchCancel(_) | Request::SearchStreamCancel(_) => self.cancel_search(),
            Request::TurnsList(params) => self.turns_list(&params),
            Request::ItemsList(params) => self.items_list(*params),
            Request::GoalGet(params) => self.goal(&params),
            Request::GoalSet(params) => self.set_goal(*params),
            Request::GoalClear(params) => self.clear_goal(&params),
            Request::QueueAdd(params) => self.add_to_queue(*params),
            Request::QueueList(params) => self.queue(params),
            Request::QueueDelete(params) => self.delete_from_queue(params),
            Request::AttachmentList(params) => self.attachments(&params),
            Request::BackgroundTerminalsList(params) => self.terminals(&params),
            Request::BackgroundTerminalsTerminate(params) => self.end_terminal(params),
            Request::BackgroundTerminalsClean(params) => self.end_terminals(&params),
            Request::ShellCommand(params) => self.shell_command(params),
            Request::ReadStateUpdate(params) => self.update_read_state(params),
            Request::LoadedList(params) => {
                let list = self.loaded_list(&params)?;
                decided(finish(move |_, reply| reply.ok(&list)))
            }
            Request::CompactStart(params) => self.compact(&params),
            Request::SettingsUpdate(params) => self.update_settings(*params),
            Request::InjectItems(params) => self.inject_items(params),
            Request::Revert(params) => self.revert(params),
            Request::McpServerStatusList(params) => self.mcp_servers(*params),
            Request::McpServerToolCall(params) => self.call_mcp_tool(*params),
            Request::McpResourceRead(params) => self.read_mcp_resource(*params),
            Request::McpServerReload(()) => self.reload_mcp_servers(),
            Request::TurnStart(params) => self.start_turn(*params),
            Request::TurnSteer(params) => self.steer_turn(*params),
            Request::ReviewStart(params) => self.review(*params),
            Request::TurnInterrupt(params) => self.interrupt_turn(params),
        }
    }

    /// Starts a request in its turn. Returns what can be sent at once.
    fn begin(&mut self, ticket: Ticket, request: ThreadsRequest, ctx: &mut Context<Self>) -> Outcome {
        let ThreadsRequest { reply, originator, request } = request;
        let work = match guarded("a request about threads", || self.work(&reply, &originator, request)) {
            Some(Ok(Work::Awaited(work))) => work,
            Some(Ok(Work::Decided(finish))) => {
                return self.worked(ticket, Done { result: Some(Ok(finish)), reply }, ctx);
            }
            Some(Err(refusal)) => return self.worked(ticket, Done { result: Some(Err(refusal)), reply }, ctx),
            None => return self.worked(ticket, Done { result: None, reply }, ctx),
        };
        let work = wrap_future::<_, Self>(guarded_future("a request about threads", work));
        ctx.spawn(work.map(move |result, threads, ctx| {
            let outcome = threads.worked(ticket, Done { result, reply }, ctx);
            threads.go_on(outcome, ctx);
        }));
        Outcome::none()
    }

    /// The work of a request is done. Returns its outcome, and those of requests that waited for it.
    fn worked(&mut self, ticket: Ticket, done: Done, ctx: &mut Context<Self>) -> Outcome {
        let decisions = self.schedule.worked(ticket, done);
        decisions
            .into_iter()
            .fold(Outcome::none(), |outcome, (ticket, done)| outcome.followed_by(self.decide(ticket, done, ctx)))
    }

    /// Carries out the final step of a request, and answers. After a panic the reply is dropped, which answers -32603.
    fn decide(&mut self, ticket: Ticket, Done { result, reply }: Done, ctx: &mut Context<Self>) -> Outcome {
        let end = match result {
            Some(Ok(finish)) => guarded("the end of a request about threads", || finish(self, reply)),
            Some(Err(refusal)) => Some(reply.fail(&refusal).into()),
            None => None,
        };
        match end.unwrap_or_else(|| Outcome::none().into()) {
            End::Answered(outcome) => {
                self.schedule.decided(ticket);
                self.answered(ticket, outcome)
            }
            End::Encoded(encoded) => {
                self.end_encoded(ticket, encoded, ctx);
                Outcome::none()
            }
            End::HandedOver(handled) => {
                // The next requests about the thread go on also after a panic.
                let handled = guarded_future("the end of a request about threads", handled);
                ctx.spawn(wrap_future::<_, Self>(handled).map(move |_, threads, ctx| {
                    threads.schedule.decided(ticket);
                    let outcome = threads.answered(ticket, Outcome::none());
                    threads.go_on(outcome, ctx);
                }));
                Outcome::none()
            }
        }
    }

    /// A request that only looks is decided before its answer is encoded; any other has its effect with its answer.
    fn end_encoded(
        &mut self,
        ticket: Ticket,
        encoded: Pin<Box<dyn Future<Output = Encoded>>>,
        ctx: &mut Context<Self>,
    ) {
        let looks = ticket.kind == Kind::Look;
        if looks {
            self.schedule.decided(ticket);
        }
        ctx.spawn(wrap_future::<_, Self>(encoded).map(move |encoded, threads, ctx| {
            let outcome = guarded("the end of a request about threads", || encoded(threads));
            if !looks {
                threads.schedule.decided(ticket);
            }
            let outcome = threads.answered(ticket, outcome.unwrap_or_default());
            threads.go_on(outcome, ctx);
        }));
    }

    /// Answers with what `make` returns, and then ends the request with what `end` returns. If the answer is `large`, a
    /// worker makes and encodes it.
    fn respond<T: Serialize + 'static>(
        &mut self,
        reply: Reply,
        large: bool,
        make: impl FnOnce() -> T + Send + 'static,
        end: impl FnOnce(&mut Self, Outcome) -> Outcome + 'static,
    ) -> End {
        if !large {
            let answer = reply.ok(&make());
            return end(self, answer).into();
        }
        let encoded = self.parts.encoder.clone().large(reply, make);
        End::Encoded(Box::pin(async move {
            let encoded = encoded.await;
            let end: Encoded = Box::new(move |threads| match encoded {
                Some((reply, frame)) => end(threads, reply.send(frame)),
                None => Outcome::none(),
            });
            end
        }))
    }

    /// A request has its answer. What is to be told now.
    fn answered(&mut self, ticket: Ticket, outcome: Outcome) -> Outcome {
        let answers = self.schedule.answered(ticket, outcome);
        answers.into_iter().fold(Outcome::none(), |outcome, (ticket, answer)| {
            if ticket.large {
                self.delivering.push(ticket);
            }
            outcome.followed_by(answer)
        })
    }

    /// Begins with the requests whose turn has come, and tells everything that is to be told, in one message.
    ///
    /// What a request asks the router or a thread, it asks when its work is polled, which is after this message.
    fn go_on(&mut self, mut outcome: Outcome, ctx: &mut Context<Self>) {
        while let Some((ticket, request)) = self.schedule.next_due() {
            let told = self.begin(ticket, request, ctx);
            outcome = outcome.followed_by(told);
        }
        while let Some((connection, request)) = self.schedule.next_undrained() {
            let drained = wrap_future::<_, Self>(request.reply.peer_drained());
            ctx.spawn(drained.map(move |(), threads, ctx| {
                threads.schedule.peer_drained(connection);
                threads.go_on(Outcome::none(), ctx);
            }));
        }
        let delivering = std::mem::take(&mut self.delivering);
        if delivering.is_empty() {
            if !outcome.is_none() {
                post::<Self, _, _>(&self.parts.router, outcome, ctx);
            }
            return;
        }
        // The next large request looks at what is queued towards its client, so the router must have counted this
        // first.
        ctx.wait(wrap_future::<_, Self>(self.parts.router.send(outcome)).map(move |_, threads, ctx| {
            delivering.into_iter().for_each(|ticket| threads.schedule.delivered(ticket));
            threads.go_on(Outcome::none(), ctx);
        }));
    }

    /// Sends a request to the database at once; the future resolves to its answer.
    fn ask<Q: store::Question>(&self, question: Q) -> impl Future<Output = Result<Q::Answer, RpcError>> + use<Q> {
        let answer = store::ask(&self.parts.store, question);
        async move { answer.await.map_err(|error| error.refusal()) }
    }
}

impl Actor for Threads {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.watch_idle_threads(ctx);
    }
}

impl Handler<ThreadsRequest> for Threads {
    type Result = ();

    fn handle(&mut self, request: ThreadsRequest, ctx: &mut Self::Context) {
        match request {
            // Answered from memory, so it needs a place only behind other requests of its client.
            ThreadsRequest { reply, request: ThreadRequest::LoadedList(params), .. }
                if self.schedule.owes_nothing(reply.connection()) =>
            {
                post::<Self, _, _>(&self.parts.router, reply.answer(self.loaded_list(&params)), ctx);
            }
            request => {
                self.schedule.arrive(ticket(&request), request);
                self.go_on(Outcome::none(), ctx);
            }
        }
    }
}

impl Handler<EndTurns> for Threads {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: EndTurns, _: &mut Self::Context) -> Self::Result {
        // At once, because they wait for the same disk.
        let ended: Vec<_> = self.loaded.values().map(|loaded| loaded.thread.send(EndTurn)).collect();
        Box::pin(async move {
            join_all(ended).await;
        })
    }
}
