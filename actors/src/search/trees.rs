//! The cache of walked trees.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use super::tree::Tree;
use crate::workers::Progress;

/// Memory of a root besides its tree, in bytes; it bounds their number.
const ROOT_BYTES: usize = 1024;

/// Interval between checks for the end of another search's walk.
const WALK_CHECK: Duration = Duration::from_millis(2);

/// Trees by root. If they take too much memory, the least recently used are dropped.
pub struct Trees {
    most_entries: usize,
    most_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    roots: HashMap<PathBuf, Root>,
    uses: u64,
}

#[derive(Default)]
struct Root {
    slot: Arc<Slot>,
    bytes: usize,
    last_use: u64,
}

#[derive(Default)]
struct Slot {
    /// Locked during a walk, so that a second search of the same root waits instead of walking, too.
    tree: Mutex<Option<Arc<Tree>>>,
    /// Progress of the walk that holds the lock.
    walk: Mutex<Progress>,
}

impl Slot {
    /// Waits for a walk as long as it makes progress.
    fn lock(&self, progress: &Progress) -> io::Result<MutexGuard<'_, Option<Arc<Tree>>>> {
        let mut seen = 0;
        loop {
            match self.tree.try_lock() {
                Ok(tree) => break Ok(tree),
                Err(TryLockError::Poisoned(poisoned)) => break Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
            let steps = self.walk.lock().unwrap_or_else(PoisonError::into_inner).count();
            if seen != steps {
                progress.tick();
                seen = steps;
            }
            progress.check()?;
            thread::sleep(WALK_CHECK);
        }
    }
}

impl Trees {
    /// Creates an empty cache. Walks collect up to `most_entries`; cached trees take up to `most_bytes`.
    pub fn new(most_entries: usize, most_bytes: usize) -> Self {
        Self { most_entries, most_bytes, kept: Mutex::default() }
    }

    /// The current tree below `root`. Blocks during a walk, if one is necessary.
    ///
    /// # Errors
    /// Another search is walking there without progress, and this one was given up, too.
    pub fn get(&self, root: &Path, progress: &Progress) -> io::Result<Arc<Tree>> {
        let slot = self.slot(root);
        let mut kept = slot.lock(progress)?;
        *slot.walk.lock().unwrap_or_else(PoisonError::into_inner) = progress.clone();
        if let Some(tree) = kept.as_ref().filter(|tree| tree.is_current()) {
            return Ok(tree.clone());
        }
        // Done first, so that two trees are not in memory at once.
        *kept = None;
        let tree = Arc::new(Tree::walk(root, self.most_entries, progress));
        *kept = Some(tree.clone());
        drop(kept);
        self.make_room(root, tree.bytes());
        Ok(tree)
    }

    fn slot(&self, root: &Path) -> Arc<Slot> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let last_use = kept.uses;
        let entry = kept.roots.entry(root.to_owned()).or_default();
        entry.last_use = last_use;
        entry.slot.clone()
    }

    fn make_room(&self, root: &Path, bytes: usize) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(root) = kept.roots.get_mut(root) {
            root.bytes = bytes;
        }
        let mut total: usize = kept.roots.values().map(|root| root.bytes + ROOT_BYTES).sum();
        while total > self.most_bytes {
            let oldest = kept.roots.iter().min_by_key(|(_, root)| root.last_use).map(|(path, _)| path.clone());
            let Some(removed) = oldest.and_then(|path| kept.roots.remove(&path)) else { break };
            total -= removed.bytes + ROOT_BYTES;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn get(trees: &Trees, root: &Path) -> Arc<Tree> {
        trees.get(root, &Progress::default()).unwrap()
    }

    fn directory() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        dir
    }

    #[test]
    fn a_tree_is_walked_again_only_when_it_has_changed() {
        let trees = Trees::new(100, 1 << 20);
        let dir = directory();
        std::thread::sleep(Duration::from_millis(100));
        let first = get(&trees, dir.path());
        assert!(Arc::ptr_eq(&first, &get(&trees, dir.path())));
        fs::write(dir.path().join("other"), "").unwrap();
        let second = get(&trees, dir.path());
        assert_eq!((first.entries().len(), second.entries().len()), (1, 2));
    }

    #[test]
    fn memory_is_bounded() {
        let dirs = [directory(), directory(), directory()];
        std::thread::sleep(Duration::from_millis(100));
        let bytes = Tree::walk(dirs[0].path(), 100, &Progress::default()).bytes() + ROOT_BYTES;
        let trees = Trees::new(100, 2 * bytes + bytes / 2);
        let first = get(&trees, dirs[0].path());
        get(&trees, dirs[1].path());
        // Used again, so that it is not the one to be dropped.
        assert!(Arc::ptr_eq(&first, &get(&trees, dirs[0].path())));
        get(&trees, dirs[2].path());
        assert!(Arc::ptr_eq(&first, &get(&trees, dirs[0].path())));
        let kept = trees.kept.lock().unwrap();
        assert!(kept.roots.len() == 2 && !kept.roots.contains_key(dirs[1].path()));
    }
}
