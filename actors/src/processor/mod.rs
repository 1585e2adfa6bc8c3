//! The processor: knows each connection's session, decides whether a request may be made, and hands it to the actor
//! that answers it. It answers `initialize` itself.

use std::collections::HashMap;
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use futures_util::future::join;

use crate::catalog::{Ask, Catalog, Greet, Greeting};
use crate::commands::{Commands, CommandsRequest};
use crate::connection::ConnectionId;
use crate::host::Host;
use crate::limits::Limits;
use crate::panics::guarded;
use crate::post::post;
use crate::protocol::initialize::InitializeParams;
use crate::protocol::{ClientRequest, Gate, Method, RpcError};
use crate::reply::Reply;
use crate::router::{Audience, Effect, Outcome, Router};
use crate::threads::{Threads, ThreadsRequest};

mod messages;
mod session;

pub use messages::{Disconnected, Drain, Note, Request};
use session::Session;

/// See the module's documentation.
pub struct Processor {
    limits: Arc<Limits>,
    host: Host,
    router: Arc<Addr<Router>>,
    threads: Arc<Addr<Threads>>,
    catalog: Arc<Addr<Catalog>>,
    commands: Arc<Addr<Commands>>,
    sessions: HashMap<ConnectionId, Session>,
    /// The first initialized client's name; it leads the user agent for the life of the process.
    originator: Option<String>,
    draining: bool,
}

impl Processor {
    /// A processor without sessions.
    pub fn new(
        limits: Arc<Limits>,
        host: Host,
        router: Arc<Addr<Router>>,
        threads: Arc<Addr<Threads>>,
        catalog: Arc<Addr<Catalog>>,
        commands: Arc<Addr<Commands>>,
    ) -> Self {
        let sessions = HashMap::new();
        Self { limits, host, router, threads, catalog, commands, sessions, originator: None, draining: false }
    }

    fn dispatch(&mut self, reply: Reply, method: &'static Method, request: ClientRequest, ctx: &mut Context<Self>) {
        if let ClientRequest::Initialize(params) = request {
            return self.initialize(reply, params, ctx);
        }
        let session = match self.gate(reply.connection(), method, &request) {
            Ok(session) => session,
            Err(error) => return post::<Self, _, _>(&self.router, reply.fail(&error), ctx),
        };
        match request {
            ClientRequest::Initialize(_) => {}
            ClientRequest::Threads(request) => {
                let originator = session.client_name.clone();
                post::<Self, _, _>(&self.threads, ThreadsRequest { reply, originator, request }, ctx);
            }
            ClientRequest::Catalog(request) => {
                let sent = self.catalog.try_send(Ask { reply, request });
                self.refuse_unsent(sent, |ask| ask.reply, ctx);
            }
            ClientRequest::Commands(request) => {
                let sent = self.commands.try_send(CommandsRequest { reply, request });
                self.refuse_unsent(sent, |request| request.reply, ctx);
            }
        }
    }

    /// Answers the request that an actor on another arbiter had no room for.
    fn refuse_unsent<M>(&self, sent: Result<(), SendError<M>>, reply: fn(M) -> Reply, ctx: &mut Context<Self>) {
        let (message, error) = match sent {
            Ok(()) => return,
            Err(SendError::Full(message)) => (message, RpcError::overloaded()),
            Err(SendError::Closed(message)) => (message, RpcError::internal("the actor for this request has ended")),
        };
        post::<Self, _, _>(&self.router, reply(message).fail(&error), ctx);
    }

    /// May this connection ask this now?
    fn gate(&self, connection: ConnectionId, method: &Method, request: &ClientRequest) -> Result<&Session, RpcError> {
        let session = self.sessions.get(&connection).ok_or_else(|| RpcError::invalid_request("Not initialized"))?;
        if !session.experimental_api {
            let gated = match method.gate {
                Gate::Experimental => Some(method.name),
                Gate::Stable => request.experimental_member(),
            };
            if let Some(gated) = gated {
                return Err(RpcError::invalid_request(format!("{gated} requires experimentalApi capability")));
            }
        }
        if self.draining && request.starts_work() {
            return Err(RpcError::draining());
        }
        Ok(session)
    }

    fn initialize(&mut self, reply: Reply, params: InitializeParams, ctx: &mut Context<Self>) {
        let connection = reply.connection();
        let session = match Session::open(&params, self.sessions.contains_key(&connection)) {
            Ok(session) => session,
            Err(error) => return post::<Self, _, _>(&self.router, reply.fail(&error), ctx),
        };
        let originator = self.originator.get_or_insert_with(|| params.client_info.name.clone());
        let response = self.host.initialize_response(originator, &params.client_info);
        self.sessions.insert(connection, session);
        let opt_out = params.capabilities.unwrap_or_default().opt_out_notification_methods.unwrap_or_default();
        let outcome = reply.ok(&response).then(Effect::Admit { connection, opt_out: opt_out.into_iter().collect() });
        post::<Self, _, _>(&self.router, outcome, ctx);
        self.greet(connection, ctx);
    }

    /// Tells a new connection what every client is told first: warnings about the configuration, and where remote
    /// control stands. The catalog may have to read files for it, so it comes a moment after the answer.
    fn greet(&self, connection: ConnectionId, ctx: &mut Context<Self>) {
        let greetings = join(self.commands.send(Greet), self.catalog.send(Greet));
        ctx.spawn(wrap_future::<_, Self>(greetings).map(move |(commands, catalog), processor, ctx| {
            // Where an actor has ended, the rest of the greeting still counts.
            let greetings = [commands.unwrap_or_default(), catalog.unwrap_or_default()];
            let outcome = greetings
                .into_iter()
                .flat_map(|Greeting { notifications }| notifications)
                .fold(Outcome::none(), |outcome, notification| outcome.tell(Audience::One(connection), notification));
            post::<Self, _, _>(&processor.router, outcome, ctx);
        }));
    }
}

impl Actor for Processor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(self.limits.processor_mailbox_messages);
    }
}

impl Handler<Request> for Processor {
    type Result = ();

    fn handle(&mut self, message: Request, ctx: &mut Self::Context) {
        let Request { reply, method, request, brake } = message;
        brake.taken();
        guarded(method.name, || self.dispatch(reply, method, request, ctx));
    }
}

impl Handler<Note> for Processor {
    type Result = ();

    fn handle(&mut self, note: Note, _: &mut Self::Context) {
        match note {
            Note::Notification { connection, notification } => {
                log::debug!("connection {connection} sent {notification:?}; nothing waits for it");
            }
            // Law 8: no server request was sent to this connection, so there is none that it could answer.
            Note::Answer { connection, id } => {
                log::debug!("connection {connection} answered {id:?}, which it was not asked; ignored");
            }
        }
    }
}

impl Handler<Disconnected> for Processor {
    type Result = ();

    fn handle(&mut self, Disconnected { connection }: Disconnected, ctx: &mut Self::Context) {
        self.sessions.remove(&connection);
        if let Err(SendError::Full(gone)) = self.commands.try_send(Disconnected { connection }) {
            let commands = self.commands.clone();
            // One per connection, so bounded by their number.
            actix_rt::spawn(async move { commands.send(gone).await });
        }
        post::<Self, _, _>(&self.router, Outcome::none().then(Effect::Forget { connection }), ctx);
    }
}

impl Handler<Drain> for Processor {
    type Result = ();

    fn handle(&mut self, _: Drain, _: &mut Self::Context) {
        self.draining = true;
    }
}
