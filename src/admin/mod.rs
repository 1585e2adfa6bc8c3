//! The admin listener (`--admin`): metrics for scrapers, and a page on which operators look at the server.
//!
//! It has a thread of its own. What it shows it asks the actors for ([`Actors::measure`]); a look of it costs them one message
//! each. On TCP requests need a token with the scope `observe` where tokens are configured, and changes one with `admin`;
//! without tokens, on loopback, nothing can be changed. On a Unix socket the owner may do everything.
//!
//! | path | what it is |
//! |---|---|
//! | `/healthz`, `/readyz` | as on the other listeners, without a token |
//! | `/metrics` | OpenMetrics text |
//! | `/`, `/page.js`, … | the page, without a token: there is nothing secret in it |
//! | `/api/door` | whether a token is needed |
//! | `/api/state` | what the page shows, as JSON |
//! | `/api/cut`, `/api/interrupt`, `/api/revoke` | POST: ends a connection or a turn, revokes a phone |

mod api;
mod page;
mod view;
mod watcher;

use std::{io, path::Path, path::PathBuf, sync::Arc, time::Duration};

use actix::Addr;
use actix_web::web::{self, ServiceConfig};
use app_server_actors::{clock::Clock, start::Actors, store::Store};

use crate::{
    auth::{Auth, AuthError, AuthPlan},
    cli::AdminArguments,
    http::{
        Door, InvalidDoor, metrics,
        side::{SideListener, SideSocket},
    },
    listen::{AdminError, AdminListener, InheritedSocket, SocketFile},
    logging,
    settings::Settings,
    succession::{HandedSocket, Purpose},
};
use watcher::Watcher;

/// Why the admin listener cannot be opened or served.
#[derive(Debug, thiserror::Error)]
pub enum AdminFailure {
    /// Its address.
    #[error(transparent)]
    Listen(#[from] AdminError),
    /// Its token files.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A host or a proxy in the settings.
    #[error(transparent)]
    Door(#[from] InvalidDoor),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The bound admin listener, before there are actors to look at.
pub struct AdminDoor {
    listener: AdminListener,
    auth: Option<Arc<Auth>>,
    token_files: Vec<PathBuf>,
}

/// The running admin listener.
pub struct Admin {
    /// Dropped before the listener, as [`SocketFile`] requires.
    file: Option<SocketFile>,
    listener: SideListener,
    auth: Option<Arc<Auth>>,
}

impl AdminDoor {
    /// Binds what the command line names, or takes what was `inherited` for it; `None` without `--admin`.
    ///
    /// # Errors
    /// See [`AdminFailure`].
    pub async fn open(
        arguments: &AdminArguments,
        inherited: Option<InheritedSocket>,
        codex_home: &Path,
        settings: &Settings,
    ) -> Result<Option<Self>, AdminFailure> {
        let Some(url) = &arguments.admin else { return Ok(None) };
        let plan = AuthPlan::of_token_files(&arguments.admin_token_file)?;
        let token_files = plan.as_ref().map(AuthPlan::files).unwrap_or_default();
        let auth = plan.map(|plan| Auth::start(plan, &settings.auth, Clock::system()).map(Arc::new)).transpose()?;
        let wait: Duration = settings.startup.lock_seconds.duration();
        let listener = AdminListener::open(url, inherited, auth.is_some(), codex_home, wait).await?;
        logging::keep_recent(settings.admin.log_lines);
        Ok(Some(Self { listener, auth, token_files }))
    }

    /// The server that had the listener before has ended.
    pub fn claim_file(&mut self) {
        self.listener.claim_file();
    }

    /// A duplicate for the server after this one.
    ///
    /// # Errors
    /// The operating system gives no more descriptors.
    pub fn handed(&self) -> io::Result<HandedSocket> {
        match &self.listener {
            AdminListener::Unix(it) => HandedSocket::of(&it.listener, it.file.is_ours(), Purpose::Admin),
            AdminListener::Tcp(listener) => HandedSocket::of(listener, false, Purpose::Admin),
        }
    }

    /// The files that confined commands must not reach: the socket, whose peers may do everything, and the tokens.
    pub fn hidden(&self) -> Vec<PathBuf> {
        let socket = match &self.listener {
            AdminListener::Unix(socket) => Some(socket.file.path().to_owned()),
            AdminListener::Tcp(_) => None,
        };
        self.token_files.iter().cloned().chain(socket).collect()
    }

    /// Lets operators in.
    ///
    /// # Errors
    /// See [`AdminFailure`].
    pub fn serve(self, actors: &Actors, store: &Arc<Addr<Store>>, settings: &Settings) -> Result<Admin, AdminFailure> {
        self.listener.announce();
        let Self { listener, auth, .. } = self;
        let (socket, file) = match listener {
            AdminListener::Unix(bound) => (SideSocket::Unix(bound.listener), Some(bound.file)),
            AdminListener::Tcp(listener) => {
                (SideSocket::Tcp(listener, Arc::new(Door::new(&settings.http, auth.clone())?)), None)
            }
        };
        let watched = actors.clone();
        let routes = move |config: &mut ServiceConfig| {
            config
                .app_data(web::Data::new(Watcher::new(&watched)))
                .service(
                    web::resource(metrics::PATH).route(web::get().to(api::metrics)).route(web::head().to(api::metrics)),
                )
                .configure(page::routes)
                .configure(api::routes);
        };
        let most = settings.admin.max_connections;
        let listener = SideListener::start(socket, (actors, store), &settings.http, most, routes)?;
        Ok(Admin { file, listener, auth })
    }
}

impl Admin {
    /// Reads the token files again.
    pub fn reload_secrets(&self) {
        if let Some(auth) = &self.auth {
            auth.reload();
        }
    }

    /// Closes the listener, and lets `leave` decide about the file of its socket.
    pub async fn stop(&mut self, leave: fn(SocketFile)) {
        self.file.take().map(leave);
        self.listener.stop().await;
    }
}
