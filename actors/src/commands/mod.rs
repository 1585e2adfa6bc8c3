//! The registry of running commands: starts commands, knows the client of each, and reports to it.
//!
//! It runs on the arbiter of the commands, not on the hub: encoding output takes time, and a flood of it must not delay
//! other clients (law 5). A piece of output goes to the router as an encoded frame, and the command continues when its
//! client has read enough.
//!
//! | file | what it is |
//! |---|---|
//! | [`start`] | from a request to a running command |
//! | [`steer`] | input, terminal sizes, ends |
//! | [`execution`] | one request that is being worked on |
//! | [`warnings`] | what clients are told about the sandbox of this machine |

mod execution;
mod messages;
mod start;
mod steer;
mod warnings;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;
use tokio::sync::{OnceCell, oneshot};

use crate::catalog::{Catalog, Greet, Greeting};
use crate::clock::Clock;
use crate::command::{CommandId, Ended, Listener, Output, OutputStream, Runner};
use crate::connection::ConnectionId;
use crate::connection::messages::Disconnected;
use crate::context::Context;
use crate::host::Host;
use crate::limits::Limits;
use crate::mailbox::start_alone;
use crate::panics::guarded;
use crate::post::Post;
use crate::protocol::command::{CommandExecOutputDelta, CommandExecOutputStream, CommandRequest};
use crate::protocol::config::ConfigWarning;
use crate::protocol::{Frame, ServerNotification};
use crate::reply::{Asked, Reply};
use crate::router::{HandOver, Router};
use crate::vital::Vitals;
use execution::{Execution, Piece};

pub use crate::command::CommandSetup as CommandsSetup;
pub use messages::{EndAll, MeasureCommands};
pub use warnings::sandbox_warnings;

/// See the module's documentation.
pub struct Commands {
    limits: Arc<Limits>,
    host: Host,
    router: Arc<Addr<Router>>,
    catalog: Arc<Addr<Catalog>>,
    clock: Clock,
    runner: Runner,
    /// The recipients of reports: this actor. Shared by all commands, because each clone would add a slot to the
    /// mailbox.
    listener: Option<Listener>,
    executions: HashMap<CommandId, Execution>,
    /// The commands that have a name from their clients.
    named: HashMap<(ConnectionId, String), CommandId>,
    next_id: u64,
    /// Warnings about the sandbox, determined when the first client connects.
    warnings: Rc<OnceCell<Vec<ConfigWarning>>>,
    /// Resolved when the last command has ended, after [`EndAll`].
    emptied: Option<oneshot::Sender<()>>,
    ending: bool,
}

/// The collaborators of the registry.
pub struct CommandsParts {
    /// The limits.
    pub limits: Arc<Limits>,
    /// Provides the working directory and the paths that commands must not change.
    pub host: Host,
    /// Receives answers and notifications.
    pub router: Arc<Addr<Router>>,
    /// Provides the configured sandbox.
    pub catalog: Arc<Addr<Catalog>>,
    /// The clock for time stamps of notifications.
    pub clock: Clock,
    /// How commands are run on this machine.
    pub runner: Runner,
    /// Is told if the registry ends.
    pub vitals: Vitals,
}

impl Commands {
    /// Starts the registry on an arbiter that all commands share.
    ///
    /// # Panics
    /// Panics outside an actix system.
    pub fn start(parts: CommandsParts) -> Arc<Addr<Self>> {
        let vital = parts.vitals.watch("commands");
        start_alone(parts.limits.commands_mailbox_messages, vital, || Self::new(parts))
    }

    fn new(parts: CommandsParts) -> Self {
        let CommandsParts { limits, host, router, catalog, clock, runner, vitals: _ } = parts;
        Self {
            runner,
            limits,
            host,
            router,
            catalog,
            clock,
            listener: None,
            executions: HashMap::new(),
            named: HashMap::new(),
            next_id: 0,
            warnings: Rc::default(),
            emptied: None,
            ending: false,
        }
    }

    fn answer(&mut self, reply: Reply, request: CommandRequest, ctx: &mut Context<Self>) {
        match request {
            CommandRequest::Exec(params) => self.exec(reply, *params, ctx),
            CommandRequest::Write(params) => self.write(reply, &params, ctx),
            CommandRequest::Resize(params) => self.resize(reply, &params, ctx),
            CommandRequest::Terminate(params) => self.terminate(reply, &params, ctx),
        }
    }

