//! Starts all actors of a server, each with the addresses that it sends to, and ends them in order.
//!
//! Addresses are created first and actors later ([`crate::mailbox::reserve`]), so actors that need each other can be
//! started in any order.

mod measure;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::prelude::*;
use tokio::io::DuplexStream;

use crate::account::Credentials;
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::command::{CommandSetup, Runner};
use crate::commands::{Commands, CommandsParts, EndAll};
use crate::connection::ConnectionOrigin;
use crate::connection::stream::{narrowing_opener, opener};
use crate::encode::Encoder;
use crate::files::Files;
use crate::host::Host;
use crate::hub::Hub;
use crate::limits::Limits;
use crate::mailbox::reserve;
use crate::mcp::{McpLimits, McpSetup};
use crate::metrics::Metrics;
use crate::model::ModelSetup;
use crate::processor::{Gauges, Processor, ProcessorParts};
use crate::protocol::diagnostics::FailedUpgrade;
use crate::protocol::scope::Scopes;
use crate::remote_control::{EndRemoteControl, Link, RemoteControl, RemoteControlParts, RemoteControlSetup};
use crate::remote_link::{RemoteLink, RemoteLinkLimits, RemoteLinkParts};
use crate::router::Router;
use crate::search::Search;
use crate::store::Store;
use crate::threads::{EndTurns, Threads, ThreadsParts};
use crate::traces::Traces;
use crate::turn::{LeftAlone, TurnLimits, TurnSetup, usual_shell};
use crate::vital::Vitals;

/// What the process passes to the actors.
#[derive(Clone)]
pub struct ActorsParts {
    /// The limits.
    pub limits: Arc<Limits>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Facts about the server and the machine.
    pub host: Host,
    /// The URLs at which clients connect, for people.
    pub listeners: Vec<String>,
    /// The database, on its own arbiter.
    pub store: Arc<Addr<Store>>,
    /// Configuration and account, on its own arbiter.
    pub catalog: Arc<Addr<Catalog>>,
    /// How models are asked.
    pub models: ModelSetup,
    /// The bounds of turns.
    pub turns: TurnLimits,
    /// Where turns tell on what they have spent their time.
    pub traces: Traces,
    /// The bounds of MCP servers.
    pub mcp: McpLimits,
    /// The user's tokens, which all that talk to a backend share.
    pub account: Arc<Credentials>,
    /// The wall clock.
    pub clock: Clock,
    /// How commands are started.
    pub commands: CommandSetup,
    /// The configuration of remote control.
    pub remote_control: RemoteControlSetup,
    /// The bounds of the link to the backend.
    pub remote_link: RemoteLinkLimits,
    /// The actors that the server cannot do without; store and catalog are already among them.
    pub vitals: Vitals,
}

/// The actors of one server, held by the process or by an embedding program. Clones share them.
#[derive(Clone)]
pub struct Actors {
    hub: Hub,
    threads: Arc<Addr<Threads>>,
    store: Arc<Addr<Store>>,
    turn_arbiter: ArbiterHandle,
    mcp: Arc<McpSetup>,
    commands: Arc<Addr<Commands>>,
    remote_control: Arc<Addr<RemoteControl>>,
    remote_arbiter: ArbiterHandle,
    open: Arc<dyn Fn(usize) -> DuplexStream + Send + Sync>,
    failed_upgrade: Arc<Mutex<Option<FailedUpgrade>>>,
    vitals: Vitals,
}

