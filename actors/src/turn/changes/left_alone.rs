//! Work trees in which git is not asked.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long git is not asked again.
const PAUSE: Duration = Duration::from_secs(300);

/// Work trees that are remembered; of more, the oldest is forgotten.
const MOST: usize = 64;

/// Work trees in which git failed or took too long a while ago, so that not every turn waits for it.
#[derive(Default)]
pub struct LeftAlone(Mutex<VecDeque<(PathBuf, Instant)>>);

impl LeftAlone {
    /// Git did not help in the work tree at `root`.
    pub(super) fn add(&self, root: PathBuf) {
        let mut trees = self.lock();
        if trees.len() >= MOST {
            trees.pop_front();
        }
        trees.push_back((root, Instant::now()));
    }

    /// Whether git is not to be asked about the work tree at `root` now.
    pub(super) fn holds(&self, root: &Path) -> bool {
        let mut trees = self.lock();
        while trees.front().is_some_and(|(_, since)| since.elapsed() >= PAUSE) {
            trees.pop_front();
        }
        trees.iter().any(|(tree, _)| tree == root)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(PathBuf, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_rt::test]
    async fn a_work_tree_is_tried_again_later() {
        tokio::time::pause();
        let trees = LeftAlone::default();
        trees.add("/a".into());
        tokio::time::advance(PAUSE / 2).await;
        trees.add("/b".into());
        assert!(trees.holds(Path::new("/a")) && trees.holds(Path::new("/b")) && !trees.holds(Path::new("/c")));
        tokio::time::advance(PAUSE / 2).await;
        assert!(!trees.holds(Path::new("/a")) && trees.holds(Path::new("/b")));
    }

    #[actix_rt::test]
    async fn no_more_than_some_are_remembered() {
        let trees = LeftAlone::default();
        (0..2 * MOST).for_each(|number| trees.add(format!("/{number}").into()));
        assert_eq!(trees.lock().len(), MOST);
        assert!(trees.holds(&PathBuf::from(format!("/{}", 2 * MOST - 1))));
    }
}