    /// Encodes the notification for `piece` of output.
    fn delta(&self, piece: Piece, stream: OutputStream) -> HandOver {
        let Piece { connection, process_id, bytes, cap_reached } = piece;
        let stream = match stream {
            OutputStream::Stdout => CommandExecOutputStream::Stdout,
            OutputStream::Stderr => CommandExecOutputStream::Stderr,
        };
        let delta = CommandExecOutputDelta::new(process_id, stream, &bytes, cap_reached);
        let notification = ServerNotification::CommandExecOutputDelta(delta);
        let frame = Frame::notification(&notification, self.clock.unix_ms());
        HandOver { connection, method: notification.method(), frame }
    }

    fn remove(&mut self, id: CommandId) -> Option<Execution> {
        let execution = self.executions.remove(&id)?;
        if let Some(name) = execution.process_id() {
            self.named.remove(&(execution.connection(), name.to_owned()));
        }
        if self.executions.is_empty()
            && let Some(emptied) = self.emptied.take()
        {
            // The sender may have stopped waiting.
            let _ = emptied.send(());
        }
        Some(execution)
    }
}

impl Actor for Commands {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // Without a launcher there are no reports, and the registry ends when its last address is dropped.
        if self.runner.launcher().is_some() {
            let address = ctx.address();
            let (output, ended) = (Arc::new(address.clone().recipient()), Arc::new(address.recipient()));
            self.listener = Some(Listener { output, ended });
        }
    }
}

impl Handler<Asked<CommandRequest>> for Commands {
    type Result = ();

    fn handle(&mut self, Asked { reply, request }: Asked<CommandRequest>, ctx: &mut Self::Context) {
        self.answer(reply, request, ctx);
    }
}

impl Handler<MeasureCommands> for Commands {
    type Result = usize;

    fn handle(&mut self, _: MeasureCommands, _: &mut Self::Context) -> usize {
        self.executions.len()
    }
}

impl Handler<Output> for Commands {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Output { command, stream, bytes }: Output, _: &mut Self::Context) -> Self::Result {
        let told = guarded("the output of a command", || {
            let piece = self.executions.get_mut(&command)?.take(stream, bytes)?;
            Some(self.delta(piece, stream))
        });
        let Some(hand_over) = told.flatten() else { return Box::pin(async {}) };
        let (router, room) = (self.router.clone(), self.limits.command_unread_bytes);
        Box::pin(async move {
            // There is nothing to wait for: the client is gone or has opted out.
            let Ok(Some(outbound)) = router.send(hand_over).await else { return };
            outbound.room(room).await;
        })
    }
}

impl Handler<Ended> for Commands {
    type Result = ();

    fn handle(&mut self, Ended { command, exit }: Ended, ctx: &mut Self::Context) {
        if let Some(outcome) = self.remove(command).map(|execution| execution.end(exit)) {
            ctx.post(&self.router, outcome);
        }
    }
}

impl Handler<Disconnected> for Commands {
    type Result = ();

    fn handle(&mut self, Disconnected { connection }: Disconnected, _: &mut Self::Context) {
        for execution in self.executions.values_mut().filter(|execution| execution.connection() == connection) {
            execution.abandon();
        }
    }
}

impl Handler<EndAll> for Commands {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: EndAll, _: &mut Self::Context) -> Self::Result {
        self.ending = true;
        if self.executions.is_empty() {
            return Box::pin(async {});
        }
        let (emptied, gone) = oneshot::channel();
        self.emptied = Some(emptied);
        for execution in self.executions.values() {
            execution.terminate();
        }
        Box::pin(async move {
            // An error means that the value was set meanwhile.
            let _ = gone.await;
        })
    }
}

impl Handler<Greet> for Commands {
    type Result = ResponseFuture<Greeting>;

    fn handle(&mut self, _: Greet, _: &mut Self::Context) -> Self::Result {
        let (warnings, launcher) = (self.warnings.clone(), self.runner.launcher().cloned());
        let home = self.host.codex_home.clone();
        Box::pin(async move {
            let tested = async || {
                let warnings = sandbox_warnings(launcher, home).await;
                for ConfigWarning { summary, details, .. } in &warnings {
                    log::warn!("{summary} {}", details.as_deref().unwrap_or_default());
                }
                warnings
            };
            let warnings = warnings.get_or_init(tested).await.clone();
            Greeting { notifications: warnings.into_iter().map(ServerNotification::ConfigWarning).collect() }
        })
    }
}
