//! The watches, and the directories watched for them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::WatchKey;
use super::anchor::{Anchor, anchors};
use super::changes::{Changed, Changes};
use crate::connection::ConnectionId;
use crate::limits::Limits;
use crate::protocol::path::AbsolutePath;

/// See the module's documentation.
pub struct Table {
    changes: Arc<Changes>,
    watcher: Option<RecommendedWatcher>,
    /// The watches that need each real directory.
    directories: HashMap<PathBuf, BTreeSet<WatchKey>>,
    watches: BTreeMap<WatchKey, Watch>,
}

struct Watch {
    path: AbsolutePath,
    anchors: Vec<Anchor>,
}

/// Why a watch was refused.
#[derive(Debug)]
pub enum Refusal {
    /// The connection already has a watch of that name.
    Taken,
    /// There are too many watches.
    Full(usize),
    /// The operating system refuses.
    System(notify::Error),
}

/// A report for one watch: the changed paths in the client's terms.
pub type Told = (WatchKey, AbsolutePath, BTreeSet<PathBuf>);

impl Table {
    /// Creates an empty table. Reports of the operating system go to `changes`.
    pub fn new(changes: Arc<Changes>) -> Self {
        Self { changes, watcher: None, directories: HashMap::new(), watches: BTreeMap::new() }
    }

    /// Adds a watch.
    pub fn add(&mut self, key: &WatchKey, path: &AbsolutePath, limits: &Limits) -> Result<(), Refusal> {
        if self.watches.contains_key(key) {
            return Err(Refusal::Taken);
        }
        let own = self.of(key.0).count();
        for (used, bound) in [(own, limits.file_watches_per_connection), (self.watches.len(), limits.file_watches)] {
            if used >= bound {
                return Err(Refusal::Full(bound));
            }
        }
        let anchors = anchors(path.as_path()).map_err(|e| Refusal::System(notify::Error::io(e)))?;
        self.watches.insert(key.clone(), Watch { path: path.clone(), anchors: Vec::new() });
        self.attach(key, anchors).inspect_err(|_| self.remove(key)).map_err(Refusal::System)
    }

    /// Removes a watch, if it exists.
    pub fn remove(&mut self, key: &WatchKey) {
        self.detach(key);
        self.watches.remove(key);
    }

    /// Removes the watches of a connection.
    pub fn forget(&mut self, connection: ConnectionId) {
        let keys: Vec<WatchKey> = self.of(connection).cloned().collect();
        for key in keys {
            self.remove(&key);
        }
    }

    /// The reports for changes of real paths. If a watched path was created, removed or moved, its watch follows it.
    pub fn translate(&mut self, changed: &Changed) -> Vec<Told> {
        let mut told: BTreeMap<WatchKey, BTreeSet<PathBuf>> = BTreeMap::new();
        for (path, replaced) in changed {
            let directories = [Some(path.as_path()), path.parent()].into_iter().flatten();
            let concerned = directories.filter_map(|directory| self.directories.get(directory)).flatten();
            for key in concerned {
                let Some(watch) = self.watches.get(key) else { continue };
                let watched = watch.path.as_path();
                let translated = watch.anchors.iter().filter_map(|anchor| anchor.translate(path, watched));
                told.entry(key.clone()).or_default().extend(translated);
            }
            if *replaced && self.directories.contains_key(path) {
                // The system still watches the directory that had this name before. Changes before the next line are
                // missed, so all watches of the directory receive a report.
                self.watch_again(path);
                for key in self.directories.get(path).into_iter().flatten() {
                    let watched = self.watches.get(key).map(|watch| watch.path.as_path().to_owned());
                    told.entry(key.clone()).or_default().extend(watched);
                }
            }
        }
        let mut all = Vec::new();
        for (key, mut paths) in told {
            let Some(watched) = self.watches.get(&key).map(|watch| watch.path.clone()) else { continue };
            if self.follow(&key) {
                paths.insert(watched.as_path().to_owned());
            }
            if !paths.is_empty() {
                all.push((key, watched, paths));
            }
        }
        all
    }

    /// Reports were lost: any watched path may have changed or moved.
    pub fn rescan(&mut self) -> Vec<Told> {
        let directories: Vec<PathBuf> = self.directories.keys().cloned().collect();
        directories.iter().for_each(|directory| self.watch_again(directory));
        let all: Vec<_> = self.watches.iter().map(|(key, watch)| (key.clone(), watch.path.clone())).collect();
        let told = |(key, path): (WatchKey, AbsolutePath)| {
            self.follow(&key);
            let paths = BTreeSet::from([path.as_path().to_owned()]);
            (key, path, paths)
        };
        all.into_iter().map(told).collect()
    }

    /// Number of watched directories.
    #[cfg(test)]
    pub fn directories(&self) -> usize {
        self.directories.len()
    }

    fn of(&self, connection: ConnectionId) -> impl Iterator<Item = &WatchKey> {
        let first = (connection, String::new());
        self.watches.range(first..).map(|(key, _)| key).take_while(move |key| key.0 == connection)
    }

    /// Moves a watch to the current place of its path. Returns whether it has changed.
    fn follow(&mut self, key: &WatchKey) -> bool {
        let Some(watch) = self.watches.get(key) else { return false };
        let now = anchors(watch.path.as_path()).unwrap_or_default();
        if now == watch.anchors {
            return false;
        }
        self.detach(key);
        if let Err(error) = self.attach(key, now) {
            log::warn!("a watched path can no longer be watched: {error}");
        }
        true
    }

    fn attach(&mut self, key: &WatchKey, anchors: Vec<Anchor>) -> notify::Result<()> {
        let Some(watch) = self.watches.get_mut(key) else { return Ok(()) };
        // Done first, so that `detach` finds everything that was done before an error.
        watch.anchors.clone_from(&anchors);
        for Anchor { directory, .. } in anchors {
            if !self.directories.contains_key(&directory) {
                self.watcher()?.watch(&directory, RecursiveMode::NonRecursive)?;
            }
            self.directories.entry(directory).or_default().insert(key.clone());
        }
        Ok(())
    }

    fn detach(&mut self, key: &WatchKey) {
        let Some(watch) = self.watches.get_mut(key) else { return };
        for anchor in std::mem::take(&mut watch.anchors) {
            let Some(users) = self.directories.get_mut(&anchor.directory) else { continue };
            users.remove(key);
            if users.is_empty() {
                self.directories.remove(&anchor.directory);
                self.unwatch(&anchor.directory);
            }
        }
    }

    fn watch_again(&mut self, directory: &Path) {
        self.unwatch(directory);
        if let Some(watcher) = &mut self.watcher
            && let Err(error) = watcher.watch(directory, RecursiveMode::NonRecursive)
        {
            log::debug!("{} is gone: {error}", directory.display());
        }
    }

    fn unwatch(&mut self, directory: &Path) {
        if let Some(watcher) = &mut self.watcher
            && let Err(error) = watcher.unwatch(directory)
        {
            // It was removed together with its watch.
            log::debug!("{} was not watched any more: {error}", directory.display());
        }
    }

    fn watcher(&mut self) -> notify::Result<&mut RecommendedWatcher> {
        match &mut self.watcher {
            Some(watcher) => Ok(watcher),
            none => {
                let changes = self.changes.clone();
                Ok(none.insert(notify::recommended_watcher(move |report| changes.report(report))?))
            }
        }
    }
}
