//! Remote control: whether controllers may reach this host, and the status of that (spec: remote control 10).
//!
//! ```text
//!   unknown ──the database says so──▶ enabled ◀──enable──┐
//!      │                                 │ disable       │
//!      └─────────otherwise───────▶ disabled ─────────────┘
//! ```
//!
//! While remote control is enabled, a [`Cycle`] runs. Requests to the backend run beside the mailbox, so this actor
//! always answers at once. The state of a sign-in is its [`Session`]; another account starts a new one, disabled.
//!
//! It shares an arbiter with the link, so that a slow or dead backend does not delay local clients.

mod backend;
mod clients;
mod cycle;
mod devices;
mod enrollment;
mod failure;
mod handlers;
mod identity;
mod messages;
mod open_pairings;
mod pairing;
mod published_status;
mod request_order;
mod requests;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod url;

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use futures_util::stream;
use tokio::sync::{Notify, Semaphore};

use crate::account::{Credentials, TokenEndpoint};
use crate::catalog::{Catalog, installation_id};
use crate::clock::Clock;
use crate::context::Context;
use crate::host::Host;
use crate::metrics::Metrics;
use crate::network::Network;
use crate::panics::guarded_future;
use crate::protocol::ServerNotification;
use crate::protocol::remote::RemoteControlState;
use crate::remote_link::{EndSession, HangUp};
use crate::router::{Audience, Outcome, Router};
use crate::store::Store;
use backend::{Backend, BackendParts};
use cycle::Cycle;
use failure::Failure;
use handlers::Changed;
use identity::{Identity, TokenFile};
use open_pairings::OpenPairings;
use published_status::PublishedStatus;
use request_order::RequestOrder;
use session::{Session, Tools};

pub use cycle::Link;
pub use messages::{EndRemoteControl, MeasureRemoteControl, Meet};
pub use settings::{EndToEndRule, RemoteControlSettings};
pub use url::{BackendUrl, InvalidUrl};

/// The configuration of remote control.
#[derive(Clone, Debug)]
pub struct RemoteControlSetup {
    /// The settings of the operator.
    pub settings: RemoteControlSettings,
    /// Whether it starts with the server.
    pub at_start: AtStart,
    /// Whether to wait for the first client, whose name is part of the key of the enrollment on stdio.
    pub named_by_first_client: bool,
    /// URL of the token endpoint, if not the default.
    pub token_url: Option<String>,
    /// Random numbers from 0 up to 1 that spread waits, so that hosts do not all return at the same moment.
    pub random: fn() -> f64,
}

/// The collaborators of remote control.
pub struct RemoteControlParts {
    /// The configuration.
    pub setup: RemoteControlSetup,
    /// Facts about the server and the machine.
    pub host: Host,
    /// The account, which others use too.
    pub account: Arc<Credentials>,
    /// The ways out.
    pub network: Network,
    /// Stores enrollments.
    pub store: Arc<Addr<Store>>,
    /// Provides the configuration.
    pub catalog: Arc<Addr<Catalog>>,
    /// Receives answers and notifications.
    pub router: Arc<Addr<Router>>,
    /// The wall clock.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The link to the backend.
    pub link: Link,
}

impl RemoteControlSetup {
    /// Starts with the server if a client has enabled that.
    pub fn new(settings: RemoteControlSettings) -> Self {
        let (named_by_first_client, token_url) = (false, None);
        Self { settings, at_start: AtStart::Remembered, named_by_first_client, token_url, random: fastrand::f64 }
    }

    /// For tests: short times and the shortest waits.
    #[cfg(test)]
    pub fn tiny() -> Self {
        Self { random: || 0.0, ..Self::new(RemoteControlSettings::tiny()) }
    }
}

/// Whether remote control starts with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtStart {
    /// As last remembered for a client.
    Remembered,
    /// `--remote-control`
    Enabled,
    /// Not before a client enables it.
    Disabled,
}

/// Whether remote control is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Desired {
    Unknown,
    Enabled,
    Disabled,
}

/// See the module's documentation.
pub struct RemoteControl {
    at_start: AtStart,
    /// On stdio, waiting for the name of the first client.
    awaits_client: bool,
    router: Arc<Addr<Router>>,
    tools: Rc<Tools>,
    session: Rc<Session>,
    status: Rc<PublishedStatus>,
    /// The status that clients were last sent.
    told: RemoteControlState,
    desired: Desired,
    request_order: Rc<RequestOrder>,
    link: Rc<Link>,
    lost: Rc<Notify>,
    cycle: Option<SpawnHandle>,
    calls: Arc<Semaphore>,
    pairings: Rc<RefCell<OpenPairings>>,
    ended: bool,
}

