//! The hub: the actors that every connection needs, started together on one arbiter.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use actix::prelude::*;
use tokio_util::task::TaskTracker;

use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::commands::{Commands, CommandsParts, CommandsSetup, EndAll};
use crate::connection::ConnectionId;
use crate::connection::in_flight::InFlight;
use crate::connection::ingress::Ingress;
use crate::files::Files;
use crate::host::Host;
use crate::limits::Limits;
use crate::processor::{Drain, Processor, ProcessorParts};
use crate::protocol::RequestId;
use crate::remote_control::{Begin, EndRemoteControl, RemoteControl, RemoteControlParts, RemoteControlSetup};
use crate::remote_link::{RemoteLink, RemoteLinkLimits, RemoteLinkParts, StreamPort};
use crate::reply::Reply;
use crate::router::{CloseAll, CutAll, Router};
use crate::search::Search;
use crate::store::Store;
use crate::threads::{Threads, ThreadsParts};

/// How the rest of the process reaches the actors. Cloning shares the hub.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    limits: Arc<Limits>,
    // One shared address per actor and never a clone of it: each clone has a slot of its own in the mailbox, and with a
    // clone per message there is no bound at all.
    router: Arc<Addr<Router>>,
    processor: Arc<Addr<Processor>>,
    commands: Arc<Addr<Commands>>,
    remote_control: Arc<Addr<RemoteControl>>,
    remote_arbiter: ArbiterHandle,
    ingress: Arc<Ingress>,
    connections: AtomicU64,
    work: TaskTracker,
    draining: AtomicBool,
}

/// What a hub is made of.
#[derive(Clone)]
pub struct HubParts {
    /// The limits.
    pub limits: Arc<Limits>,
    /// Facts about the server and the machine.
    pub host: Host,
    /// The database, on its own arbiter.
    pub store: Arc<Addr<Store>>,
    /// Configuration and account, on its own arbiter.
    pub catalog: Arc<Addr<Catalog>>,
    /// The wall clock.
    pub clock: Clock,
    /// How commands are started.
    pub commands: CommandsSetup,
    /// Whether and how this host is to be reachable from elsewhere.
    pub remote_control: RemoteControlSetup,
    /// The bounds of the link to the backend.
    pub remote_link: RemoteLinkLimits,
}

impl Hub {
    /// Starts the actors on the arbiter of the calling thread, which becomes the hub's: connections should live there
    /// too, because a message inside an arbiter costs a fraction of one that crosses.
    pub fn start(parts: HubParts) -> Self {
        let HubParts { limits, host, store, catalog, clock, commands: setup, remote_control, remote_link } = parts;
        let router = Arc::new(Router::new(limits.clone(), clock.clone()).start());
        let threads = Arc::new(
            Threads::new(ThreadsParts {
                limits: limits.clone(),
                host: host.clone(),
                router: router.clone(),
                store: store.clone(),
                catalog: catalog.clone(),
                clock: clock.clone(),
            })
            .start(),
        );
        let remote_arbiter = Arbiter::new().handle();
        let remote_control = RemoteControl::start(
            RemoteControlParts {
                setup: remote_control,
                host: host.clone(),
                store,
                catalog: catalog.clone(),
                router: router.clone(),
                clock: clock.clone(),
            },
            &remote_arbiter,
        );
        let commands = Commands::start(CommandsParts {
            limits: limits.clone(),
            host: host.clone(),
            router: router.clone(),
            catalog: catalog.clone(),
            clock,
            setup,
        });
        let cwd = host.cwd.clone();
        let processor = Processor::new(ProcessorParts {
            limits: limits.clone(),
            host,
            router: router.clone(),
            threads,
            catalog,
            commands: commands.clone(),
            files: Files::start(limits.clone(), router.clone()),
            search: Search::start(limits.clone(), cwd, router.clone()),
            remote_control: remote_control.clone(),
        });
        let processor = processor.start();
        let hub = Self(Arc::new(Inner {
            ingress: Arc::new(Ingress::new(&limits)),
            limits,
            router,
            processor: Arc::new(processor),
            commands,
            remote_control,
            remote_arbiter,
            connections: AtomicU64::new(0),
            work: TaskTracker::new(),
            draining: AtomicBool::new(false),
        }));
        hub.start_link(remote_link);
        hub
    }

    /// Starts the link beside remote control, which then may begin. Remote control comes first because the processor must
    /// know it, and the link last because its streams are connections of this hub.
    fn start_link(&self, limits: RemoteLinkLimits) {
        let (message_bytes, dial_time) = (self.0.limits.message_bytes, limits.dial());
        let control = self.0.remote_control.clone();
        let port = StreamPort::new();
        port.connect(self.clone());
        self.0.remote_arbiter.spawn(async move {
            let lost = Addr::clone(&control).recipient();
            let link = RemoteLink::start(RemoteLinkParts { limits, message_bytes, port, lost });
            let [dial, hang_up, end_session, send_rest] = [&link; 4].map(|link| Addr::clone(link));
            let begin = Begin {
                dial: dial.recipient(),
                hang_up: hang_up.recipient(),
                end_session: end_session.recipient(),
                send_rest: send_rest.recipient(),
                dial_time,
            };
            // A server may be told to end before all of it has begun.
            if control.send(begin).await.is_err() {
                log::debug!("remote control ended before it began");
            }
        });
    }

    /// The bounds in force.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Whether new work is refused (`/readyz`).
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    /// Refuses new work, and returns when every request in flight is answered. Not bounded: the caller sets the time.
    pub async fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
        if self.0.processor.send(Drain).await.is_err() {
            log::error!("the processor ended before the drain");
        }
        self.0.work.close();
        self.0.work.wait().await;
    }

    /// Ends every command that still runs, and returns when nothing is left of them. Their clients are told. Not
    /// bounded: the caller sets the time.
    pub async fn end_commands(&self) {
        if self.0.commands.send(EndAll).await.is_err() {
            log::error!("the registry of commands ended before the commands");
        }
    }

    /// Sends what remote clients still have to be told, for which `grace` is left, and is no longer reachable from
    /// elsewhere. The last step of an end: the arbiter of remote control ends with it.
    pub async fn end_remote_control(&self, grace: Duration) {
        if self.0.remote_control.send(EndRemoteControl { grace }).await.is_err() {
            log::error!("remote control ended before it was told to");
        }
        self.0.remote_arbiter.stop();
    }

    /// Says goodbye to every connection (1001 on a WebSocket) and waits until all are gone; those that are not after
    /// `grace` are cut.
    pub async fn close_connections(&self, grace: Duration) {
        if tokio::time::timeout(grace, self.0.router.send(CloseAll)).await.is_err()
            && self.0.router.send(CutAll).await.is_err()
        {
            log::error!("the router ended before its connections");
        }
    }

    pub(crate) fn next_connection_id(&self) -> ConnectionId {
        ConnectionId(self.0.connections.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn ingress(&self) -> &Arc<Ingress> {
        &self.0.ingress
    }

    pub(crate) fn router(&self) -> &Arc<Addr<Router>> {
        &self.0.router
    }

    pub(crate) fn processor(&self) -> &Arc<Addr<Processor>> {
        &self.0.processor
    }

    pub(crate) fn reply(&self, connection: ConnectionId, id: RequestId, in_flight: InFlight) -> Reply {
        Reply::new(connection, id, in_flight, self.0.router.clone(), self.0.work.token())
    }
}

#[cfg(test)]
pub(crate) mod tests;
