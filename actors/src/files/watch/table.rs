//! The watches, and the directories watched for them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::WatchKey;
use super::anchor::Anchor;
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
    /// Watches that have moved since the last report.
    moved: BTreeSet<WatchKey>,
    last_generation: u64,
}

struct Watch {
    /// Tells it from an older one of the same name.
    generation: u64,
    path: AbsolutePath,
    anchors: Vec<Anchor>,
    looking: bool,
    /// A further look is due when the present one is over.
    look_again: bool,
    /// Directories that were replaced by others of the same name since the last look.
    renewed: BTreeSet<PathBuf>,
}

/// A watched path to look at: where it leads to now.
#[derive(Clone, Debug)]
pub struct Look {
    /// The watch.
    pub key: WatchKey,
    generation: u64,
    /// Its path.
    pub path: AbsolutePath,
    /// Directories to watch again, because the system still watches those that had their names before.
    pub renewed: BTreeSet<PathBuf>,
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
        let (directories, watches, moved) = (HashMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { changes, watcher: None, directories, watches, moved, last_generation: 0 }
    }

    /// Whether the watcher of the operating system is there.
    pub fn has_watcher(&self) -> bool {
        self.watcher.is_some()
    }

    /// Adds a watch of a path that has just led to `anchors`. It must be looked at once more.
    pub fn add(
        &mut self,
        key: &WatchKey,
        path: &AbsolutePath,
        anchors: Vec<Anchor>,
        limits: &Limits,
    ) -> Result<Look, Refusal> {
        if self.watches.contains_key(key) {
            return Err(Refusal::Taken);
        }
        let own = self.of(key.0).count();
        for (used, bound) in [(own, limits.file_watches_per_connection), (self.watches.len(), limits.file_watches)] {
            if used >= bound {
                return Err(Refusal::Full(bound));
            }
        }
        self.last_generation += 1;
        let (generation, anchors_so_far, renewed) = (self.last_generation, Vec::new(), BTreeSet::new());
        let watch = Watch {
            generation,
            path: path.clone(),
            anchors: anchors_so_far,
            looking: true,
            look_again: false,
            renewed,
        };
        self.watches.insert(key.clone(), watch);
        self.attach(key, anchors).inspect_err(|_| self.remove(key)).map_err(Refusal::System)?;
        Ok(Look { key: key.clone(), generation, path: path.clone(), renewed: BTreeSet::new() })
    }

    /// Removes a watch, if it exists.
    pub fn remove(&mut self, key: &WatchKey) {
        self.detach(key);
        self.watches.remove(key);
        self.moved.remove(key);
    }

    /// Removes the watches of a connection.
    pub fn forget(&mut self, connection: ConnectionId) {
        let keys: Vec<WatchKey> = self.of(connection).cloned().collect();
        for key in keys {
            self.remove(&key);
        }
    }

    /// The reports for changes of real paths, and what is to be looked at: the watches of these paths may lead elsewhere
    /// now.
    pub fn translate(&mut self, changed: &Changed) -> (Vec<Told>, Vec<Look>) {
        let mut told: BTreeMap<WatchKey, BTreeSet<PathBuf>> = BTreeMap::new();
        let mut renewed: BTreeMap<WatchKey, BTreeSet<PathBuf>> = BTreeMap::new();
        for (path, replaced) in changed {
            let directories = [Some(path.as_path()), path.parent()].into_iter().flatten();
            let concerned = directories.filter_map(|directory| self.directories.get(directory)).flatten();
            for key in concerned {
                let Some(watch) = self.watches.get(key) else { continue };
                let watched = watch.path.as_path();
                let translated = watch.anchors.iter().filter_map(|anchor| anchor.translate(path, watched));
                told.entry(key.clone()).or_default().extend(translated);
            }
            for key in self.directories.get(path).into_iter().flatten().filter(|_| *replaced) {
                renewed.entry(key.clone()).or_default().insert(path.clone());
            }
        }
        let keys = told.keys().chain(renewed.keys()).cloned().collect::<BTreeSet<_>>();
        let looks = keys.into_iter().filter_map(|key| {
            let renewed = renewed.remove(&key).unwrap_or_default();
            self.look_at(&key, renewed)
        });
        let looks = looks.collect();
        for key in std::mem::take(&mut self.moved) {
            let watched = self.watches.get(&key).map(|watch| watch.path.as_path().to_owned());
            told.entry(key).or_default().extend(watched);
        }
        let told = told.into_iter().filter(|(_, paths)| !paths.is_empty());
        let with_path = |(key, paths)| self.watches.get(&key).map(|watch| (key, watch.path.clone(), paths));
        (told.filter_map(with_path).collect(), looks)
    }

    /// Reports were lost: any watched path may have changed or moved.
    pub fn rescan(&mut self) -> (Vec<Told>, Vec<Look>) {
        self.moved.clear();
        let directories = |watch: &Watch| watch.anchors.iter().map(|anchor| anchor.directory.clone()).collect();
        let all: Vec<(WatchKey, BTreeSet<PathBuf>)> =
            self.watches.iter().map(|(key, watch)| (key.clone(), directories(watch))).collect();
        let told = self
            .watches
            .iter()
            .map(|(key, watch)| (key.clone(), watch.path.clone(), BTreeSet::from([watch.path.as_path().to_owned()])));
        let told = told.collect();
        (told, all.into_iter().filter_map(|(key, renewed)| self.look_at(&key, renewed)).collect())
    }

    /// The look that is due at a watch; `None` if one is in progress, after which another one follows.
    fn look_at(&mut self, key: &WatchKey, renewed: BTreeSet<PathBuf>) -> Option<Look> {
        let watch = self.watches.get_mut(key)?;
        watch.renewed.extend(renewed);
        if std::mem::replace(&mut watch.looking, true) {
            watch.look_again = true;
            return None;
        }
        let renewed = std::mem::take(&mut watch.renewed);
        Some(Look { key: key.clone(), generation: watch.generation, path: watch.path.clone(), renewed })
    }

    /// A watched path was looked at and leads to `now`: moves its watch there. Returns the look that is due next.
    pub fn looked(&mut self, look: Look, now: Vec<Anchor>) -> Option<Look> {
        for directory in &look.renewed {
            if let Some(users) = self.directories.get(directory) {
                // What changed before the next line is missed, so all watches of the directory receive a report.
                self.moved.extend(users.iter().cloned());
                self.watch_again(directory);
            }
        }
        let key = &look.key;
        // Another watch may have the name by now.
        let watch = self.watches.get_mut(key).filter(|watch| watch.generation == look.generation)?;
        watch.looking = false;
        let again = std::mem::take(&mut watch.look_again);
        if watch.anchors != now {
            self.detach(key);
            if let Err(error) = self.attach(key, now) {
                log::warn!("a watched path can no longer be watched: {error}");
            }
            self.moved.insert(key.clone());
        }
        if again { self.look_at(key, BTreeSet::new()) } else { None }
    }

    /// A look was not begun, or broke off; the next change causes another one, which makes up for it.
    pub fn not_looked(&mut self, look: Look) {
        if let Some(watch) = self.watches.get_mut(&look.key).filter(|watch| watch.generation == look.generation) {
            (watch.looking, watch.look_again) = (false, false);
            watch.renewed.extend(look.renewed);
        }
    }

    /// Whether there are watches that have moved since the last report.
    pub fn has_moved(&self) -> bool {
        !self.moved.is_empty()
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
