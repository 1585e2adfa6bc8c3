//! A listener with the actors behind it, from its start to its end.

mod end;
mod parts;
mod room;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use actix::Addr;
use actix_rt::ArbiterHandle;
use app_server_actors::{
    catalog::{BaseUrl, Catalog},
    clock::Clock,
    connection::{
        ConnectionOrigin,
        stream::{self as connection_stream, Ended},
    },
    hub::Hub,
    protocol::scope::Scopes,
    remote_control::{AtStart, BackendUrl},
    start::{Actors, ActorsParts},
    store::{self, Reopen, Store, StoreError},
    traces::TraceError,
};
use futures_util::{StreamExt, stream};
use tokio::{io::AsyncReadExt, sync::oneshot, time::timeout};
use tokio_util::io::StreamReader;

pub(crate) use self::{
    end::{close_store, end_in_good_order},
    parts::{actors_parts, sources, sources_with_models},
};
use crate::{
    admin::{Admin, AdminDoor, AdminFailure},
    auth::{Auth, AuthError, AuthPlan},
    cli::Arguments,
    http::{Door, HttpServer, InvalidDoor, Sockets},
    listen::{self, Inherited, ListenError, ListenUrl, Listeners, SocketFile},
    settings::{Settings, Shutdown},
    succession::{HandOverError, HandedSocket, Predecessor, Purpose},
};

/// Name of the database in `$CODEX_HOME`.
pub(crate) const STORE_FILE: &str = "app-server.sqlite";

