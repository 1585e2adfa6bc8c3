//! The actor of one server of one thread: starts it, follows it to its end, and starts it again when it is needed.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest, ReadResourceRequestParams,
    ReadResourceResult, ServerResult,
};
use rmcp::service::{Peer, PeerRequestOptions, RoleClient, ServiceError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::calls::Calls;
use super::catalogue::Catalogue;
use super::connect::{Connection, NotConnected, Task, list_tools, without};
use super::messages::{CallFault, CallTool, ListResources, Prepare, ReadResource, Resources};
use super::program::Process;
use super::standing::Standing;
use crate::backoff::Backoff;
use crate::context::Context;
use crate::panics::guarded_future;
use crate::protocol::catalog::McpServerConnectionStatus as Status;
use crate::protocol::notification::{McpServerStartupFailureReason, McpServerStartupState, McpServerStatusUpdated};
use crate::protocol::{Secret, ServerNotification};
use crate::router::Outcome;

/// Longest rest after the first failure in a row, and after any number of them.
const RESTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];

/// How long a server must have run for its end not to be one failure more in a row.
const STABLE: Duration = Duration::from_secs(10);

/// Shortest time between two lists of the tools of a server that says that they change.
const BETWEEN_LISTS: Duration = Duration::from_secs(1);

/// How long a server may take for the list of its resources.
const LIST_TIME: Duration = Duration::from_secs(10);

/// See the module's documentation. It ends when nothing of the server is left.
pub(super) struct Server {
    task: Rc<Task>,
    standing: Standing,
    state: State,
    calls: Arc<Calls>,
    /// Those who wait for the end of a start.
    waiting: Vec<oneshot::Sender<()>>,
    backoff: Backoff,
    /// Before this it is not started again.
    rests_until: Option<Instant>,
    /// What there is of it, also of earlier starts.
    lives: TaskTracker,
    /// Cancelled when it is to end.
    end: CancellationToken,
    /// Cancelled when nothing of it is left.
    ended: CancellationToken,
    random: fn() -> f64,
}

enum State {
    Stopped,
    Starting,
    Running(Running),
}

struct Running {
    peer: Peer<RoleClient>,
    process: Option<Process>,
    secrets: Rc<[Secret]>,
    since: Instant,
}

impl Server {
    pub(super) fn new(task: Task, standing: Standing, end: CancellationToken, ended: CancellationToken) -> Self {
        Self {
            task: Rc::new(task),
            standing,
            state: State::Stopped,
            calls: Arc::default(),
            waiting: Vec::new(),
            backoff: Backoff::new(RESTS[0], RESTS[1]),
            rests_until: None,
            lives: TaskTracker::new(),
            end,
            ended,
            random: fastrand::f64,
        }
    }

    /// Starts the server when it has rested.
    fn start(&mut self, ctx: &mut Context<Self>) {
        self.state = State::Starting;
        let rest = self.rests_until.take().map(|until| until.saturating_duration_since(Instant::now()));
        match rest.filter(|rest| !rest.is_zero()) {
            Some(rest) => drop(ctx.run_later(rest, Self::start_now)),
            None => self.start_now(ctx),
        }
    }

    fn start_now(&mut self, ctx: &mut Context<Self>) {
        self.tell(Status::Starting, None, ctx);
        let (changed, changes) = mpsc::channel(1);
        let (task, calls, lives, end) = (self.task.clone(), self.calls.clone(), self.lives.clone(), self.end.clone());
        let attempt = guarded_future("the start of an MCP server", async move {
            tokio::select! {
                connected = task.connect(&calls, &changed, &lives) => connected,
                () = end.cancelled() => Err("it was ended".to_owned().into()),
            }
        });
        ctx.spawn(wrap_future::<_, Self>(attempt).map(|connected, server, ctx| {
            let lost = || Err("the server failed while it started this one".to_owned().into());
            server.started(connected.unwrap_or_else(lost), changes, ctx);
        }));
    }

    fn started(
        &mut self,
        connected: Result<Connection, NotConnected>,
        changes: mpsc::Receiver<()>,
        ctx: &mut Context<Self>,
    ) {
        match connected {
            Ok(Connection { service, catalogue, process, secrets }) => {
                let secrets: Rc<[Secret]> = secrets.into();
                let peer = service.peer().clone();
                self.offer(catalogue);
                let since = Instant::now();
                self.state = State::Running(Running { peer: peer.clone(), process, secrets, since });
                self.tell(Status::Connected, None, ctx);
                self.watch_tools(peer, changes, ctx);
                let (end, stop) = (self.end.clone(), service.cancellation_token());
                ctx.spawn(wrap_future(async move {
                    end.cancelled().await;
                    stop.cancel();
                }));
                // An error means that the SDK failed; the server is lost either way.
                let over = async move { drop(service.waiting().await) };
                ctx.spawn(wrap_future::<_, Self>(over).map(|(), server, ctx| server.lost(ctx)));
            }
            Err(NotConnected { reason, wants_sign_in }) => {
                self.state = State::Stopped;
                self.rest();
                log::info!("the MCP server {} did not start: {reason}", self.task.name);
                let status = match wants_sign_in {
                    true => Status::AuthenticationRequired,
                    false => Status::Failed,
                };
                self.tell(status, Some(reason), ctx);
            }
        }
        for waiting in self.waiting.drain(..) {
            // Whoever waited may be gone.
            let _ = waiting.send(());
        }
    }

