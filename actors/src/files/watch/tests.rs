//! Tests of watches with real directories.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;

const A: ConnectionId = ConnectionId(1);
const B: ConnectionId = ConnectionId(2);

/// Reports arrive within milliseconds; a missing one must not stop the test suite.
const SOON: Duration = Duration::from_secs(60);

struct Fixture {
    dir: tempfile::TempDir,
    watches: Watches,
}

impl Fixture {
    fn new(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits { file_watches: 8, file_watches_per_connection: 4, file_changes: 50, ..Limits::tiny() };
        change(&mut limits);
        Self { dir: tempfile::tempdir().unwrap(), watches: Watches::new(Arc::new(limits)) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn watch(&self, connection: ConnectionId, id: &str, name: &str) -> Result<AbsolutePath, RpcError> {
        let path = AbsolutePath::new(&self.path(name)).unwrap();
        self.watches.watch(connection, &CancellationToken::new(), FsWatchParams { watch_id: id.into(), path })
    }

    /// Waits until watch `id` of `connection` has reported everything in `expected`, and returns all reports.
    async fn told(&self, connection: ConnectionId, id: &str, expected: &[&str]) -> BTreeSet<String> {
        let mut told = BTreeSet::new();
        let collect = async {
            while !expected.iter().all(|name| told.contains(*name)) {
                told.extend(self.next_told(connection, id).await);
            }
        };
        actix_rt::time::timeout(SOON, collect).await.unwrap_or_else(|_| panic!("told only {told:?}"));
        told
    }

    /// What watch `id` of `connection` reports next.
    async fn next_told(&self, connection: ConnectionId, id: &str) -> BTreeSet<String> {
        let mut told = BTreeSet::new();
        let collect = async {
            while told.is_empty() {
                self.watches.changed().await;
                let (changes, looks) = self.watches.collect();
                looks.into_iter().for_each(|look| self.watches.look(look));
                for (to, changed) in changes {
                    if to == connection && changed.watch_id == id {
                        told.extend(changed.changed_paths.iter().map(|path| self.name(path.as_path())));
                    }
                }
            }
        };
        actix_rt::time::timeout(SOON, collect).await.expect("there is a report");
        told
    }

    fn name(&self, path: &Path) -> String {
        path.strip_prefix(self.dir.path()).unwrap().display().to_string()
    }

    fn directories(&self) -> usize {
        self.watches.table().directories()
    }
}

#[actix_rt::test]
async fn a_directory_tells_of_its_entries_and_of_itself() {
    let fixture = Fixture::new(|_| {});
    fs::create_dir_all(fixture.path("d/sub")).unwrap();
    fixture.watch(A, "w", "d").unwrap();
    fs::write(fixture.path("d/sub/deep"), "").unwrap();
    fs::write(fixture.path("d/new"), "").unwrap();
    let told = fixture.told(A, "w", &["d/new"]).await;
    assert!(!told.contains("d/sub/deep"), "{told:?}");
    fs::rename(fixture.path("d/new"), fixture.path("d/moved")).unwrap();
    fixture.told(A, "w", &["d/new", "d/moved"]).await;
    fs::remove_dir_all(fixture.path("d")).unwrap();
    fixture.told(A, "w", &["d"]).await;
    fs::create_dir(fixture.path("d")).unwrap();
    fixture.told(A, "w", &["d"]).await;
    // Until the new directory is watched, the directory itself is told instead of its entries.
    loop {
        fs::write(fixture.path("d/again"), "").unwrap();
        if fixture.next_told(A, "w").await.contains("d/again") {
            return;
        }
    }
}

#[actix_rt::test]
async fn a_file_is_followed_through_its_replacements() {
    let fixture = Fixture::new(|_| {});
    fixture.watch(A, "w", "file").unwrap();
    for round in 0..3 {
        fs::write(fixture.path("temporary"), round.to_string()).unwrap();
        fs::rename(fixture.path("temporary"), fixture.path("file")).unwrap();
        assert_eq!(fixture.told(A, "w", &["file"]).await, ["file".to_owned()].into());
        fs::write(fixture.path("file"), "in place").unwrap();
        fixture.told(A, "w", &["file"]).await;
    }
}

#[actix_rt::test]
async fn our_own_temporary_files_are_nobodys_business() {
    let fixture = Fixture::new(|_| {});
    fixture.watch(A, "w", "").unwrap();
    crate::replace::replace(&fixture.path("file"), b"", crate::replace::NewFile::Ordinary).unwrap();
    fs::write(fixture.path("last"), "").unwrap();
    let told = fixture.told(A, "w", &["file", "last"]).await;
    assert_eq!(told, ["file".to_owned(), "last".to_owned()].into());
}

#[actix_rt::test]
async fn a_path_is_awaited_and_a_link_followed() {
    let fixture = Fixture::new(|_| {});
    fixture.watch(A, "w", "link/deep/file").unwrap();
    fs::create_dir_all(fixture.path("real/deep")).unwrap();
    std::os::unix::fs::symlink("real", fixture.path("link")).unwrap();
    fixture.told(A, "w", &["link/deep/file"]).await;
    fs::write(fixture.path("real/deep/file"), "").unwrap();
    fixture.told(A, "w", &["link/deep/file"]).await;
}

#[actix_rt::test]
async fn names_belong_to_connections_and_end_with_them() {
    let fixture = Fixture::new(|_| {});
    for connection in [A, B] {
        fixture.watch(connection, "w", "").unwrap();
    }
    assert_eq!(fixture.watch(A, "w", "").unwrap_err().message, "watchId already exists: w");
    fs::write(fixture.path("one"), "").unwrap();
    fixture.told(B, "w", &["one"]).await;
    fixture.watches.unwatch(A, "w".into());
    fixture.watches.unwatch(A, "unknown".into());
    fs::write(fixture.path("two"), "").unwrap();
    fixture.told(B, "w", &["two"]).await;
    assert!(fixture.directories() > 0);
    fixture.watches.forget(B);
    assert_eq!(fixture.directories(), 0, "nothing is watched for nobody");
}

#[actix_rt::test]
async fn more_changes_than_fit_are_told_as_the_watched_path() {
    // Not even one: with more, some could be collected before the others are reported.
    let fixture = Fixture::new(|limits| limits.file_changes = 0);
    fixture.watch(A, "w", "").unwrap();
    fs::write(fixture.path("a"), "").unwrap();
    fixture.told(A, "w", &[""]).await;
}

#[test]
fn the_number_of_watches_is_bounded() {
    let fixture = Fixture::new(|limits| (limits.file_watches, limits.file_watches_per_connection) = (3, 2));
    let watch = |connection, id| fixture.watch(connection, id, "").map_err(|e| e.message);
    watch(A, "1").unwrap();
    watch(A, "2").unwrap();
    assert!(watch(A, "3").unwrap_err().contains("2 watches are in use"));
    watch(B, "1").unwrap();
    assert!(watch(B, "2").unwrap_err().contains("3 watches are in use"));
    let long = "x".repeat(LONGEST_ID + 1);
    assert!(watch(B, &long).unwrap_err().starts_with("watchId is longer than"));
}

#[actix_rt::test]
async fn a_disk_that_hangs_under_one_watch_delays_no_other_one() {
    let (disk, answers) = std::sync::mpsc::channel::<()>();
    let answers = Mutex::new(answers);
    let dir = tempfile::tempdir().unwrap();
    let slow = dir.path().join("slow");
    fs::create_dir(&slow).unwrap();
    let hanging = slow.clone();
    let looking: Looking = Box::new(move |path: &Path| {
        if path == hanging {
            // As long as the test wants.
            let _ = answers.lock().unwrap().recv();
        }
        anchors(path)
    });
    let limits = Limits { file_watches: 8, file_watches_per_connection: 4, file_changes: 50, ..Limits::tiny() };
    let fixture = Fixture { dir, watches: Watches::looking_with(Arc::new(limits), looking) };
    // The two looks while it is set are answered.
    disk.send(()).unwrap();
    disk.send(()).unwrap();
    fixture.watch(A, "slow", "slow").unwrap();
    std::thread::scope(|scope| {
        fs::write(slow.join("file"), "").unwrap();
        let wait = Instant::now() + SOON;
        let look = loop {
            assert!(Instant::now() < wait, "the watch is to be looked at");
            if let Some(look) = fixture.watches.collect().1.pop() {
                break look;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        scope.spawn(|| fixture.watches.look(look));
        // Set, heard, ended, all while the disk hangs.
        fixture.watch(B, "w", "").unwrap();
        fs::write(fixture.path("new"), "").unwrap();
        let mut told = false;
        while !told {
            assert!(Instant::now() < wait, "the other watch is heard");
            let (changes, looks) = fixture.watches.collect();
            told = changes.iter().any(|(to, _)| *to == B);
            looks.into_iter().filter(|look| look.key.0 == B).for_each(|look| fixture.watches.look(look));
            std::thread::sleep(Duration::from_millis(1));
        }
        fixture.watches.forget(B);
        drop(disk);
    });
}

/// A table with one watch, of a directory, that was looked at.
fn table(dir: &Path) -> (Table, WatchKey, AbsolutePath) {
    let (mut table, key) = (Table::new(Arc::new(Changes::new(50))), (A, "w".to_owned()));
    let path = AbsolutePath::new(&dir.canonicalize().unwrap()).unwrap();
    add(&mut table, &key, &path);
    (table, key, path)
}

fn add(table: &mut Table, key: &WatchKey, path: &AbsolutePath) {
    let limits = Limits { file_watches: 8, file_watches_per_connection: 4, ..Limits::tiny() };
    let now = || anchors(path.as_path()).unwrap();
    let look = table.add(key, path, now(), &limits).unwrap();
    assert!(table.looked(look, now()).is_none());
}

#[test]
fn what_a_look_that_did_not_happen_was_to_renew_is_renewed_by_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let (mut table, _, path) = table(dir.path());
    let directory = path.as_path().to_owned();
    let look = table.translate(&[(directory.clone(), true)].into()).1.remove(0);
    assert_eq!(look.renewed, [directory.clone()].into());
    table.not_looked(look);
    let look = table.translate(&[(directory.join("file"), false)].into()).1.remove(0);
    assert_eq!(look.renewed, [directory].into());
}

#[test]
fn what_an_old_watch_left_behind_does_not_concern_a_new_one_of_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let (mut table, key, path) = table(dir.path());
    let change = [(path.as_path().join("file"), false)].into();
    let late = table.translate(&change).1.remove(0);
    assert!(table.translate(&change).1.is_empty(), "one look at a time");
    table.remove(&key);
    add(&mut table, &key, &path);
    assert!(table.looked(late, Vec::new()).is_none());
    assert!(!table.has_moved() && table.directories() > 0, "the new watch stays where it is");

    let look = table.translate(&change).1.remove(0);
    table.looked(look, Vec::new());
    assert!(table.has_moved());
    table.remove(&key);
    add(&mut table, &key, &path);
    assert!(table.translate(&Default::default()).0.is_empty(), "the new watch has nothing to tell");
}

#[actix_rt::test]
async fn a_look_that_panicked_is_made_up_for() {
    let fails = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let fail = fails.clone();
    let looking: Looking = Box::new(move |path: &Path| {
        assert!(!fail.swap(false, std::sync::atomic::Ordering::SeqCst), "as the test wants");
        anchors(path)
    });
    let limits = Limits { file_watches: 8, file_watches_per_connection: 4, file_changes: 50, ..Limits::tiny() };
    let watches = Arc::new(Watches::looking_with(Arc::new(limits), looking));
    let dir = tempfile::tempdir().unwrap();
    let path = AbsolutePath::new(&dir.path().canonicalize().unwrap()).unwrap();
    let params = FsWatchParams { watch_id: "w".into(), path: path.clone() };
    watches.watch(A, &CancellationToken::new(), params).unwrap();
    let change = [(path.as_path().join("file"), false)].into();
    let look = watches.table().translate(&change).1.remove(0);
    fails.store(true, std::sync::atomic::Ordering::SeqCst);
    watches.clone().look_on(&Workers::new(1, SOON), look).await;
    assert_eq!(watches.table().translate(&change).1.len(), 1, "it is looked at again");
}
