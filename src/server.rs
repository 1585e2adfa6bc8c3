//! A listener with the actors behind it, from its start to its end.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use actix::Addr;
use actix_rt::task::JoinHandle;
use app_server_actors::{
    account::{Credentials, device::SignInSetup},
    catalog::{BaseUrl, Catalog, CatalogSources},
    clock::Clock,
    connection::{
        ConnectionOrigin,
        stream::{self as connection_stream, Ended},
    },
    environment::Environment,
    host::Host,
    model::ModelSetup,
    protocol::scope::Scopes,
    remote_control::{AtStart, BackendUrl, DEFAULT_BASE_URL, RemoteControlSetup},
    start::{Actors, ActorsParts},
    store::{Close, Reopen, Store, StoreError},
    vital::Vitals,
};
use futures_util::{StreamExt, stream};
use tokio::{io::AsyncReadExt, time::timeout};
use tokio_util::io::StreamReader;

use crate::{
    auth::{Auth, AuthError, AuthPlan},
    cli::Arguments,
    http::{Door, HttpServer, InvalidDoor, Sockets},
    listen::{self, ListenError, ListenUrl, Listener, SocketFile},
    own_programs,
    settings::{Settings, Shutdown},
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
    /// The working directory is gone.
    #[error("the working directory cannot be used ({0}); it may have been removed: start in another one")]
    WorkingDirectory(io::Error),
    /// The client on stdio stopped reading.
    #[error("the client on stdio stopped reading and was disconnected")]
    ClientCut,
    /// A vital actor has ended.
    #[error("the actor `{0}` has ended, and the server cannot run without it; start the server again")]
    ActorLost(&'static str),
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The address of a running server.
pub struct Server {
    actors: Actors,
    store: Arc<Addr<Store>>,
    service: Service,
}

enum Service {
    Stdio(JoinHandle<Ended>),
    /// Clients connect by remote control only.
    Remote,
    Sockets {
        /// Dropped before the listener, as [`SocketFile`] requires.
        file: Option<SocketFile>,
        http: HttpServer,
        auth: Option<Arc<Auth>>,
    },
}

impl Server {
    /// Opens the listener that `arguments` name, then starts everything behind it. The listener comes first because a
    /// path in use is the most likely failure, and because the socket must be created before any other thread.
    pub async fn start(arguments: &Arguments, codex_home: &Path, settings: &Settings) -> Result<Self, ServerError> {
        let auth = auth(arguments, settings)?;
        if arguments.listen == ListenUrl::Off && !arguments.remote_control {
            return Err(ListenError::NoTransport.into());
        }
        let overrides = arguments.config_overrides();
        if arguments.strict_config {
            Catalog::check_strict(&sources(codex_home, &overrides)?).map_err(ServerError::StrictConfig)?;
        }

        let wait = settings.startup.lock_seconds.duration();
        let listener = Listener::open(&arguments.listen, auth.is_some(), codex_home, wait).await?;
        let mut parts = actors_parts(codex_home, &overrides, &arguments.session_source, settings)?;
        parts.commands.hidden = [listener.sockets(), auth_files(arguments)?].concat();
        parts.commands.open_door = listener.open_door(auth.is_some());
        parts.remote_control.at_start = remote_control_at_start(arguments);
        parts.remote_control.named_by_first_client = matches!(listener, Listener::Stdio);
        if arguments.remote_control {
            // Where that ends the start, the actors that run already end with it.
            check_backend(&parts).await.inspect_err(|_| parts.vitals.expect_end())?;
        }
        listener.announce(auth.is_some());
        Self::serve(listener, auth, parts, settings).await
    }

    async fn serve(
        listener: Listener,
        auth: Option<Arc<Auth>>,
        parts: ActorsParts,
        settings: &Settings,
    ) -> Result<Self, ServerError> {
        let store = parts.store.clone();
        let (sockets, file) = match listener {
            Listener::Stdio => {
                let actors = Actors::start(parts);
                let service = Self::serve_stdio(&actors, settings.shutdown.drain_seconds.duration());
                return Ok(Self { actors, store, service });
            }
            Listener::None => return Ok(Self { actors: Actors::start(parts), store, service: Service::Remote }),
            Listener::Unix(socket) => (Sockets::Unix(socket.listener), Some(socket.file)),
            Listener::Tcp(listener) => {
                (Sockets::Tcp(listener, Arc::new(Door::new(&settings.http, auth.clone())?)), None)
            }
        };
        let http = HttpServer::start(sockets, parts, &settings.http).await?;
        Ok(Self { actors: http.actors().clone(), store, service: Service::Sockets { file, http, auth } })
    }

    /// The end of the input is a wish to end: like any other it lets running work finish, whose news the client, which may
    /// be a script with its questions in a file, still reads.
    fn serve_stdio(actors: &Actors, drain: Duration) -> Service {
        let (input, output) = listen::open_stdio();
        let hub = actors.hub().clone();
        let draining = hub.clone();
        // The last line may lack its end.
        let line_end = stream::iter([Ok::<_, io::Error>(&b"\n"[..])]);
        let drained = stream::once(async move {
            if timeout(drain, draining.drain()).await.is_err() {
                log::warn!("work is still running {} s after the end of the input, and is ended", drain.as_secs());
            }
            Ok(&b""[..])
        });
        let input = input.chain(StreamReader::new(Box::pin(line_end.chain(drained))));
        Service::Stdio(actix_rt::spawn(async move {
            connection_stream::serve(input, output, ConnectionOrigin::Stdio, Scopes::ALL, &hub).await
        }))
    }

    /// Resolves when the server ends by itself: on stdio at the end of the input, after all requests in flight were
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
        if let Service::Sockets { auth: Some(auth), .. } = &self.service {
            auth.reload();
        }
    }

    /// Shuts down: refuses new work, waits for running work, closes all connections, and removes the socket. Each step
    /// has a time limit.
    pub async fn finish(&mut self, limits: &Shutdown) {
        end_in_good_order(&self.actors, limits).await;
        if let Service::Sockets { file, http, .. } = &mut self.service {
            drop(file.take());
            http.stop().await;
        }
        self.close_store(limits).await;
        log::info!("ended");
    }
}

impl Service {
    async fn ended(&mut self) -> Result<(), ServerError> {
        match self {
            Self::Stdio(running) => match running.await.map_err(io::Error::other)? {
                Ended::Finished => Ok(()),
                Ended::Cut => Err(ServerError::ClientCut),
            },
            Self::Remote => std::future::pending().await,
            Self::Sockets { http, .. } => Err(http.ended().await.into()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.actors.expect_end();
    }
}

/// The flags must be valid for every listener. Files are read only for TCP, where they are used.
fn auth(arguments: &Arguments, settings: &Settings) -> Result<Option<Arc<Auth>>, AuthError> {
    let plan = AuthPlan::of(&arguments.auth)?;
    let plan = plan.filter(|_| matches!(arguments.listen, ListenUrl::WebSocket(_)));
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
    let url = named.as_deref().unwrap_or(DEFAULT_BASE_URL);
    BackendUrl::parse(url, &parts.remote_control.settings.hosts).map_err(|e| refused(&e)).map(drop)
}

/// The actors' part of the shutdown.
pub(crate) async fn end_in_good_order(actors: &Actors, limits: &Shutdown) {
    actors.expect_end();
    let hub = actors.hub();
    log::info!("draining: new work is refused");
    if timeout(limits.drain_seconds.duration(), hub.drain()).await.is_err() {
        log::warn!("work is still running after {} and is ended", limits.drain_seconds);
    }
    if timeout(limits.close_seconds.duration(), actors.end_turns()).await.is_err() {
        log::warn!("some turns did not end in time; the next start reads them as interrupted");
    }
    if timeout(hub.limits().command_grace_seconds.duration() + limits.close_seconds.duration(), actors.end_commands())
        .await
        .is_err()
    {
        log::warn!("some commands did not end in time; they end with this process");
    }
    hub.close_connections(limits.close_seconds.duration()).await;
    // Twice, because the socket is dropped after the last messages.
    if timeout(2 * limits.close_seconds.duration(), actors.end_remote_control(limits.close_seconds.duration()))
        .await
        .is_err()
    {
        log::warn!("the connection to the remote-control backend did not end in time; it ends with this process");
    }
}

/// The last step of an end: nobody asks the store any more.
pub(crate) async fn close_store(store: &Addr<Store>, limits: &Shutdown) {
    if timeout(limits.close_seconds.duration(), store.send(Close)).await.is_err() {
        log::warn!("the thread database is still being written; it is whole all the same");
    }
}

/// The parts of the actors: opens the database and starts the actors that have arbiters of their own.
pub(crate) fn actors_parts(
    codex_home: &Path,
    config_overrides: &[String],
    session_source: &str,
    settings: &Settings,
) -> Result<ActorsParts, ServerError> {
    let sources = sources(codex_home, config_overrides)?;
    let host = host(codex_home, sources.cwd.clone(), session_source);
    let account = Arc::new(Credentials::new(codex_home));
    let (models, token_url) = models(settings, &account, &host);
    let sign_in = SignInSetup {
        account: account.clone(),
        issuer: Environment::process().get("CODEX_APP_SERVER_LOGIN_ISSUER"),
        network: models.network.clone(),
        clock: Clock::system(),
    };
    let vitals = Vitals::default();
    Ok(ActorsParts {
        limits: Arc::new(settings.limits.clone()),
        models: models.clone(),
        account,
        host,
        store: Store::open(&codex_home.join(STORE_FILE), &settings.limits, &vitals)?,
        catalog: Catalog::start(sources.with_models(models).with_sign_in(sign_in), &settings.limits, &vitals),
        turns: settings.turns.clone(),
        clock: Clock::system(),
        commands: own_programs::command_setup(codex_home),
        remote_control: RemoteControlSetup { token_url, ..RemoteControlSetup::new(settings.remote_control.clone()) },
        remote_link: settings.remote_link.clone(),
        vitals,
    })
}

fn models(settings: &Settings, account: &Arc<Credentials>, host: &Host) -> (ModelSetup, Option<String>) {
    let environment = Environment::process();
    let token_url = environment.get("CODEX_REFRESH_TOKEN_URL_OVERRIDE");
    let models = settings.model.clone();
    (ModelSetup::new(models, environment, account, token_url.clone(), Clock::system(), host), token_url)
}

/// The sources of a catalog that asks providers for their models.
pub(crate) fn sources_with_models(
    codex_home: &Path,
    config_overrides: &[String],
    settings: &Settings,
) -> Result<CatalogSources, ServerError> {
    let sources = sources(codex_home, config_overrides)?;
    let (account, host) = (Arc::new(Credentials::new(codex_home)), host(codex_home, sources.cwd.clone(), ""));
    Ok(sources.with_models(models(settings, &account, &host).0))
}

pub(crate) fn sources(codex_home: &Path, config_overrides: &[String]) -> Result<CatalogSources, ServerError> {
    CatalogSources::new(codex_home.to_owned(), std::env::current_dir().map_err(ServerError::WorkingDirectory)?)
        .with_overrides(config_overrides)
        .map_err(ServerError::Override)
}

fn host(codex_home: &Path, cwd: PathBuf, session_source: &str) -> Host {
    let system = rustix::system::uname();
    let [name, release] = [system.sysname(), system.release()].map(|part| part.to_string_lossy());
    Host {
        codex_home: codex_home.to_owned(),
        session_source: session_source.to_owned(),
        cwd,
        os: format!("{name} {release}"),
        terminal: std::env::var("TERM").unwrap_or_else(|_| "unknown".to_owned()),
    }
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
        let mut server = Server { actors: Actors::start(parts), store, service: Service::Remote };
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
        let mut server = Server { actors: Actors::start(parts), store, service: Service::Remote };
        server.finish(&settings.shutdown).await;
        assert!(timeout(Duration::ZERO, server.ended()).await.is_err(), "nobody is missed");
    }
}