    /// The connection to a server that ran is over.
    fn lost(&mut self, ctx: &mut Context<Self>) {
        let State::Running(Running { since, process, .. }) = std::mem::replace(&mut self.state, State::Stopped) else {
            return;
        };
        if self.end.is_cancelled() {
            return;
        }
        if since.elapsed() >= STABLE {
            self.backoff.reset();
        }
        self.rest();
        let reason = end_of(process.as_ref());
        log::info!("the MCP server {} has ended: {reason}", self.task.name);
        self.tell(Status::Failed, Some(reason), ctx);
    }

    fn rest(&mut self) {
        self.rests_until = Some(Instant::now() + self.backoff.next((self.random)()));
    }

    fn offer(&self, catalogue: Catalogue) {
        if let Some(shortened) = &catalogue.shortened {
            log::warn!("the MCP server {}: {shortened}", self.task.name);
        }
        self.standing.offer(catalogue);
    }

    /// Lists the tools again when the server says that they have changed.
    fn watch_tools(&mut self, peer: Peer<RoleClient>, mut changes: mpsc::Receiver<()>, ctx: &mut Context<Self>) {
        let (limit, most) = (self.task.config.call_time(), self.task.setup.limits.listed_tools);
        let listed = async move {
            changes.recv().await?;
            tokio::time::sleep(BETWEEN_LISTS).await;
            let listed = tokio::time::timeout(limit, list_tools(&peer, most)).await;
            Some((listed, peer, changes))
        };
        ctx.spawn(wrap_future::<_, Self>(listed).map(|listed, server, ctx| {
            let Some((listed, peer, changes)) = listed else { return };
            if peer.is_transport_closed() {
                return;
            }
            match listed {
                Ok(Ok(tools)) => {
                    let task = &server.task;
                    server.offer(Catalogue::new(&task.name, &task.config, &task.setup.limits, peer.peer_info(), tools));
                }
                Ok(Err(error)) => log::info!("the MCP server {} did not list its tools: {error}", server.task.name),
                Err(_) => log::info!("the MCP server {} did not list its tools in time", server.task.name),
            }
            server.watch_tools(peer, changes, ctx);
        }));
    }

    /// Tells those who follow the thread how the server is.
    fn tell(&self, status: Status, error: Option<String>, ctx: &mut Context<Self>) {
        self.standing.set(status, error.clone());
        if self.end.is_cancelled() {
            return;
        }
        let (told, failure) = match status {
            Status::Starting => (McpServerStartupState::Starting, None),
            Status::Connected => (McpServerStartupState::Ready, None),
            Status::AuthenticationRequired => {
                (McpServerStartupState::Failed, Some(McpServerStartupFailureReason::ReauthenticationRequired))
            }
            _ => (McpServerStartupState::Failed, None),
        };
        let told = ServerNotification::McpServerStatusUpdated(McpServerStatusUpdated {
            thread_id: self.task.thread_id,
            name: self.task.name.to_string(),
            environment_id: Default::default(),
            status: told,
            error: error.map(|reason| format!("MCP server `{}`: {reason}", self.task.name)),
            failure_reason: failure,
        });
        let told = self.task.setup.router.send(Outcome::none().publish(told));
        // In its order, and an error means that the server ends.
        ctx.wait(wrap_future::<_, Self>(told).map(|_, _, _| ()));
    }

    fn running(&self) -> Result<&Running, CallFault> {
        match &self.state {
            State::Running(running) => Ok(running),
            State::Stopped | State::Starting => {
                let reason = self.standing.get().error.unwrap_or_else(|| "it was not started".to_owned());
                Err(CallFault::NotRunning { server: self.task.name.to_string(), reason })
            }
        }
    }
}

fn end_of(process: Option<&Process>) -> String {
    let end = process.and_then(Process::end);
    end.unwrap_or_else(|| "it closed the connection".to_owned())
}

impl Actor for Server {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (end, lives) = (self.end.clone(), self.lives.clone());
        let over = async move {
            end.cancelled().await;
            // A start that is under way notices this by itself, and adds nothing more.
            tokio::task::yield_now().await;
            lives.close();
            lives.wait().await;
        };
        ctx.spawn(wrap_future::<_, Self>(over).map(|(), server, ctx| {
            server.ended.cancel();
            ctx.stop();
        }));
    }
}

