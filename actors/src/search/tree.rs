//! The names below a root, as found by one walk.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::ignored::{self, Ignored};
use super::parallel::{in_parts, processors, startable_threads};
use super::stamp::{Stamp, What};
use crate::workers::Progress;

/// Ignore files of git and of searches, in any directory.
const IGNORE_FILES: [&str; 3] = [".gitignore", ".ignore", ".git/info/exclude"];

/// Most threads of one walk; more would wait for the same disk.
const MOST_WALKERS: usize = 12;

/// See the module's documentation. It contains hidden files and the targets of links, but nothing that git ignores.
pub struct Tree {
    /// The concatenated relative paths.
    text: String,
    entries: Vec<Entry>,
    stamps: Vec<Stamp>,
    /// Whether the walk ended before a change could go unnoticed.
    settled: bool,
}

/// The position of a path in the text.
#[derive(Clone, Copy)]
pub struct Entry {
    start: u32,
    /// Start of the file name.
    name: u32,
    end: u32,
    /// Whether it is a directory or a link to one.
    pub directory: bool,
}

impl Tree {
    /// Walks the directory `root` and collects up to `most` entries.
    #[expect(clippy::disallowed_methods, reason = "compared with the times of files, which follow the same clock")]
    pub fn walk(root: &Path, most: usize, progress: &Progress) -> Self {
        let start = SystemTime::now();
        // Parent directories affect the ignore rules, and a link would hide them.
        let named = Stamp::take(root, What::Presence);
        let real = root.canonicalize();
        let root = real.as_deref().unwrap_or(root);
        let around = around(root).into_iter().chain([named]).collect();
        let tree = Self { text: String::new(), entries: Vec::new(), stamps: around, settled: true };
        let found = Mutex::new(tree);
        let ignored = Ignored::around(root);
        let mut walker = WalkBuilder::new(root);
        walker.standard_filters(false).follow_links(true).filter_entry(move |entry| !ignored.contains(entry));
        let visit = |entry| {
            progress.tick();
            let stamps = stamps(&entry);
            let mut tree = found.lock().unwrap_or_else(PoisonError::into_inner);
            tree.stamps.extend(stamps);
            match entry {
                Ok(entry) if entry.depth() > 0 => tree.add(root, &entry, most),
                // The root itself, or an unreadable entry, which is skipped.
                _ => WalkState::Continue,
            }
        };
        // The parallel walk panics if it cannot start its threads.
        match startable_threads(processors().min(MOST_WALKERS)) {
            0 | 1 => _ = walker.build().map(visit).find(|state| *state == WalkState::Quit),
            threads => walker.threads(threads).build_parallel().run(|| Box::new(visit)),
        }
        let mut tree = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        tree.settled = !tree.stamps.iter().any(|stamp| stamp.is_unsettled(start));
        tree
    }

    fn add(&mut self, root: &Path, entry: &DirEntry, most: usize) -> WalkState {
        let path = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_string_lossy();
        let (start, end) = (self.text.len(), self.text.len() + path.len());
        let (Ok(start), Ok(end)) = (u32::try_from(start), u32::try_from(end)) else { return WalkState::Quit };
        if self.entries.len() == most {
            log::warn!("{} has more than {most} files; searches find only some of them", root.display());
            return WalkState::Quit;
        }
        let name = start + path.rfind('/').map_or(0, |slash| slash as u32 + 1);
        self.text.push_str(&path);
        let directory = entry.file_type().is_some_and(|kind| kind.is_dir());
        self.entries.push(Entry { start, name, end, directory });
        WalkState::Continue
    }

    /// Whether another walk would find the same.
    pub fn is_current(&self) -> bool {
        self.settled
            && in_parts(&self.stamps, |stamps| stamps.iter().all(Stamp::is_current)).into_iter().all(|current| current)
    }

    /// All entries, unordered.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The path of an entry relative to the root.
    pub fn path(&self, entry: Entry) -> &str {
        &self.text[entry.start as usize..entry.end as usize]
    }

    /// The file name of an entry.
    pub fn name(&self, entry: Entry) -> &str {
        &self.text[entry.name as usize..entry.end as usize]
    }

    /// Size in memory, in bytes.
    pub fn bytes(&self) -> usize {
        let stamps: usize = self.stamps.iter().map(Stamp::bytes).sum();
        size_of::<Self>() + self.text.capacity() + self.entries.capacity() * size_of::<Entry>() + stamps
    }
}

/// The stamps of an entry: what must not change for it to be found again.
fn stamps(entry: &Result<DirEntry, ignore::Error>) -> Vec<Stamp> {
    match entry {
        Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_dir()) => {
            let files = IGNORE_FILES.map(|name| Stamp::take(entry.path().join(name), What::Content));
            // A new ignore file changes its directory.
            let files = files.into_iter().filter(Stamp::is_present);
            [Stamp::take(entry.path(), What::Content)].into_iter().chain(files).collect()
        }
        // The target of a link can appear or disappear elsewhere.
        Ok(entry) if entry.path_is_symlink() => vec![Stamp::take(entry.path(), What::Presence)],
        Ok(_) => Vec::new(),
        Err(error) => path_of(error).map(|path| Stamp::take(path, What::Content)).into_iter().collect(),
    }
}

