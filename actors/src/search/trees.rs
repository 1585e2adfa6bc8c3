//! The walked trees, kept for the next search.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::tree::Tree;

/// Bytes that a root takes beside its tree: a bound on their number.
const ROOT_BYTES: usize = 1024;

/// Trees by root. Those used least recently make way when all together take too much memory.
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
    /// Locked during a walk: a second search of the same root waits for it rather than walking too.
    tree: Arc<Mutex<Option<Arc<Tree>>>>,
    bytes: usize,
    last_use: u64,
}

impl Trees {
    /// Nothing kept. Walks find at most `most_entries`; what is kept takes at most `most_bytes`.
    pub fn new(most_entries: usize, most_bytes: usize) -> Self {
        Self { most_entries, most_bytes, kept: Mutex::default() }
    }

    /// The tree below `root` as it is now. Blocks for as long as the walk takes, where there must be one.
    pub fn get(&self, root: &Path) -> Arc<Tree> {
        let slot = self.slot(root);
        let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tree) = kept.as_ref().filter(|tree| tree.is_current()) {
            return tree.clone();
        }
        // First, so that not two trees are in memory.
        *kept = None;
        let tree = Arc::new(Tree::walk(root, self.most_entries));
        *kept = Some(tree.clone());
        drop(kept);
        self.make_room(root, tree.bytes());
        tree
    }

    fn slot(&self, root: &Path) -> Arc<Mutex<Option<Arc<Tree>>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.uses += 1;
        let last_use = kept.uses;
        let entry = kept.roots.entry(root.to_owned()).or_default();
        entry.last_use = last_use;
        entry.tree.clone()
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
    use std::time::Duration;

    use super::*;

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
        let first = trees.get(dir.path());
        assert!(Arc::ptr_eq(&first, &trees.get(dir.path())));
        fs::write(dir.path().join("other"), "").unwrap();
        let second = trees.get(dir.path());
        assert_eq!((first.entries().len(), second.entries().len()), (1, 2));
    }

    #[test]
    fn memory_is_bounded() {
        let dirs = [directory(), directory(), directory()];
        std::thread::sleep(Duration::from_millis(100));
        let bytes = Tree::walk(dirs[0].path(), 100).bytes() + ROOT_BYTES;
        let trees = Trees::new(100, 2 * bytes + bytes / 2);
        let first = trees.get(dirs[0].path());
        trees.get(dirs[1].path());
        // Used once more, so it is not the one that makes way.
        assert!(Arc::ptr_eq(&first, &trees.get(dirs[0].path())));
        trees.get(dirs[2].path());
        assert!(Arc::ptr_eq(&first, &trees.get(dirs[0].path())));
        let kept = trees.kept.lock().unwrap();
        assert!(kept.roots.len() == 2 && !kept.roots.contains_key(dirs[1].path()));
    }
}