impl Actors {
    /// Starts the actors. The arbiter of the calling thread becomes the hub's, where connections should live, too.
    ///
    /// # Panics
    /// Panics outside an actix system.
    pub fn start(parts: ActorsParts) -> Self {
        let ActorsParts {
            limits,
            metrics,
            host,
            listeners,
            store,
            catalog,
            models,
            turns: turn_limits,
            traces,
            mcp: mcp_limits,
            account,
            clock,
            commands: setup,
            remote_control,
            remote_link,
            vitals,
        } = parts;
        let network = models.network.clone();
        let (router, router_mailbox) = reserve(limits.router_mailbox_messages);
        let (threads, threads_mailbox) = reserve(limits.threads_mailbox_messages);
        let (processor, processor_mailbox) = reserve(limits.processor_mailbox_messages);
        let (control, control_mailbox) = reserve(remote_control.settings.mailbox_messages);
        let (link, link_mailbox) = reserve(remote_link.mailbox_messages);
        let hub = Hub::new(limits.clone(), metrics.clone(), router.clone(), processor);

        router_mailbox.vital(vitals.watch("router")).run(Router::new(limits.clone(), metrics.clone(), clock.clone()));
        let runner = Runner::new(setup, &host, limits.clone());
        // Turns compute, so they have an arbiter of their own.
        let turn_arbiter = Arbiter::new().handle();
        let mcp =
            McpSetup::new(mcp_limits, runner.clone(), network.clone(), models.environment.clone(), router.clone());
        let turns = Arc::new(TurnSetup {
            arbiter: turn_arbiter.clone(),
            models,
            store: store.clone(),
            clock: clock.clone(),
            traces,
            metrics: metrics.clone(),
            runner: runner.clone(),
            mcp: mcp.clone(),
            shell: usual_shell(),
            left_alone: LeftAlone::default(),
            limits: turn_limits,
        });
        let encoder = Encoder::new(limits.answer_workers);
        threads_mailbox.vital(vitals.watch("threads")).run(Threads::new(ThreadsParts {
            turns,
            work: hub.work().clone(),
            limits: limits.clone(),
            host: host.clone(),
            router: router.clone(),
            store: store.clone(),
            encoder: encoder.clone(),
            catalog: catalog.clone(),
            clock: clock.clone(),
        }));
        let commands = Commands::start(CommandsParts {
            limits: limits.clone(),
            host: host.clone(),
            router: router.clone(),
            catalog: catalog.clone(),
            clock: clock.clone(),
            runner,
            vitals: vitals.clone(),
        });
        let cwd = host.cwd.clone();
        let failed_upgrade = Arc::new(Mutex::default());
        processor_mailbox.vital(vitals.watch("processor")).run(Processor::new(ProcessorParts {
            gauges: Gauges {
                ingress: hub.ingress().clone(),
                work: hub.work().clone(),
                listeners: listeners.into(),
                failed_upgrade: failed_upgrade.clone(),
            },
            limits: limits.clone(),
            host: host.clone(),
            router: router.clone(),
            encoder,
            threads: threads.clone(),
            catalog: catalog.clone(),
            commands: commands.clone(),
            files: Files::start(limits.clone(), router.clone(), &vitals),
            search: Search::start(limits.clone(), cwd, router.clone(), &vitals),
            remote_control: control.clone(),
        }));

        // Both run on one arbiter, not the hub's; the streams of the link are connections on the hub's.
        let remote_arbiter = Arbiter::new().handle();
        let link_parts = RemoteLinkParts {
            network: network.clone(),
            limits: remote_link.clone(),
            message_bytes: limits.message_bytes,
            own_relay: !remote_control.settings.relay.is_empty(),
            open: Box::new(narrowing_opener(&hub, ConnectionOrigin::RemoteControl, remote_control.settings.scopes)),
            lost: Addr::clone(&control).recipient(),
            came: Addr::clone(&control).recipient(),
        };
        link_mailbox.vital(vitals.watch("remote control link")).run_on(&remote_arbiter, || RemoteLink::new(link_parts));
        let control_parts = RemoteControlParts {
            setup: remote_control,
            host,
            account,
            network,
            store: store.clone(),
            catalog,
            router,
            clock,
            metrics,
            link: Link::new(&link, remote_link.dial_seconds.duration()),
        };
        control_mailbox
            .vital(vitals.watch("remote control"))
            .run_on(&remote_arbiter, || RemoteControl::new(control_parts));

        let open = Arc::new(opener(&hub, ConnectionOrigin::InProcess, Scopes::ALL));
        Self {
            hub,
            threads,
            store,
            commands,
            turn_arbiter,
            mcp,
            remote_control: control,
            remote_arbiter,
            open,
            failed_upgrade,
            vitals,
        }
    }

    /// The hub: what connections need.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Opens a connection from this process: one JSON-RPC message per line, with a buffer of `bytes` in each direction.
    pub fn open(&self, bytes: usize) -> DuplexStream {
        (self.open)(bytes)
    }

    /// Another server could not take the place of this one. `server/diagnostics` says so from now on.
    pub fn upgrade_failed(&self, reason: String) {
        let mut failed = self.failed_upgrade.lock().unwrap_or_else(PoisonError::into_inner);
        let times = failed.as_ref().map_or(0, |it| it.times) + 1;
        *failed = Some(FailedUpgrade { times, reason });
    }

    /// Whether new work is taken (`/readyz`): the server does not drain, and no vital actor has ended.
    pub fn is_ready(&self) -> bool {
        !self.hub.is_draining() && self.vitals.lost().is_none()
    }

    /// Returns when a vital actor has ended although it should not, with its name. The server must then end.
    pub async fn lost(&self) -> &'static str {
        self.vitals.ended().await
    }

    /// The server is about to end: from now on every actor may.
    pub fn expect_end(&self) {
        self.vitals.expect_end();
    }

    /// Interrupts every turn that still runs, and returns when the end of each is on disk. Takes as long as the disk takes;
    /// the caller sets a time limit.
    pub async fn end_turns(&self) {
        if self.threads.send(EndTurns).await.is_err() {
            log::error!("the registry of threads ended before the turns");
        }
        self.turn_arbiter.stop();
        self.mcp.stop();
    }

    /// Ends all running commands, notifies their clients, and waits until none are left. There is no time limit; the
    /// caller sets one.
    pub async fn end_commands(&self) {
        if self.commands.send(EndAll).await.is_err() {
            log::error!("the registry of commands ended before the commands");
        }
    }

    /// Sends the last messages of remote clients within `grace`, and ends remote control. The last step of a shutdown:
    /// the arbiter of remote control ends with it.
    pub async fn end_remote_control(&self, grace: Duration) {
        if self.remote_control.send(EndRemoteControl { grace }).await.is_err() {
            log::error!("remote control ended before it was told to");
        }
        self.remote_arbiter.stop();
    }
}