/// Ignore files outside `root` that apply to it: those of parent directories and the user's own.
fn around(root: &Path) -> Vec<Stamp> {
    let above = root.ancestors().skip(1).flat_map(|directory| {
        let files = IGNORE_FILES.map(|name| Stamp::take(directory.join(name), What::Content));
        files.into_iter().chain([Stamp::take(directory.join(".git"), What::Presence)])
    });
    let users = ignored::configurations().into_iter().flatten().chain(ignored::list_of_the_user());
    above.chain(users.map(|file| Stamp::take(file, What::Content))).collect()
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;

    struct Fixture(tempfile::TempDir);

    impl Fixture {
        fn with(files: &[&str]) -> Self {
            let fixture = Self(tempfile::tempdir().unwrap());
            files.iter().for_each(|file| fixture.write(file, ""));
            fixture
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            fs::write(self.path(name), text).unwrap();
        }

        fn walk(&self) -> Tree {
            Tree::walk(self.0.path(), 1000, &Progress::default())
        }

        fn found(&self) -> Vec<String> {
            let tree = self.walk();
            let mut found: Vec<String> = tree.entries().iter().map(|entry| tree.path(*entry).to_owned()).collect();
            found.sort_unstable();
            found
        }

        /// A tree whose stamps have settled.
        fn settled(&self) -> Tree {
            std::thread::sleep(TWO_TICKS);
            let tree = self.walk();
            assert!(tree.is_current());
            tree
        }
    }

    type Change = fn(&Fixture);

    const TWO_TICKS: Duration = Duration::from_millis(100);

    #[test]
    fn hidden_files_are_found_and_ignored_ones_only_outside_of_repositories() {
        let fixture = Fixture::with(&[".hidden/a", "sub/built", "sub/b"]);
        fixture.write(".gitignore", "built\n");
        symlink("sub", fixture.path("link")).unwrap();
        symlink("nowhere", fixture.path("dangling")).unwrap();
        let all = [".gitignore", ".hidden", ".hidden/a", "link", "link/b", "link/built", "sub", "sub/b", "sub/built"];
        assert_eq!(fixture.found(), all);
        // An empty one stands in while a confined command runs, and is no repository.
        fs::create_dir(fixture.path(".git")).unwrap();
        assert_eq!(fixture.found(), [&[".git"][..], &all].concat());
        fixture.write(".git/HEAD", "");
        let found = [".git", ".git/HEAD", ".gitignore", ".hidden", ".hidden/a", "link", "link/b", "sub", "sub/b"];
        assert_eq!(fixture.found(), found);
    }

    #[test]
    fn every_change_of_names_is_noticed() {
        let fixture = Fixture::with(&["sub/deep/a", ".git/HEAD"]);
        symlink("elsewhere", fixture.path("link")).unwrap();
        let changes: [(&str, Change); 6] = [
            ("a file came", |fixture| fixture.write("sub/deep/b", "")),
            ("a file went", |fixture| fs::remove_file(fixture.path("sub/deep/a")).unwrap()),
            ("a directory got another name", |fixture| fs::rename(fixture.path("sub"), fixture.path("bus")).unwrap()),
            ("something became ignored", |fixture| fixture.write("bus/.gitignore", "b\n")),
            ("something else became ignored", |fixture| fixture.write("bus/.gitignore", "deep\n")),
            ("a link leads somewhere", |fixture| fixture.write("elsewhere", "")),
        ];
        for (what, change) in changes {
            let tree = fixture.settled();
            change(&fixture);
            assert!(!tree.is_current(), "{what}");
        }
    }

    #[test]
    fn a_tree_that_has_just_changed_is_not_trusted() {
        // If the machine pauses between the change and the walk, the tree is trusted for a good reason.
        let is_trusted = || Fixture::with(&["a"]).walk().is_current();
        assert!((0..100).any(|_| !is_trusted()), "a second change in the same tick would look the same");
    }

    #[test]
    fn writing_a_file_changes_no_names() {
        let fixture = Fixture::with(&["a"]);
        let tree = fixture.settled();
        fixture.write("a", "text");
        assert!(tree.is_current());
    }

    #[test]
    fn the_number_of_entries_is_bounded() {
        let fixture = Fixture::with(&["a", "b", "c"]);
        assert_eq!(Tree::walk(fixture.0.path(), 2, &Progress::default()).entries().len(), 2);
    }

    #[test]
    fn what_is_not_there_has_no_names_until_it_comes() {
        let fixture = Fixture::with(&[]);
        std::thread::sleep(TWO_TICKS);
        let tree = Tree::walk(&fixture.path("no"), 10, &Progress::default());
        assert!(tree.entries().is_empty() && tree.is_current());
        fixture.write("no/file", "");
        assert!(!tree.is_current());
    }
}
