//! The search actor: `fuzzyFileSearch` and its sessions.
//!
//! The actor itself only schedules and answers requests. Searches run on worker threads ([`engine`]); an obsolete
//! search is cancelled at once. The result of a directory walk is cached for the next search, which first checks that
//! it is still valid ([`trees`], [`stamp`]).

mod engine;
mod ignored;
mod parallel;
mod query;
mod stamp;
mod tree;
mod trees;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::connection::ConnectionId;
use crate::connection::messages::Disconnected;
use crate::context::Context;
use crate::limits::Limits;
use crate::mailbox::start_alone;
use crate::post::Post;
use crate::protocol::search::*;
use crate::protocol::thread::Empty;
use crate::protocol::{RpcError, ServerNotification};
use crate::reply::{Asked, Reply};
use crate::router::{Audience, Outcome, Router};
use crate::vital::Vitals;
use crate::workers::{Progress, Unfinished, Workers};
use engine::Engine;
use query::LONGEST_QUERY;

/// Longest name of a session or a search, in bytes.
const LONGEST_ID: usize = 1024;

/// See the module's documentation.
pub struct Search {
    limits: Arc<Limits>,
    router: Arc<Addr<Router>>,
    engine: Arc<Engine>,
    workers: Workers,
    clients: HashMap<ConnectionId, Client>,
    searches: u64,
}

/// The searches of one connection, which end with it.
#[derive(Default)]
struct Client {
    sessions: HashMap<String, Session>,
    /// Running searches by cancellation token; bounded by the requests in flight.
    running: HashMap<String, Running>,
}

struct Session {
    roots: Arc<[String]>,
    /// The search of its latest query. Dropping it cancels the search.
    _running: DropGuard,
}

/// A search with a cancellation token. Dropping it cancels the search.
struct Running {
    number: u64,
    _guard: DropGuard,
}

impl Search {
    /// Starts the actor on an arbiter of its own, where [`Limits::search_workers`] searches run at once. Relative roots
    /// are resolved against `cwd`. Its mailbox is bounded by [`Limits::search_mailbox_messages`], as long as the
    /// address is shared and never cloned.
    ///
    /// # Panics
    /// Panics outside an actix system.
    pub fn start(limits: Arc<Limits>, cwd: PathBuf, router: Arc<Addr<Router>>, vitals: &Vitals) -> Arc<Addr<Self>> {
        let messages = limits.search_mailbox_messages;
        let make = move || {
            let engine = Arc::new(Engine::new(cwd, &limits));
            let workers = Workers::new(limits.search_workers, limits.file_patience_seconds.duration());
            Self { limits, router, engine, workers, clients: HashMap::new(), searches: 0 }
        };
        start_alone(messages, vitals.watch("search"), make)
    }

    fn dispatch(&mut self, Asked { reply, request }: Asked<SearchRequest>, ctx: &mut Context<Self>) {
        let connection = reply.connection();
        let done = match request {
            SearchRequest::FuzzyFileSearch(params) => match self.check_search(&params) {
                Ok(()) => return self.search_once(*params, reply, ctx),
                Err(error) => Err(error),
            },
            SearchRequest::SessionStart(params) => self.start_session(connection, params, ctx),
            SearchRequest::SessionUpdate(params) => self.update_session(connection, params, ctx),
            SearchRequest::SessionStop(params) => {
                if let Some(client) = self.clients.get_mut(&connection) {
                    client.sessions.remove(&params.session_id);
                }
                Ok(())
            }
        };
        ctx.post(&self.router, reply.answer(done.map(|()| Empty {})));
    }

    fn check_search(&self, params: &FuzzyFileSearchParams) -> Result<(), RpcError> {
        let token = params.cancellation_token.as_deref().unwrap_or_default();
        check_length("cancellationToken", token, LONGEST_ID)?;
        check_length("query", &params.query, LONGEST_QUERY)?;
        self.check_roots(&params.roots)
    }

    fn check_roots(&self, roots: &[String]) -> Result<(), RpcError> {
        let most = self.limits.search_roots;
        if roots.len() > most {
            return Err(RpcError::invalid_request(format_args!("a search can have at most {most} roots")));
        }
        Ok(())
    }

    fn search_once(&mut self, params: FuzzyFileSearchParams, reply: Reply, ctx: &mut Context<Self>) {
        let FuzzyFileSearchParams { query, roots, cancellation_token } = params;
        let connection = reply.connection();
        let cancelled = CancellationToken::new();
        self.searches += 1;
        let number = self.searches;
        if let Some(token) = cancellation_token.clone() {
            let running = Running { number, _guard: cancelled.clone().drop_guard() };
            self.clients.entry(connection).or_default().running.insert(token, running);
        }
        let subject = roots.first().cloned().unwrap_or_default();
        let search = self.run(query, roots.into(), cancelled);
        ctx.spawn(wrap_future::<_, Self>(search).map(move |found, search, ctx| {
            if let Some(token) = cancellation_token {
                search.end(connection, &token, number);
            }
            let files = match found {
                Found::Files(files) => files,
                Found::Cancelled => Vec::new(),
                // The reply is dropped, which answers -32603.
                Found::Nothing(Unfinished::Panicked) => return,
                Found::Nothing(unfinished) => {
                    let error = unfinished.explain(&subject);
                    return ctx.post(&search.router, reply.fail(&error));
                }
            };
            ctx.post(&search.router, reply.ok(&FuzzyFileSearchResponse { files }));
        }));
    }

