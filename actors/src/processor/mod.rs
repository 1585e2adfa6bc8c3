//! The processor: keeps the session of each connection, decides whether a request is allowed, and passes it to the
//! actor that answers it. It answers `initialize` itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::fut::wrap_future;
use actix::prelude::*;
use futures_util::future::join;

use crate::catalog::{Catalog, Greet, Greeting};
use crate::commands::Commands;
use crate::connection::ConnectionId;
use crate::connection::messages::Disconnected;
use crate::context::Context;
use crate::encode::{Encoder, is_large};
use crate::files::Files;
use crate::host::Host;
use crate::limits::Limits;
use crate::post::Post;
use crate::protocol::diagnostics::DiagnosedConnection;
use crate::protocol::initialize::{ClientInfo, InitializeParams};
use crate::protocol::scope::Scopes;
use crate::protocol::{ClientRequest, Gate, Method, RpcError};
use crate::remote_control::{Meet, RemoteControl};
use crate::reply::{Asked, Reply};
use crate::router::{Audience, Connections, Effect, Outcome, Router};
use crate::search::Search;
use crate::threads::{Threads, ThreadsRequest};

mod audit;
mod gauges;
#[cfg(test)]
pub(crate) mod hold;
mod messages;
mod session;

use audit::audit;
pub use gauges::Gauges;
pub use messages::{Drain, Note, Request};
use session::Session;

/// See the module's documentation.
pub struct Processor {
    parts: ProcessorParts,
    /// Not a hash map, which would keep the capacity of the largest number of connections there ever was.
    sessions: BTreeMap<ConnectionId, Session>,
    /// Name of the first initialized client. The user agent begins with it for the life of the process.
    originator: Option<String>,
    draining: bool,
}

/// The collaborators of the processor.
pub struct ProcessorParts {
    /// The limits.
    pub limits: Arc<Limits>,
    /// Facts about the server and the machine.
    pub host: Host,
    /// Read for `server/diagnostics`.
    pub gauges: Gauges,
    /// Receives answers and notifications.
    pub router: Arc<Addr<Router>>,
    /// Encodes large answers.
    pub encoder: Encoder,
    /// Answers requests about threads.
    pub threads: Arc<Addr<Threads>>,
    /// Answers requests about the server and its user.
    pub catalog: Arc<Addr<Catalog>>,
    /// Answers requests about commands.
    pub commands: Arc<Addr<Commands>>,
    /// Answers requests about files.
    pub files: Arc<Addr<Files>>,
    /// Answers file searches.
    pub search: Arc<Addr<Search>>,
    /// Answers requests about remote control.
    pub remote_control: Arc<Addr<RemoteControl>>,
}

impl Processor {
    /// Creates a processor without sessions.
    pub fn new(parts: ProcessorParts) -> Self {
        Self { parts, sessions: BTreeMap::new(), originator: None, draining: false }
    }

    fn dispatch(&mut self, message: Request, ctx: &mut Context<Self>) {
        let Request { reply, method, request, scopes } = message;
        if let ClientRequest::Initialize(params) = request {
            return self.initialize(reply, *params, scopes, ctx);
        }
        let session = match self.gate(reply.connection(), method, &request, scopes) {
            Ok(session) => session,
            Err(error) => return ctx.post(&self.parts.router, reply.fail(&error)),
        };
        audit(reply.connection(), session, method, &request);
        match request {
            ClientRequest::Initialize(_) => {}
            ClientRequest::Diagnostics(_) => self.diagnose(reply, ctx),
            ClientRequest::Threads(request) => {
                let originator = session.client_name.clone();
                ctx.post(&self.parts.threads, ThreadsRequest { reply, originator, request });
            }
            ClientRequest::Catalog(request) => {
                self.hand_over(&self.parts.catalog, Asked { reply, request }, ctx);
            }
            ClientRequest::Commands(request) => {
                self.hand_over(&self.parts.commands, Asked { reply, request }, ctx);
            }
            ClientRequest::Files(request) => {
                self.hand_over(&self.parts.files, Asked { reply, request }, ctx);
            }
            ClientRequest::Search(request) => {
                self.hand_over(&self.parts.search, Asked { reply, request }, ctx);
            }
            ClientRequest::RemoteControl(request) => {
                self.hand_over(&self.parts.remote_control, Asked { reply, request }, ctx);
            }
        }
    }

    /// Passes a request to an actor that may be slow. If its mailbox is full, the request is answered with -32001 at
    /// once, because waiting would delay all other requests.
    fn hand_over<A, R>(&self, to: &Addr<A>, asked: Asked<R>, ctx: &mut Context<Self>)
    where
        A: Actor<Context = Context<A>> + Handler<Asked<R>>,
        R: Send + 'static,
    {
        let (error, asked) = match to.try_send(asked) {
            Ok(()) => return,
            Err(SendError::Full(asked)) => (RpcError::overloaded(), asked),
            Err(SendError::Closed(asked)) => (RpcError::internal("the server is ending; reconnect"), asked),
        };
        ctx.post(&self.parts.router, asked.reply.fail(&error));
    }