/// Why a server could not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The listener cannot be opened.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The backend of remote control cannot be used.
    #[error("{0}")]
    RemoteControl(String),
    /// The auth flags or their files are invalid.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// A host or a proxy in the settings.
    #[error(transparent)]
    Door(#[from] InvalidDoor),
    /// A `-c key=value` is invalid.
    #[error("{0}")]
    Override(String),
    /// `--strict-config` found an unknown key.
    #[error("{0}")]
    StrictConfig(String),
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Traces cannot be sent.
    #[error(transparent)]
    Traces(#[from] TraceError),
    /// The working directory is gone.
    #[error("the working directory cannot be used ({0}); it may have been removed: start in another one")]
    WorkingDirectory(io::Error),
    /// The client on stdio stopped reading.
    #[error("the client on stdio stopped reading and was disconnected")]
    ClientCut,
    /// A vital actor has ended.
    #[error("the actor `{0}` has ended, and the server cannot run without it; start the server again")]
    ActorLost(&'static str),
    /// The admin listener.
    #[error(transparent)]
    Admin(#[from] AdminFailure),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The address of a running server.
pub struct Server {
    actors: Actors,
    store: Arc<Addr<Store>>,
    service: Service,
    serves_stdio: bool,
}

/// What serves clients, besides remote control.
#[derive(Default)]
struct Service {
    /// Dropped before the listeners, as [`SocketFile`] requires.
    files: Vec<SocketFile>,
    /// Duplicates of the sockets, for the server after this one.
    sockets: Vec<HandedSocket>,
    http: Option<HttpServer>,
    auth: Option<Arc<Auth>>,
    admin: Option<Admin>,
    /// The end of the client on stdio, if it is the only one there can be.
    stdio: Option<oneshot::Receiver<Ended>>,
}

impl Server {
    /// Opens the listeners that `arguments` name, then starts everything behind them. The listeners come first because a
    /// path in use is the most likely failure, and because a socket must be created before any other thread. What is behind
    /// them comes after the end of a `predecessor`, whose database it opens.
    pub async fn start(
        arguments: &Arguments,
        mut inherited: Inherited,
        predecessor: Option<Predecessor>,
        codex_home: &Path,
        settings: &Settings,
    ) -> Result<Self, ServerError> {
        let auth = auth(arguments, &inherited, settings)?;
        if arguments.listen == [ListenUrl::Off] && !arguments.remote_control {
            return Err(ListenError::NoTransport.into());
        }
        let overrides = arguments.config_overrides();
        if arguments.strict_config {
            Catalog::check_strict(&sources(codex_home, &overrides)?).map_err(ServerError::StrictConfig)?;
        }

        let wait = settings.startup.lock_seconds.duration();
        let inherited_admin = inherited.take_admin();
        let mut listeners = Listeners::open(&arguments.listen, inherited, auth.is_some(), codex_home, wait).await?;
        let mut admin = AdminDoor::open(&arguments.admin, inherited_admin, codex_home, settings).await?;
        let door = Arc::new(Door::new(&settings.http, auth.clone())?);
        if let Some(predecessor) = predecessor {
            // Whatever can be wrong is found now, while the server before this one still serves.
            sources(codex_home, &overrides)?;
            store::known(&codex_home.join(STORE_FILE))?;
            room::check(&codex_home.join(STORE_FILE))?;
            predecessor.make_way().await?;
            listeners.claim_files();
            admin.iter_mut().for_each(AdminDoor::claim_file);
        }
        let mut parts = actors_parts(codex_home, &overrides, &arguments.session_source, settings)?;
        parts.listeners = listeners.urls();
        let admin_files = admin.as_ref().map(AdminDoor::hidden).unwrap_or_default();
        parts.commands.hidden = [listeners.sockets(), auth_files(arguments)?, admin_files].concat();
        parts.commands.open_door = listeners.open_door(auth.is_some());
        parts.remote_control.at_start = remote_control_at_start(arguments);
        parts.remote_control.named_by_first_client = listeners.is_stdio_alone();
        if arguments.remote_control {
            // Where that ends the start, the actors that run already end with it.
            check_backend(&parts).await.inspect_err(|_| parts.vitals.expect_end())?;
        }
        listeners.announce(auth.is_some());
        let mut server = Self::serve(listeners, door, auth, parts, settings).await?;
        if let Some(admin) = admin {
            server.service.sockets.push(admin.handed()?);
            server.service.admin = Some(admin.serve(&server.actors, &server.store, settings)?);
        }
        Ok(server)
    }

    async fn serve(
        listeners: Listeners,
        door: Arc<Door>,
        auth: Option<Arc<Auth>>,
        parts: ActorsParts,
        settings: &Settings,
    ) -> Result<Self, ServerError> {
        let store = parts.store.clone();
        let is_alone = listeners.is_stdio_alone();
        let Listeners { stdio, unix, tcp } = listeners;
        let duplicates = unix.iter().map(|it| HandedSocket::of(&it.listener, it.file.is_ours(), Purpose::Clients));
        let sockets = duplicates
            .chain(tcp.iter().map(|it| HandedSocket::of(it, false, Purpose::Clients)))
            .collect::<io::Result<_>>()?;
        let (unix, files): (Vec<_>, Vec<_>) = unix.into_iter().map(|socket| (socket.listener, socket.file)).unzip();
        let mut service = Service { files, sockets, auth, ..Service::default() };
        let (actors, hub_arbiter) = if unix.is_empty() && tcp.is_empty() {
            (Actors::start(parts), actix_rt::Arbiter::current())
        } else {
            let http = HttpServer::start(Sockets { unix, tcp, door }, parts, &settings.http).await?;
            let running = (http.actors().clone(), http.arbiter().clone());
            service.http = Some(http);
            running
        };
        if stdio {
            let ended = serve_stdio(actors.hub(), &hub_arbiter, settings.shutdown.drain_seconds.duration(), is_alone);
            service.stdio = Some(ended).filter(|_| is_alone);
        }
        Ok(Self { actors, store, service, serves_stdio: stdio })
    }

    /// The actors.
    pub fn actors(&self) -> &Actors {
        &self.actors
    }

    /// Resolves when the server ends by itself: on stdio alone at the end of the input, after all requests in flight were
    /// answered.
    pub async fn ended(&mut self) -> Result<(), ServerError> {
        let Self { actors, service, .. } = self;
        tokio::select! {
            biased;
            actor = actors.lost() => Err(ServerError::ActorLost(actor)),
            ended = service.ended() => ended,
        }
    }

    /// Opens what is at the path of the database now, if that is not what was opened before.
    pub async fn reopen_store(&self) {
        if self.store.send(Reopen).await.is_err() {
            log::error!("the store of threads has ended");
        }
    }

    /// Writes everything into the one file of the database and closes it.
    pub async fn close_store(&self, limits: &Shutdown) {
        close_store(&self.store, limits).await;
    }

    /// Reads the token or secret file again, if there is one.
    pub fn reload_secrets(&self) {
        if let Some(auth) = &self.service.auth {
            auth.reload();
        }
        if let Some(admin) = &self.service.admin {
            admin.reload_secrets();
        }
    }

    /// Duplicates of the sockets, for the server after this one.
    ///
    /// # Errors
    /// There is nothing to hand over, or no descriptor is left.
    pub fn handed_sockets(&self) -> Result<Vec<HandedSocket>, HandOverError> {
        if self.service.sockets.is_empty() || self.serves_stdio {
            let why = "its client on stdio would be lost; start the client again instead";
            let none = "it has no sockets; restart it instead";
            return Err(HandOverError::Impossible(if self.serves_stdio { why } else { none }));
        }
        self.service.sockets.iter().map(HandedSocket::again).collect::<io::Result<_>>().map_err(HandOverError::Sockets)
    }

    /// Accepts nobody any more: who connects from now on waits for the next server.
    pub async fn leave_sockets(&self) {
        if let Some(http) = &self.service.http {
            http.pause().await;
        }
    }

    /// Shuts down: refuses new work, waits for running work, closes all connections, and removes the sockets, unless by then
    /// a next server `takes_over`. Each step has a time limit.
    pub async fn finish(&mut self, limits: &Shutdown, takes_over: impl AsyncFnOnce() -> bool) {
        end_in_good_order(&self.actors, limits).await;
        let leave = if takes_over().await { SocketFile::hand_over } else { drop };
        if let Some(admin) = &mut self.service.admin {
            admin.stop(leave).await;
        }
        self.service.files.drain(..).for_each(leave);
        self.service.sockets.clear();
        if let Some(http) = &self.service.http {
            http.stop().await;
        }
        self.close_store(limits).await;
        log::info!("ended");
    }
}

impl Service {
    async fn ended(&mut self) -> Result<(), ServerError> {
        match self {
            Self { stdio: Some(ended), .. } => match ended.await.map_err(io::Error::other)? {
                Ended::Finished => Ok(()),
                Ended::Cut => Err(ServerError::ClientCut),
            },
            Self { http: Some(http), .. } => Err(http.ended().await.into()),
            // Clients connect by remote control only.
            Self { http: None, .. } => std::future::pending().await,
        }
    }
}

/// Serves the client on stdio, on the arbiter of `hub`. For a client that `is_alone`, the end of the input is a wish to end:
/// like any other it lets running work finish for `drain`, whose news the client, which may be a script with its questions
/// in a file, still reads. Beside other clients the work goes on without this one.
fn serve_stdio(hub: &Hub, arbiter: &ArbiterHandle, drain: Duration, is_alone: bool) -> oneshot::Receiver<Ended> {
    let (tell, ended) = oneshot::channel();
    let hub = hub.clone();
    arbiter.spawn_fn(move || {
        actix_rt::spawn(async move {
            let (input, output) = listen::open_stdio();
            // The last line may lack its end.
            let line_end = stream::iter([Ok::<_, io::Error>(&b"\n"[..])]);
            let draining = hub.clone();
            let drained = stream::once(async move {
                if is_alone && timeout(drain, draining.drain()).await.is_err() {
                    log::warn!("work is still running {} s after the end of the input, and is ended", drain.as_secs());
                }
                Ok(&b""[..])
            });
            let input = input.chain(StreamReader::new(Box::pin(line_end.chain(drained))));
            let how = connection_stream::serve(input, output, ConnectionOrigin::Stdio, Scopes::ALL, &hub).await;
            if !is_alone && let Err(error) = listen::leave_stdio() {
                log::warn!("stdout stays open for the client that has left: {error}");
            }
            // Nobody waits for the end of one client among others.
            let _ = tell.send(how);
        });
    });
    ended
}

impl Drop for Server {
    fn drop(&mut self) {
        self.actors.expect_end();
    }
}

/// The flags must be valid for every listener. Files are read only for TCP, where they are used.
fn auth(arguments: &Arguments, inherited: &Inherited, settings: &Settings) -> Result<Option<Arc<Auth>>, AuthError> {
    let plan = AuthPlan::of(&arguments.auth)?;
    let serves_tcp = inherited.has_tcp() || arguments.listen.iter().any(|url| matches!(url, ListenUrl::WebSocket(_)));
    let plan = plan.filter(|_| serves_tcp);
    plan.map(|plan| Auth::start(plan, &settings.auth, Clock::system()).map(Arc::new)).transpose()
}

/// The files that hold what clients are judged by.
fn auth_files(arguments: &Arguments) -> Result<Vec<PathBuf>, AuthError> {
    Ok(AuthPlan::of(&arguments.auth)?.map(|plan| plan.files()).unwrap_or_default())
}

/// `CODEX_INTERNAL_APP_SERVER_REMOTE_CONTROL_DISABLED` is set by the reference program's daemon manager to disable
/// remote control.
fn remote_control_at_start(arguments: &Arguments) -> AtStart {
    let disabled = std::env::var("CODEX_INTERNAL_APP_SERVER_REMOTE_CONTROL_DISABLED").is_ok_and(|value| value == "1");
    match (arguments.remote_control, disabled) {
        (true, _) => AtStart::Enabled,
        (false, true) => AtStart::Disabled,
        (false, false) => AtStart::Remembered,
    }
}

/// With `--remote-control` an untrusted backend is reported at the start.
async fn check_backend(parts: &ActorsParts) -> Result<(), ServerError> {
    let refused = |error: &dyn std::fmt::Display| ServerError::RemoteControl(error.to_string());
    let named = parts.catalog.send(BaseUrl).await.map_err(|e| refused(&e))?.map_err(|e| refused(&e))?;
    BackendUrl::chosen(&parts.remote_control.settings, named.as_deref()).map_err(|e| refused(&e)).map(drop)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::settings::Effective;

    #[actix_rt::test]
    async fn a_server_that_loses_a_vital_actor_ends_with_an_error_that_names_it() {
        let home = tempfile::tempdir().unwrap();
        let settings = Effective::built_in().unwrap().settings().unwrap();
        let parts = actors_parts(home.path(), &[], "test", &settings).unwrap();
        let store = parts.store.clone();
        let mut server =
            Server { actors: Actors::start(parts), store, service: Service::default(), serves_stdio: false };
        assert!(timeout(Duration::ZERO, server.ended()).await.is_err(), "all are alive");
        server.actors.end_remote_control(Duration::from_secs(60)).await;
        let ended = timeout(Duration::from_secs(60), server.ended()).await.expect("it ends");
        assert!(matches!(ended, Err(ServerError::ActorLost("remote control"))), "{ended:?}");
    }

    #[actix_rt::test]
    async fn a_shutdown_loses_nobody() {
        let home = tempfile::tempdir().unwrap();
        let settings = Effective::built_in().unwrap().settings().unwrap();
        let parts = actors_parts(home.path(), &[], "test", &settings).unwrap();
        let store = parts.store.clone();
        let mut server =
            Server { actors: Actors::start(parts), store, service: Service::default(), serves_stdio: false };
        server.finish(&settings.shutdown, async || false).await;
        assert!(timeout(Duration::ZERO, server.ended()).await.is_err(), "nobody is missed");
    }
}