impl Handler<Prepare> for Server {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Prepare, ctx: &mut Self::Context) -> Self::Result {
        if matches!(self.state, State::Running(_)) || self.end.is_cancelled() {
            return Box::pin(std::future::ready(()));
        }
        if matches!(self.state, State::Stopped) {
            self.start(ctx);
        }
        let (waiting, started) = oneshot::channel();
        self.waiting.push(waiting);
        // An error means that the server failed to start it.
        Box::pin(async move { drop(started.await) })
    }
}

impl Handler<CallTool> for Server {
    type Result = ResponseFuture<Result<CallToolResult, CallFault>>;

    fn handle(&mut self, CallTool { tool, arguments, events, stop }: CallTool, _: &mut Self::Context) -> Self::Result {
        let (peer, process, secrets) = match self.running() {
            Ok(Running { peer, process, secrets, .. }) => (peer.clone(), process.clone(), secrets.clone()),
            Err(fault) => return Box::pin(std::future::ready(Err(fault))),
        };
        let server = self.task.name.to_string();
        let most = self.task.setup.limits.server_calls;
        if self.calls.len() >= most {
            return Box::pin(std::future::ready(Err(CallFault::Busy { server, most })));
        }
        let open = self.calls.open(events);
        let mut params = CallToolRequestParams::new(tool);
        params.arguments = arguments;
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        Box::pin(async move {
            let ended = |_| CallFault::Ended { server: server.clone(), reason: end_of(process.as_ref()) };
            let sent = peer.send_cancellable_request(request, PeerRequestOptions::no_options()).await;
            let mut handle = sent.map_err(ended)?;
            open.name(handle.progress_token.clone());
            let answer = tokio::select! {
                answer = &mut handle.rx => answer.unwrap_or(Err(ServiceError::TransportClosed)),
                () = stop.cancelled() => {
                    // The server may be hanging; nobody waits for it.
                    actix_rt::spawn(async move { drop(handle.cancel(None).await) });
                    return Err(CallFault::Cancelled);
                }
            };
            match answer {
                Ok(ServerResult::CallToolResult(result)) => Ok(result),
                Ok(ServerResult::EmptyResult(_)) => Ok(CallToolResult::default()),
                Ok(_) => Err(CallFault::Unusable("it is not the result of a tool".to_owned())),
                Err(ServiceError::McpError(error)) => {
                    let text = format!("Mcp error: {}: {}", error.code.0, error.message);
                    Err(CallFault::Refused(without(&secrets, text)))
                }
                Err(error @ (ServiceError::TransportClosed | ServiceError::TransportSend(_))) => {
                    // Why it ended is known a moment later than that it did.
                    if let Some(process) = &process {
                        let _ = tokio::time::timeout(RESTS[0], process.ended()).await;
                    }
                    Err(ended(error))
                }
                Err(error) => Err(CallFault::Unusable(without(&secrets, error.to_string()))),
            }
        })
    }
}

impl Handler<ReadResource> for Server {
    type Result = ResponseFuture<Result<ReadResourceResult, CallFault>>;

    fn handle(&mut self, ReadResource(uri): ReadResource, _: &mut Self::Context) -> Self::Result {
        let (peer, process, secrets) = match self.running() {
            Ok(Running { peer, process, secrets, .. }) => (peer.clone(), process.clone(), secrets.clone()),
            Err(fault) => return Box::pin(std::future::ready(Err(fault))),
        };
        let (server, limit) = (self.task.name.to_string(), self.task.config.call_time());
        Box::pin(async move {
            let read = peer.read_resource(ReadResourceRequestParams::new(uri));
            match tokio::time::timeout(limit, read).await {
                Ok(Ok(result)) => Ok(result),
                Ok(Err(ServiceError::McpError(error))) => {
                    let text = format!("Mcp error: {}: {}", error.code.0, error.message);
                    Err(CallFault::Refused(without(&secrets, text)))
                }
                Ok(Err(_)) => Err(CallFault::Ended { server, reason: end_of(process.as_ref()) }),
                Err(_) => Err(CallFault::Refused(format!("timed out after {} seconds", limit.as_secs_f64()))),
            }
        })
    }
}

impl Handler<ListResources> for Server {
    type Result = ResponseFuture<Resources>;

    fn handle(&mut self, _: ListResources, _: &mut Self::Context) -> Self::Result {
        let Ok(Running { peer, .. }) = self.running() else {
            return Box::pin(std::future::ready(Resources::default()));
        };
        let (peer, most) = (peer.clone(), self.task.setup.limits.listed_resources);
        Box::pin(async move {
            if peer.peer_info().is_none_or(|info| info.capabilities.resources.is_none()) {
                return Resources::default();
            }
            let listed = async {
                let mut resources = peer.list_resources(None).await.map(|page| page.resources).unwrap_or_default();
                let templates = peer.list_resource_templates(None).await;
                let mut templates = templates.map(|page| page.resource_templates).unwrap_or_default();
                resources.truncate(most);
                templates.truncate(most);
                Resources { resources, templates }
            };
            tokio::time::timeout(LIST_TIME, listed).await.unwrap_or_default()
        })
    }
}
