//! The server of a `chat` that found none: in this process, without a listener.

use std::{path::Path, sync::Arc};

use actix::Addr;
use app_server_actors::{remote_control::AtStart, start::Actors, store::Store};
use tokio::io::DuplexStream;

use crate::{
    cli::Arguments,
    in_process::PIPE_BYTES,
    server::{ServerError, actors_parts, close_store, end_in_good_order},
    settings::{Settings, Shutdown},
};

/// The source recorded in new threads: a person at a terminal.
const SOURCE: &str = "cli";

/// A server for one client.
pub struct OwnServer {
    actors: Actors,
    store: Arc<Addr<Store>>,
    limits: Shutdown,
}

impl OwnServer {
    /// Starts the actors on the calling arbiter.
    ///
    /// # Errors
    /// The database cannot be opened, or `-c` is invalid.
    pub fn start(arguments: &Arguments, codex_home: &Path, settings: &Settings) -> Result<Self, ServerError> {
        let mut parts = actors_parts(codex_home, &arguments.config_overrides(), SOURCE, settings)?;
        // A conversation must not make this machine controllable because a daemon was.
        parts.remote_control.at_start = AtStart::Disabled;
        let store = parts.store.clone();
        Ok(Self { actors: Actors::start(parts), store, limits: settings.shutdown.clone() })
    }

    /// Opens a connection: one JSON-RPC message per line in each direction.
    pub fn open(&self) -> DuplexStream {
        self.actors.open(PIPE_BYTES)
    }

    /// Ends what runs and closes the database.
    pub async fn end(self) {
        end_in_good_order(&self.actors, &self.limits).await;
        close_store(&self.store, &self.limits).await;
    }
}
