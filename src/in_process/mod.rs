//! The server embedded in a Rust program: the same actors with the same guarantees, without a process or a socket.
//!
//! ```
//! use codex_app_server::in_process::InProcessServer;
//! use codex_app_server::protocol::{ServerNotification, calls, thread::{ThreadNameSetParams, ThreadStartParams}};
//!
//! # let home = tempfile::tempdir()?;
//! # let codex_home = home.path();
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let server = InProcessServer::start(codex_home)?;
//! let (me, _) = server.connect("my-program", "1.0").await?;
//! let (other, mut news) = server.connect("another-client", "1.0").await?;
//!
//! let thread = me.call(&calls::THREAD_START, &ThreadStartParams::default()).await?.loaded.thread;
//! let name = ThreadNameSetParams { thread_id: thread.id.to_string(), name: "Sums".to_owned() };
//! other.call(&calls::THREAD_NAME_SET, &name).await?;
//!
//! while let Some(notification) = news.recv().await {
//!     if let ServerNotification::ThreadNameUpdated { thread_name, .. } = notification {
//!         assert_eq!(thread_name.as_deref(), Some("Sums"));
//!         break;
//!     }
//! }
//! server.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Commands are started by a second process of the same program. If clients are to run commands, the program's `main`
//! must begin with [`run_if_launcher`]. Otherwise commands are refused, and clients receive a warning.

mod client;

use std::{io, path::Path, thread};

use actix::Addr;
use actix_rt::{Arbiter, ArbiterHandle, System};
use app_server_actors::{
    protocol::{
        ServerNotification,
        calls::INITIALIZE,
        initialize::{Capabilities, ClientInfo, InitializeParams},
    },
    remote_control::AtStart,
    start::{Actors, ActorsParts},
    store::Store,
};
use tokio::{
    io::DuplexStream,
    sync::{mpsc, oneshot},
};

pub use client::{CallError, Client};
pub use command_launcher::run_if_launcher;

use crate::{
    codex_home::{self, CodexHomeError},
    server::{ServerError, actors_parts, close_store, end_in_good_order},
    settings::{Settings, SettingsError, Shutdown},
};

/// Size of the buffer between a client and the server, in bytes. A side that finds it full waits.
pub(crate) const PIPE_BYTES: usize = 64 * 1024;

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory cannot be created.
    #[error(transparent)]
    CodexHome(#[from] CodexHomeError),
    /// `app-server.toml` is invalid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The database cannot be opened, or the operating system refused.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The operating system refused a thread.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The server's thread ended at once; its panic is on stderr.
    #[error("the server's thread ended while it started")]
    Ended,
}

/// A server on a thread of its own. Dropping it ends it without waiting; [`Self::stop`] shuts it down gracefully.
pub struct InProcessServer {
    actors: Actors,
    arbiter: ArbiterHandle,
    stop: Option<oneshot::Sender<oneshot::Sender<()>>>,
}

impl InProcessServer {
    /// Starts a server with its state and its `app-server.toml` in `codex_home`.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(codex_home: &Path) -> Result<Self, StartError> {
        codex_home::ensure(codex_home)?;
        let settings = Settings::load(codex_home, &[])?.settings()?;
        let (tell, started) = std::sync::mpsc::sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let home = codex_home.to_owned();
        thread::Builder::new().name("codex-app-server".to_owned()).spawn(move || {
            System::new().block_on(async move {
                let parts = actors_parts(&home, &[], "vscode", &settings);
                let store = parts.as_ref().ok().map(|parts| parts.store.clone());
                let actors = parts.map(|mut parts: ActorsParts| {
                    // An embedding program must not become remotely controllable because a daemon was.
                    parts.remote_control.at_start = AtStart::Disabled;
                    Actors::start(parts)
                });
                let running = actors.as_ref().ok().cloned();
                // The caller is waiting for this.
                let _ = tell.send(actors.map(|actors| (actors, Arbiter::current())));
                if let (Some(actors), Some(store)) = (running, store) {
                    run(&actors, &store, stopped, &settings.shutdown).await;
                }
            });
        })?;
        let (actors, arbiter) = started.recv().map_err(|_| StartError::Ended)??;
        Ok(Self { actors, arbiter, stop: Some(stop) })
    }

    /// Connects and initializes a client, with experimental methods.
    ///
    /// The second part receives the notifications. Drop it if you do not need them; a client that keeps it without
    /// reading is disconnected like any other.
    ///
    /// # Errors
    /// The server has ended, or it refuses the name.
    pub async fn connect(
        &self,
        name: &str,
        version: &str,
    ) -> Result<(Client, mpsc::Receiver<ServerNotification>), CallError> {
        let (client, news, reading) = Client::over(self.open());
        self.arbiter.spawn(reading);
        let params = InitializeParams {
            client_info: ClientInfo { name: name.to_owned(), version: version.to_owned() },
            capabilities: Some(Capabilities { experimental_api: true, ..Capabilities::default() }),
        };
        client.call(&INITIALIZE, &params).await?;
        Ok((client, news))
    }

    /// Opens a new connection for programs that speak the protocol themselves: one JSON-RPC message per line in each
    /// direction.
    pub fn open(&self) -> DuplexStream {
        self.actors.open(PIPE_BYTES)
    }

    /// Shuts down gracefully: requests in flight are answered, within the time limits of the settings.
    pub async fn stop(mut self) {
        let (ended, end) = oneshot::channel();
        if let Some(stop) = self.stop.take()
            && stop.send(ended).is_ok()
        {
            // An error means that the thread has ended, which is the goal.
            let _ = end.await;
        }
    }
}

async fn run(actors: &Actors, store: &Addr<Store>, stopped: oneshot::Receiver<oneshot::Sender<()>>, limits: &Shutdown) {
    let asker = tokio::select! {
        asker = stopped => asker.ok(),
        // What is left of the server ends; its clients see their connections close.
        _ = actors.lost() => None,
    };
    end_in_good_order(actors, limits).await;
    close_store(store, limits).await;
    if let Some(asker) = asker {
        // The caller may have stopped waiting.
        let _ = asker.send(());
    }
}
