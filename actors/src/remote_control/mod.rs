//! Remote control: whether this host is to be reachable from elsewhere, and how far it is (spec: remote control 10).
//!
//! ```text
//!   unknown ──the database says so──▶ enabled ◀──enable──┐
//!      │                                 │ disable       │
//!      └─────────otherwise───────▶ disabled ─────────────┘
//! ```
//!
//! While enabled, and the link is there, a [`Cycle`] runs; whatever waits for the backend runs beside the mailbox, so
//! this actor answers at once. What a login has with the backend is its [`Session`]; another account begins another one,
//! disabled.
//!
//! It lives on an arbiter of its own, with the link: a backend that is slow or dead costs local clients nothing.

mod backend;
mod board;
mod clients;
mod cycle;
mod enrollment;
mod failure;
mod handlers;
mod messages;
mod pairing;
mod requests;
mod session;
mod settings;
#[cfg(test)]
mod tests;
mod url;
mod wishes;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix::fut::{ActorFutureExt, wrap_future};
use actix::prelude::*;
use futures_util::future::OptionFuture;
use futures_util::stream;
use tokio::sync::{Notify, Semaphore};

use crate::account::{Credentials, TokenEndpoint};
use crate::catalog::{Catalog, installation_id};
use crate::clock::Clock;
use crate::host::Host;
use crate::mailbox::start_with;
use crate::panics::guarded_future;
use crate::protocol::ServerNotification;
use crate::protocol::remote::RemoteControlState;
use crate::remote_link::{EndSession, HangUp};
use crate::router::{Audience, Outcome, Router};
use crate::store::Store;
use backend::{Backend, BackendParts};
use board::Board;
use cycle::{Cycle, Link};
use failure::Failure;
use handlers::Changed;
use session::{Session, Tools};
use wishes::Wishes;

pub use messages::{AskRemoteControl, Begin, EndRemoteControl, Meet};
pub use settings::RemoteControlSettings;
pub use url::{BackendUrl, DEFAULT_BASE_URL, InvalidUrl};

/// How this host is to be reachable from elsewhere.
#[derive(Clone, Debug)]
pub struct RemoteControlSetup {
    /// What the operator can set.
    pub settings: RemoteControlSettings,
    /// Whether to begin with the server.
    pub at_start: AtStart,
    /// On stdio everything waits for the first client, whose name is part of the name of an enrollment.
    pub named_by_first_client: bool,
    /// Where new account tokens come from, if not from the usual place.
    pub token_url: Option<String>,
    /// At least 0 and below 1: spreads waits, so that not every host comes back in the same moment.
    pub random: fn() -> f64,
}

/// What remote control is made of.
pub struct RemoteControlParts {
    /// How it is to be.
    pub setup: RemoteControlSetup,
    /// Facts about the server and the machine.
    pub host: Host,
    /// Keeps enrollments.
    pub store: Arc<Addr<Store>>,
    /// Knows the configuration.
    pub catalog: Arc<Addr<Catalog>>,
    /// Receives answers and notifications.
    pub router: Arc<Addr<Router>>,
    /// The wall clock.
    pub clock: Clock,
}

impl RemoteControlSetup {
    /// Begins with the server if a client has once said so.
    pub fn new(settings: RemoteControlSettings) -> Self {
        let (named_by_first_client, token_url) = (false, None);
        Self { settings, at_start: AtStart::Remembered, named_by_first_client, token_url, random: fastrand::f64 }
    }

    /// For tests: short times, and the shortest of all waits.
    #[cfg(test)]
    pub fn tiny() -> Self {
        Self { random: || 0.0, ..Self::new(RemoteControlSettings::tiny()) }
    }
}

/// Whether remote control begins with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtStart {
    /// As a client has last said, and remembered.
    Remembered,
    /// `--remote-control`
    Enabled,
    /// Not before a client enables it.
    Disabled,
}

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Desired {
    Unknown,
    Enabled,
    Disabled,
}

/// See the module's documentation.
pub struct RemoteControl {
    at_start: AtStart,
    /// Something is missing before anything may begin: the link, or on stdio the first client.
    awaits_client: bool,
    router: Arc<Addr<Router>>,
    tools: Rc<Tools>,
    session: Rc<Session>,
    board: Rc<Board>,
    /// What every client was told last.
    told: RemoteControlState,
    desired: Desired,
    wishes: Rc<Wishes>,
    link: Option<Rc<Link>>,
    lost: Rc<Notify>,
    cycle: Option<SpawnHandle>,
    calls: Arc<Semaphore>,
    ended: bool,
}

impl RemoteControl {
    /// Starts the actor on `arbiter`, which the link should share. Its mailbox is bounded by
    /// [`RemoteControlSettings::mailbox_messages`], which holds as long as the address is shared and never cloned.
    pub fn start(parts: RemoteControlParts, arbiter: &ArbiterHandle) -> Arc<Addr<Self>> {
        start_with(arbiter, parts.setup.settings.mailbox_messages, || Self::new(parts))
    }

