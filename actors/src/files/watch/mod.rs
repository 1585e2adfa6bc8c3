//! `fs/watch`: who watches what, and what has changed since it was told last.
//!
//! One watcher of the operating system serves all connections, because it grants a user only a hundred or so. It watches
//! real directories, each once and never their subdirectories; what happens there is translated into the paths that
//! clients named ([`anchor`]).

mod anchor;
mod changes;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::connection::ConnectionId;
use crate::limits::Limits;
use crate::protocol::RpcError;
use crate::protocol::fs::{FsChanged, FsWatchParams};
use crate::protocol::path::AbsolutePath;
use changes::Changes;
use table::{Refusal, Table};

/// Bytes of a client's name for a watch; the name comes back with every change.
const LONGEST_ID: usize = 1024;

/// All watches of all connections. Its methods look at files and may block.
pub struct Watches {
    limits: Arc<Limits>,
    changes: Arc<Changes>,
    table: Mutex<Table>,
}

/// The name of a watch.
pub(super) type WatchKey = (ConnectionId, String);

impl Watches {
    /// No watches. The operating system is asked for nothing before the first one.
    pub fn new(limits: Arc<Limits>) -> Self {
        let changes = Arc::new(Changes::new(limits.file_changes));
        Self { limits, table: Mutex::new(Table::new(changes.clone())), changes }
    }

    /// Begins to watch, unless `gone` says that the connection has ended: [`Self::forget`] comes after that, once.
    ///
    /// # Errors
    /// -32600 when the name is taken or too long, or there are too many watches; -32603 when the operating system refuses.
    pub fn watch(
        &self,
        connection: ConnectionId,
        gone: &CancellationToken,
        params: FsWatchParams,
    ) -> Result<AbsolutePath, RpcError> {
        let FsWatchParams { watch_id, path } = params;
        if watch_id.len() > LONGEST_ID {
            return Err(RpcError::invalid_request(format!(
                "watchId is longer than {LONGEST_ID} bytes (path `{path}`)"
            )));
        }
        let key = (connection, watch_id);
        let mut table = self.table();
        if gone.is_cancelled() {
            return Err(RpcError::internal("the connection has ended"));
        }
        table.add(&key, &path, &self.limits).map_err(|refusal| match refusal {
            Refusal::Taken => RpcError::invalid_request(format!("watchId already exists: {}", key.1)),
            Refusal::Full(bound) => RpcError::invalid_request(format!(
                "`{path}` cannot be watched: {bound} watches are in use, the most there can be; fs/unwatch ends one"
            )),
            Refusal::System(error) => RpcError::internal(format!("{path}: {error}")),
        })?;
        Ok(path)
    }

    /// Ends a watch.
    pub fn unwatch(&self, connection: ConnectionId, watch_id: String) {
        self.table().remove(&(connection, watch_id));
    }

    /// Ends the watches of a connection.
    pub fn forget(&self, connection: ConnectionId) {
        self.table().forget(connection);
    }

    /// Resolves when something has changed.
    pub async fn changed(&self) {
        self.changes.wait().await;
    }

    /// What has changed since the last call, and for whom.
    pub fn collect(&self) -> Vec<(ConnectionId, FsChanged)> {
        let (paths, overflown) = self.changes.take();
        let mut table = self.table();
        let told = if overflown { table.rescan() } else { table.translate(&paths) };
        drop(table);
        told.into_iter().map(|(key, watched, changed)| self.notification(key, watched, changed)).collect()
    }

    fn notification(
        &self,
        (connection, watch_id): WatchKey,
        watched: AbsolutePath,
        changed: BTreeSet<PathBuf>,
    ) -> (ConnectionId, FsChanged) {
        let changed_paths = match changed.len() > self.limits.file_changes {
            true => vec![watched],
            false => changed.iter().filter_map(|path| AbsolutePath::new(path)).collect(),
        };
        (connection, FsChanged { watch_id, changed_paths })
    }

    /// A panic while the table was locked leaves at worst a directory watched that nobody needs.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