    /// Removes a search, unless another one has replaced it under the same token.
    fn end(&mut self, connection: ConnectionId, token: &str, number: u64) {
        if let Some(client) = self.clients.get_mut(&connection)
            && client.running.get(token).is_some_and(|running| running.number == number)
        {
            client.running.remove(token);
        }
    }

    fn start_session(
        &mut self,
        connection: ConnectionId,
        params: FuzzyFileSearchSessionStartParams,
        ctx: &mut Context<Self>,
    ) -> Result<(), RpcError> {
        let FuzzyFileSearchSessionStartParams { session_id, roots } = params;
        if session_id.is_empty() {
            return Err(RpcError::invalid_request("sessionId must not be empty"));
        }
        check_length("sessionId", &session_id, LONGEST_ID)?;
        if roots.is_empty() {
            let text = "failed to start fuzzy file search session: at least one search directory is required";
            return Err(RpcError::internal(text));
        }
        self.check_roots(&roots)?;
        let sessions = &self.clients.entry(connection).or_default().sessions;
        let most = self.limits.search_sessions_per_connection;
        if sessions.len() >= most && !sessions.contains_key(&session_id) {
            let text = format!("all {most} search sessions are in use; end one with fuzzyFileSearch/sessionStop");
            return Err(RpcError::invalid_request(text));
        }
        self.query(connection, session_id, roots.into(), String::new(), ctx);
        Ok(())
    }

    fn update_session(
        &mut self,
        connection: ConnectionId,
        params: FuzzyFileSearchSessionUpdateParams,
        ctx: &mut Context<Self>,
    ) -> Result<(), RpcError> {
        let FuzzyFileSearchSessionUpdateParams { session_id, query } = params;
        check_length("query", &query, LONGEST_QUERY)?;
        let session = self.clients.get(&connection).and_then(|client| client.sessions.get(&session_id));
        let Some(roots) = session.map(|session| session.roots.clone()) else {
            return Err(RpcError::invalid_request(format_args!("fuzzy file search session not found: {session_id}")));
        };
        self.query(connection, session_id, roots, query, ctx);
        Ok(())
    }

    /// Starts a session's search for `query`, which replaces the previous one, and sends the results to the client.
    fn query(
        &mut self,
        connection: ConnectionId,
        session_id: String,
        roots: Arc<[String]>,
        query: String,
        ctx: &mut Context<Self>,
    ) {
        let cancelled = CancellationToken::new();
        let session = Session { roots: roots.clone(), _running: cancelled.clone().drop_guard() };
        self.clients.entry(connection).or_default().sessions.insert(session_id.clone(), session);
        let search = self.run(query.clone(), roots, cancelled.clone());
        ctx.spawn(wrap_future::<_, Self>(search).map(move |found, search, ctx| {
            let files = match found {
                Found::Files(files) => files,
                Found::Nothing(_) => Vec::new(),
                Found::Cancelled => return,
            };
            let updated = FuzzyFileSearchSessionUpdated { session_id: session_id.clone(), query, files };
            let outcome = Outcome::none()
                .tell(Audience::One(connection), ServerNotification::FuzzyFileSearchSessionUpdated(updated))
                .tell(Audience::One(connection), ServerNotification::FuzzyFileSearchSessionCompleted { session_id });
            ctx.post(&search.router, outcome);
        }));
    }

    /// Searches on a worker thread. If a search is cancelled during a walk, the walk goes on, because the search that
    /// replaced it usually needs the same tree.
    fn run(
        &self,
        query: String,
        roots: Arc<[String]>,
        cancelled: CancellationToken,
    ) -> impl Future<Output = Found> + use<> {
        let (engine, workers) = (self.engine.clone(), self.workers.clone());
        async move {
            let stop = cancelled.clone();
            let work = move |progress: &Progress| engine.search(&query, &roots, &stop, progress);
            let work = workers.run("a search for files", &CancellationToken::new(), work);
            match cancelled.run_until_cancelled(work).await {
                Some(Ok(files)) => Found::Files(files),
                Some(Err(unfinished)) => Found::Nothing(unfinished),
                None => Found::Cancelled,
            }
        }
    }
}

/// The outcome of a search.
enum Found {
    Files(Vec<FuzzyFileSearchResult>),
    /// It was replaced by another one, or its client is gone.
    Cancelled,
    Nothing(Unfinished),
}

fn check_length(what: &str, text: &str, longest: usize) -> Result<(), RpcError> {
    if text.len() > longest {
        return Err(RpcError::invalid_request(format_args!("{what} is longer than {longest} bytes")));
    }
    Ok(())
}

impl Actor for Search {
    type Context = Context<Self>;
}

impl Handler<Asked<SearchRequest>> for Search {
    type Result = ();

    fn handle(&mut self, request: Asked<SearchRequest>, ctx: &mut Self::Context) {
        self.dispatch(request, ctx);
    }
}

impl Handler<Disconnected> for Search {
    type Result = ();

    fn handle(&mut self, Disconnected { connection }: Disconnected, _: &mut Self::Context) {
        self.clients.remove(&connection);
    }
}