    fn new(parts: RemoteControlParts) -> Self {
        let RemoteControlParts { setup, host, store, catalog, router, clock } = parts;
        let RemoteControlSetup { settings, at_start, named_by_first_client, token_url, random } = setup;
        let credentials = Arc::new(Credentials::new(&host.codex_home));
        let server_name = rustix::system::uname().nodename().to_string_lossy().trim().to_owned();
        let installation_id = installation_id(&host.codex_home).map(|id| id.to_string()).unwrap_or_else(|e| {
            log::error!("installation_id cannot be read or written: {e}; nothing can be enrolled without it");
            String::new()
        });
        let board = Rc::new(Board::new(server_name.clone(), installation_id.clone()));
        let backend = Backend::new(BackendParts {
            settings: settings.clone(),
            host,
            installation_id,
            server_name: server_name.clone(),
            token_endpoint: TokenEndpoint::new(token_url),
            clock: clock.clone(),
            random,
        });
        let calls = Arc::new(Semaphore::new(settings.calls));
        let client_name = RefCell::default();
        let tools =
            Rc::new(Tools { settings, backend, credentials, store, catalog, clock, random, server_name, client_name });
        Self {
            at_start,
            awaits_client: named_by_first_client,
            router,
            session: Rc::new(Session::new(tools.clone())),
            tools,
            told: board.state(),
            board,
            desired: Desired::Unknown,
            wishes: Rc::default(),
            link: None,
            lost: Rc::default(),
            cycle: None,
            calls,
            ended: false,
        }
    }

    /// Finds out what is wanted, once everything is there that it takes.
    fn begin(&mut self, ctx: &mut Context<Self>) {
        if self.awaits_client || self.link.is_none() || self.ended {
            return;
        }
        match (self.desired, self.at_start) {
            (Desired::Enabled, _) | (Desired::Unknown, AtStart::Enabled) => self.enable(ctx),
            (Desired::Unknown, AtStart::Disabled) => self.desired = Desired::Disabled,
            (Desired::Unknown, AtStart::Remembered) => self.remember(ctx),
            (Desired::Disabled, _) => {}
        }
    }

    /// Asks the database. Who is not signed in has no row there, but may sign in later; more and more seldom, because most
    /// never do, and an idle server should sleep.
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

    /// From now on it is wanted: sees to it that a cycle runs.
    fn enable(&mut self, ctx: &mut Context<Self>) {
        self.desired = Desired::Enabled;
        if self.cycle.is_some() || self.ended {
            return;
        }
        self.board.connecting();
        // Without a link yet, this is called once more when it comes.
        let Some(link) = self.link.clone().filter(|_| !self.awaits_client) else { return };
        let cycle = Cycle::new(self.session.clone(), self.board.clone(), link, self.lost.clone());
        let running = guarded_future("the connection of remote control", async move { cycle.run().await });
        self.cycle = Some(ctx.spawn(wrap_future::<_, Self>(running).map(|ended, control, ctx| {
            control.cycle = None;
            match ended {
                Some(()) => control.end_session(ctx),
                None => control.board.errored("the server failed while it connected; enable remote control again"),
            }
        })));
    }

    /// From now on it is not wanted. Resolves when the socket is gone.
    fn disable(&mut self, ctx: &mut Context<Self>) -> impl Future<Output = ()> + 'static {
        self.desired = Desired::Disabled;
        self.stop_cycle(ctx);
        self.board.disabled();
        // Handed over now, so that no later dial overtakes it.
        let hung_up = self.link.as_ref().map(|link| link.hang_up.send(HangUp));
        async move {
            if let Some(Err(e)) = OptionFuture::from(hung_up).await {
                log::debug!("the remote control link has ended: {e}");
            }
        }
    }

    fn stop_cycle(&mut self, ctx: &mut Context<Self>) {
        if let Some(cycle) = self.cycle.take() {
            ctx.cancel_future(cycle);
        }
    }

    /// The login is over: what it had with the backend is forgotten, and another one begins disabled.
    fn end_session(&mut self, ctx: &mut Context<Self>) {
        log::info!("remote control ends with the sign-in that it was for");
        self.wishes.next();
        self.wishes.next_lasting();
        self.session = Rc::new(Session::new(self.tools.clone()));
        self.desired = Desired::Disabled;
        self.stop_cycle(ctx);
        self.board.disabled();
        if let Some(link) = &self.link {
            let ended = link.end_session.send(EndSession);
            ctx.spawn(wrap_future::<_, Self>(ended).map(|_, _, _| ()));
        }
    }

    /// What every client must be told.
    fn news(&mut self) -> Outcome {
        let now = self.board.state();
        if now == self.told {
            return Outcome::none();
        }
        self.told = now.clone();
        Outcome::none().tell(Audience::Everyone, ServerNotification::RemoteControlStatusChanged(now))
    }
}

impl Actor for RemoteControl {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.add_stream(stream::unfold(self.board.watch(), |mut board| async move {
            board.changed().await.ok()?;
            Some((Changed, board))
        }));
    }
}