impl RemoteControl {
    /// Creates the actor. Run it on the arbiter of the link.
    pub(crate) fn new(parts: RemoteControlParts) -> Self {
        let RemoteControlParts {
            setup,
            host,
            account: credentials,
            network,
            store,
            catalog,
            router,
            clock,
            metrics,
            link,
        } = parts;
        let RemoteControlSetup { settings, at_start, named_by_first_client, token_url, random } = setup;
        let server_name = rustix::system::uname().nodename().to_string_lossy().trim().to_owned();
        let installation_id = installation_id(&host.codex_home).map(|id| id.to_string()).unwrap_or_else(|e| {
            log::error!("installation_id cannot be read or written: {e}; remote control needs it to enroll");
            String::new()
        });
        let status = Rc::new(PublishedStatus::new(server_name.clone(), installation_id.clone()));
        let backend = Backend::new(BackendParts {
            network,
            settings: settings.clone(),
            host,
            installation_id,
            server_name: server_name.clone(),
            token_endpoint: TokenEndpoint::new(token_url),
            clock: clock.clone(),
            random,
        });
        let identity = match settings.relay() {
            Some(_) => Identity::Relay(TokenFile::new(PathBuf::from(&settings.relay_token_file))),
            None => Identity::SignIn(credentials),
        };
        let calls = Arc::new(Semaphore::new(settings.calls));
        let client_name = RefCell::default();
        let tools = Rc::new(Tools {
            settings,
            backend,
            identity,
            store,
            catalog,
            clock,
            metrics,
            random,
            server_name,
            client_name,
        });
        Self {
            at_start,
            awaits_client: named_by_first_client,
            router,
            session: Rc::new(Session::new(tools.clone())),
            tools,
            told: status.state(),
            status,
            desired: Desired::Unknown,
            request_order: Rc::default(),
            link: Rc::new(link),
            lost: Rc::default(),
            cycle: None,
            calls,
            pairings: Rc::default(),
            ended: false,
        }
    }

    /// Determines whether remote control is wanted, unless the name of a client is still missing.
    fn begin(&mut self, ctx: &mut Context<Self>) {
        if self.awaits_client || self.ended {
            return;
        }
        match (self.desired, self.at_start) {
            (Desired::Enabled, _) | (Desired::Unknown, AtStart::Enabled) => self.enable(ctx),
            (Desired::Unknown, AtStart::Disabled) => self.desired = Desired::Disabled,
            (Desired::Unknown, AtStart::Remembered) => self.remember(ctx),
            (Desired::Disabled, _) => {}
        }
    }

    /// Asks the database. Without a sign-in there is no row, but the user may sign in later. The interval grows,
    /// because most users never sign in and an idle server should sleep.
    fn remember(&mut self, ctx: &mut Context<Self>) {
        let session = self.session.clone();
        let remembered = async move {
            let mut backoff = session.tools.settings.backoff();
            loop {
                let looked = async {
                    let to = session.destination().await?;
                    Ok::<_, Failure>(session.load(&to.key).await?.and_then(|row| row.enabled).unwrap_or_default())
                };
                match looked.await {
                    Ok(enabled) => return enabled,
                    Err(failure) if failure.may_pass() => {
                        actix_rt::time::sleep(backoff.next((session.tools.random)())).await;
                    }
                    Err(failure) => {
                        log::warn!("remote control stays disabled: {failure}");
                        return false;
                    }
                }
            }
        };
        ctx.spawn(wrap_future::<_, Self>(guarded_future("the start of remote control", remembered)).map(
            |enabled, control, ctx| match control.desired {
                Desired::Unknown if enabled == Some(true) => control.enable(ctx),
                Desired::Unknown => control.desired = Desired::Disabled,
                Desired::Enabled | Desired::Disabled => {}
            },
        ));
    }

    /// Enables remote control: starts a cycle unless one is running.
    fn enable(&mut self, ctx: &mut Context<Self>) {
        self.desired = Desired::Enabled;
        if self.cycle.is_some() || self.ended {
            return;
        }
        self.status.connecting();
        if self.awaits_client {
            // Called again when there is a client.
            return;
        }
        let cycle = Cycle::new(self.session.clone(), self.status.clone(), self.link.clone(), self.lost.clone());
        let running = guarded_future("the connection of remote control", async move { cycle.run().await });
        self.cycle = Some(ctx.spawn(wrap_future::<_, Self>(running).map(|ended, control, ctx| {
            control.cycle = None;
            match ended {
                Some(()) => control.end_session(ctx),
                None => control.status.errored("the server failed while it connected; enable remote control again"),
            }
        })));
    }

    /// Disables remote control. Resolves when the socket is dropped.
    fn disable(&mut self, ctx: &mut Context<Self>) -> impl Future<Output = ()> + 'static {
        self.desired = Desired::Disabled;
        self.stop_cycle(ctx);
        self.status.disabled();
        // Sent now, so that no later dial overtakes it.
        let hung_up = self.link.hang_up.send(HangUp);
        async move { heard(hung_up.await) }
    }

    fn stop_cycle(&mut self, ctx: &mut Context<Self>) {
        if let Some(cycle) = self.cycle.take() {
            ctx.cancel_future(cycle);
        }
    }

    /// The sign-in has ended: its state is forgotten, and a new session starts disabled.
    fn end_session(&mut self, ctx: &mut Context<Self>) {
        log::info!("remote control is disabled because its sign-in has ended");
        self.request_order.next();
        self.request_order.next_lasting();
        self.session = Rc::new(Session::new(self.tools.clone()));
        self.pairings.take();
        self.desired = Desired::Disabled;
        self.stop_cycle(ctx);
        self.status.disabled();
        let ended = self.link.end_session.send(EndSession);
        ctx.spawn(wrap_future::<_, Self>(ended).map(|_, _, _| ()));
    }

    /// The notification for all clients, if the status has changed.
    fn news(&mut self) -> Outcome {
        let now = self.status.state();
        if now == self.told {
            return Outcome::none();
        }
        self.told = now.clone();
        Outcome::none().tell(Audience::Everyone, ServerNotification::RemoteControlStatusChanged(now))
    }
}

/// What was sent to the link, or the link has ended, which is equivalent for streams and sockets.
fn heard(sent: Result<(), MailboxError>) {
    if let Err(e) = sent {
        log::debug!("the remote control link has ended: {e}");
    }
}

impl Actor for RemoteControl {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.add_stream(stream::unfold(self.status.watch(), |mut status| async move {
            status.changed().await.ok()?;
            Some((Changed, status))
        }));
        self.begin(ctx);
    }
}
