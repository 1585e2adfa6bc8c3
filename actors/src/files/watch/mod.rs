//! `fs/watch`: the watches, and the changes since the last report.
//!
//! One watcher of the operating system serves all connections, because the system allows a user only about a hundred.
//! It watches each real directory once, without its subdirectories; changes are translated into the paths that clients
//! named ([`anchor`]).

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
use anchor::anchors;
use changes::Changes;
use table::{Refusal, Table};

/// Longest name of a watch, in bytes; the name is part of every report.
const LONGEST_ID: usize = 1024;

/// All watches of all connections. Its methods access files and may block.
pub struct Watches {
    limits: Arc<Limits>,
    changes: Arc<Changes>,
    table: Mutex<Table>,
}

/// The key of a watch.
pub(super) type WatchKey = (ConnectionId, String);

impl Watches {
    /// Creates an empty set. The watcher of the operating system is created with the first watch.
    pub fn new(limits: Arc<Limits>) -> Self {
        let changes = Arc::new(Changes::new(limits.file_changes));
        Self { limits, table: Mutex::new(Table::new(changes.clone())), changes }
    }

    /// Adds a watch, unless the connection has ended (`gone`): [`Self::forget`] is called only once, after that.
    ///
    /// # Errors
    /// -32600 if the name is taken or too long, or if there are too many watches; -32603 if the operating system
    /// refuses.
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
        // Looked at before the table is locked: a disk that does not answer must stop this request only.
        anchors(path.as_path()).map_err(|error| RpcError::internal(format!("{path}: {error}")))?;
        let key = (connection, watch_id);
        let mut table = self.table();
        if gone.is_cancelled() {
            return Err(RpcError::internal("the connection has ended"));
        }
        table.add(&key, &path, &self.limits).map_err(|refusal| match refusal {
            Refusal::Taken => RpcError::invalid_request(format!("watchId already exists: {}", key.1)),
            Refusal::Full(bound) => RpcError::invalid_request(format!(
                "`{path}` cannot be watched: all {bound} watches are in use; end one with fs/unwatch"
            )),
            Refusal::System(error) => RpcError::internal(format!("{path}: {error}")),
        })?;
        Ok(path)
    }

    /// Removes a watch.
    pub fn unwatch(&self, connection: ConnectionId, watch_id: String) {
        self.table().remove(&(connection, watch_id));
    }

    /// Removes the watches of a connection.
    pub fn forget(&self, connection: ConnectionId) {
        self.table().forget(connection);
    }

    /// Waits until something has changed.
    pub async fn changed(&self) {
        self.changes.wait().await;
    }

    /// Takes the changes since the last call, with their watches.
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

    /// After a panic under the lock, at worst a directory is watched needlessly.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