    /// Checks whether this connection may send this request now.
    fn gate(
        &self,
        connection: ConnectionId,
        method: &Method,
        request: &ClientRequest,
        scopes: Scopes,
    ) -> Result<&Session, RpcError> {
        let session = self.sessions.get(&connection).ok_or_else(|| RpcError::invalid_request("Not initialized"))?;
        let needed = method.scope.map(|scope| (method.name, scope)).into_iter().chain(request.further_scope());
        for (what, scope) in needed {
            if !scopes.include(scope) {
                return Err(RpcError::out_of_scope(what, scope, scopes));
            }
        }
        if !session.experimental_api {
            let gated = match method.gate {
                Gate::Experimental => Some(method.name),
                Gate::Stable => request.experimental_member(),
            };
            if let Some(gated) = gated {
                return Err(RpcError::invalid_request(format_args!("{gated} requires experimentalApi capability")));
            }
        }
        if self.draining && method.starts_work {
            return Err(RpcError::draining());
        }
        Ok(session)
    }

    fn initialize(&mut self, reply: Reply, params: InitializeParams, scopes: Scopes, ctx: &mut Context<Self>) {
        let connection = reply.connection();
        let session = match Session::open(&params, &self.parts.limits, self.sessions.contains_key(&connection)) {
            Ok(session) => session,
            Err(error) => return ctx.post(&self.parts.router, reply.fail(&error)),
        };
        let originator = self.originator.get_or_insert_with(|| params.client_info.name.clone());
        let response = self.parts.host.initialize_response(originator, &params.client_info, scopes);
        self.sessions.insert(connection, session);
        let InitializeParams { client_info, capabilities } = params;
        let opt_out = capabilities.unwrap_or_default().opt_out_notification_methods.unwrap_or_default();
        let opt_out = opt_out.into_iter().collect();
        let client = client_info.shown();
        let outcome = reply.ok(&response).then(Effect::Admit { connection, client, opt_out, scopes });
        ctx.post(&self.parts.router, outcome);
        self.greet(connection, client_info, ctx);
    }

    /// Answers with what this actor knows, and with the connections of the router.
    fn diagnose(&self, reply: Reply, ctx: &mut Context<Self>) {
        let (mut diagnostics, router) = (self.parts.gauges.read(), self.parts.router.clone());
        let encoder = self.parts.encoder.clone();
        ctx.spawn(wrap_future::<_, Self>(async move {
            // Without the router nobody can be answered.
            diagnostics.connections = router.send(Connections).await.unwrap_or_default();
            let answer = if is_large(diagnostics.connections.iter().map(DiagnosedConnection::bytes)) {
                let encoded = encoder.large(reply, move || diagnostics).await;
                encoded.map_or_else(Outcome::none, |(reply, frame)| reply.send(frame))
            } else {
                reply.ok(&diagnostics)
            };
            if router.send(answer).await.is_err() {
                log::debug!("the server ended while it was diagnosed");
            }
        }));
    }

    /// Sends a new connection the first notifications: warnings about the configuration, then the status of remote
    /// control. They follow the answer a moment later, because the catalog may have to read files. Remote control sends
    /// its status itself, so that no newer status overtakes it.
    fn greet(&self, connection: ConnectionId, client: ClientInfo, ctx: &mut Context<Self>) {
        let greetings = join(self.parts.commands.send(Greet), self.parts.catalog.send(Greet));
        let (router, remote_control) = (self.parts.router.clone(), self.parts.remote_control.clone());
        let greeted = async move {
            let (commands, catalog) = greetings.await;
            // If one actor has ended, the other notifications are still sent.
            let outcome = [commands.unwrap_or_default(), catalog.unwrap_or_default()]
                .into_iter()
                .flat_map(|Greeting { notifications }| notifications)
                .fold(Outcome::none(), |outcome, notification| outcome.tell(Audience::One(connection), notification));
            if router.send(outcome).await.is_err() || remote_control.send(Meet { connection, client }).await.is_err() {
                log::debug!("the server ended while it greeted connection {connection}");
            }
        };
        ctx.spawn(wrap_future::<_, Self>(greeted));
    }
}

impl Actor for Processor {
    type Context = Context<Self>;
}

impl Handler<Request> for Processor {
    type Result = ();

    fn handle(&mut self, message: Request, ctx: &mut Self::Context) {
        message.reply.left_mailbox();
        self.dispatch(message, ctx);
    }
}

impl Handler<Note> for Processor {
    type Result = ();

    fn handle(&mut self, note: Note, ctx: &mut Self::Context) {
        match note {
            Note::Notification { connection, notification } => {
                log::debug!("connection {connection} sent {notification:?}; nothing waits for it");
            }
            // The router knows who was asked, and that is nobody before its handshake (law 8).
            Note::Answer { connection, id, answer } => {
                let answered = Outcome::none().then(Effect::Answered { connection, id, answer });
                ctx.post(&self.parts.router, answered);
            }
        }
    }
}

impl Handler<Disconnected> for Processor {
    type Result = ();

    fn handle(&mut self, Disconnected { connection }: Disconnected, ctx: &mut Self::Context) {
        self.sessions.remove(&connection);
        // Up to four pauses. Their order does not matter, because each is for another actor.
        ctx.post(&self.parts.commands, Disconnected { connection });
        ctx.post(&self.parts.files, Disconnected { connection });
        ctx.post(&self.parts.search, Disconnected { connection });
        ctx.post(&self.parts.router, Outcome::none().then(Effect::Forget { connection }));
    }
}

impl Handler<Drain> for Processor {
    type Result = ();

    fn handle(&mut self, _: Drain, _: &mut Self::Context) {
        self.draining = true;
    }
}
