//! A buffer of changes between the operating system's thread and ours.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use notify::event::{Event, EventKind, ModifyKind};
use tokio::sync::Notify;

use crate::replace::is_temporary;

/// The changed real paths, and whether they were created, removed or renamed (true), or changed in content or
/// attributes only (false).
pub type Changed = BTreeMap<PathBuf, bool>;

/// Changed paths without duplicates. If there are too many, only that fact is kept.
pub struct Changes {
    most: usize,
    pending: Mutex<Pending>,
    news: Notify,
}

#[derive(Default)]
struct Pending {
    paths: Changed,
    overflown: bool,
}

impl Changes {
    /// Creates a buffer for `most` paths.
    pub fn new(most: usize) -> Self {
        Self { most, pending: Mutex::default(), news: Notify::new() }
    }

    /// Adds a report. An error means that reports may be missing.
    pub fn report(&self, report: notify::Result<Event>) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        match report {
            // Reads are not changes.
            Ok(event) if matches!(event.kind, EventKind::Access(_)) && !event.need_rescan() => return,
            Ok(event) if !event.need_rescan() => {
                let replaced = matches!(
                    event.kind,
                    EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
                );
                for path in event.paths.into_iter().filter(|path| !is_temporary(path)) {
                    *pending.paths.entry(path).or_default() |= replaced;
                }
            }
            _ => pending.overflown = true,
        }
        if pending.paths.len() > self.most {
            pending.overflown = true;
        }
        if pending.overflown {
            pending.paths.clear();
        }
        drop(pending);
        self.news.notify_one();
    }

    /// Wakes whoever waits for changes.
    pub fn wake(&self) {
        self.news.notify_one();
    }

    /// Waits until there are changes.
    pub async fn wait(&self) {
        self.news.notified().await;
    }

    /// Takes the changed paths, or true if there were too many.
    pub fn take(&self) -> (Changed, bool) {
        let pending = std::mem::take(&mut *self.pending.lock().unwrap_or_else(PoisonError::into_inner));
        (pending.paths, pending.overflown)
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, DataChange, Flag, RemoveKind};

    use super::*;

    fn modified(path: &str) -> notify::Result<Event> {
        Ok(Event::new(EventKind::Modify(ModifyKind::Data(DataChange::Any))).add_path(path.into()))
    }

    #[test]
    fn too_many_are_one_that_says_so() {
        let changes = Changes::new(2);
        for path in ["/a", "/b", "/a"] {
            changes.report(modified(path));
        }
        assert_eq!(changes.take(), ([("/a".into(), false), ("/b".into(), false)].into(), false));
        for path in ["/a", "/b", "/c", "/d"] {
            changes.report(modified(path));
        }
        assert_eq!(changes.take(), (Changed::new(), true));
        assert_eq!(changes.take(), (Changed::new(), false));
    }

    #[test]
    fn what_went_is_remembered_whatever_else_happened() {
        let changes = Changes::new(2);
        changes.report(Ok(Event::new(EventKind::Remove(RemoveKind::Any)).add_path("/a".into())));
        changes.report(modified("/a"));
        assert_eq!(changes.take().0, [("/a".into(), true)].into());
    }

    #[test]
    fn reading_is_no_change_and_a_lost_report_is_no_secret() {
        let changes = Changes::new(2);
        changes.report(Ok(Event::new(EventKind::Access(AccessKind::Any)).add_path("/a".into())));
        assert_eq!(changes.take(), (Changed::new(), false));
        changes.report(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)));
        assert_eq!(changes.take(), (Changed::new(), true));
    }
}
