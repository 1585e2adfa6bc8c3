//! `fs/watch`: the watches, and the changes since the last report.
//!
//! One watcher of the operating system serves all connections, because the system allows a user only about a hundred.
//! It watches each real directory once, without its subdirectories; changes are translated into the paths that clients
//! named ([`anchor`]).
//!
//! A disk can stop responding at any time, so nothing touches the disk while the table of watches is locked. Where a
//! watched path leads to is looked at on a worker thread, each watch by itself ([`Look`]); only then the table is changed.

mod anchor;
mod changes;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::connection::ConnectionId;
use crate::descriptors;
use crate::limits::Limits;
use crate::protocol::fs::{FsChanged, FsWatchParams};
use crate::protocol::path::AbsolutePath;
use crate::protocol::{ErrorCode, RpcError};
use crate::workers::{Unfinished, Workers};
use anchor::{Anchor, anchors};
use changes::Changes;
use table::{Refusal, Table};

pub use table::Look;

/// Longest name of a watch, in bytes; the name is part of every report.
const LONGEST_ID: usize = 1024;

/// Open files of the operating system's watcher.
const FILES_OF_WATCHER: usize = 4;

/// Finds the anchors of a path, which may block.
type Looking = Box<dyn Fn(&Path) -> io::Result<Vec<Anchor>> + Send + Sync>;

/// All watches of all connections.
pub struct Watches {
    limits: Arc<Limits>,
    changes: Arc<Changes>,
    table: Mutex<Table>,
    looking: Looking,
}

/// The key of a watch.
pub(super) type WatchKey = (ConnectionId, String);

impl Watches {
    /// Creates an empty set. The watcher of the operating system is created with the first watch.
    pub fn new(limits: Arc<Limits>) -> Self {
        Self::looking_with(limits, Box::new(anchors))
    }

    fn looking_with(limits: Arc<Limits>, looking: Looking) -> Self {
        let changes = Arc::new(Changes::new(limits.file_changes));
        Self { limits, table: Mutex::new(Table::new(changes.clone())), changes, looking }
    }

    /// Adds a watch, unless the connection has ended (`gone`): [`Self::forget`] is called only once, after that. May block.
    ///
    /// # Errors
    /// -32600 if the name is taken or too long, or if there are too many watches; -32001 if it would use up the last open
    /// files; -32603 if the operating system refuses.
    pub fn watch(
        &self,
        connection: ConnectionId,
        gone: &CancellationToken,
        params: FsWatchParams,
    ) -> Result<AbsolutePath, RpcError> {
        let FsWatchParams { watch_id, path } = params;
        if watch_id.len() > LONGEST_ID {
            return Err(RpcError::invalid_request(format_args!(
                "watchId is longer than {LONGEST_ID} bytes (path `{path}`)"
            )));
        }
        // All watches share one watcher.
        let opens_watcher = !self.table().has_watcher();
        if opens_watcher {
            descriptors::check(FILES_OF_WATCHER, self.limits.reserved_open_files).map_err(|error| {
                RpcError::new(ErrorCode::Overloaded, format_args!("`{path}` cannot be watched: {error}"))
            })?;
        }
        let anchors =
            (self.looking)(path.as_path()).map_err(|error| RpcError::internal(format_args!("{path}: {error}")))?;
        let key = (connection, watch_id);
        let mut table = self.table();
        if gone.is_cancelled() {
            return Err(RpcError::internal("the connection has ended"));
        }
        let look = table.add(&key, &path, anchors, &self.limits).map_err(|refusal| match refusal {
            Refusal::Taken => RpcError::invalid_request(format_args!("watchId already exists: {}", key.1)),
            Refusal::Full(bound) => RpcError::invalid_request(format_args!(
                "`{path}` cannot be watched: all {bound} watches are in use; end one with fs/unwatch"
            )),
            Refusal::System(error) => RpcError::internal(format_args!("{path}: {error}{}", hint(&error))),
        })?;
        drop(table);
        // What has changed between the look and the watch was not reported by the system.
        self.look(look);
        Ok(path)
    }

    /// Looks where a watched path leads to, and moves its watch there. May block.
    pub fn look(&self, look: Look) {
        let mut next = Some(look);
        while let Some(look) = next.take() {
            // A directory that does not respond must not be named to the system, whose reports would then end.
            for directory in &look.renewed {
                drop((self.looking)(directory));
            }
            let now = (self.looking)(look.path.as_path()).unwrap_or_default();
            let mut table = self.table();
            next = table.looked(look, now);
            if table.has_moved() {
                self.changes.wake();
            }
        }
    }

    /// Has a worker look at a watched path. If its disk does not respond, only this watch is not followed any more.
    pub async fn look_on(self: Arc<Self>, workers: &Workers, look: Look) {
        let (watches, begun) = (self.clone(), look.clone());
        let unwanted = CancellationToken::new();
        let looked = workers.run("a look at a watched path", &unwanted, move |_| watches.look(begun)).await;
        if let Err(Unfinished::Refused | Unfinished::Panicked) = looked {
            self.table().not_looked(look);
        }
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

    /// Takes the changes since the last call, with their watches, and what is to be looked at because of them.
    pub fn collect(&self) -> (Vec<(ConnectionId, FsChanged)>, Vec<Look>) {
        let (paths, overflown) = self.changes.take();
        let mut table = self.table();
        let (told, looks) = if overflown { table.rescan() } else { table.translate(&paths) };
        drop(table);
        let told = told.into_iter().map(|(key, watched, changed)| self.notification(key, watched, changed));
        (told.collect(), looks)
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

/// What the system's words leave open.
fn hint(error: &notify::Error) -> &'static str {
    match &error.kind {
        notify::ErrorKind::Io(error) if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => {
            "; either this user has no inotify instance left (fs.inotify.max_user_instances), or this process no descriptor"
        }
        notify::ErrorKind::MaxFilesWatch => "; this user has no inotify watch left (fs.inotify.max_user_watches)",
        _ => "",
    }
}
