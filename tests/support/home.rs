//! A `CODEX_HOME` that lives as long as somebody holds it, so that several servers in a row can share it.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

/// A directory of its own for every test; clones share it.
#[derive(Clone)]
pub struct Home(Arc<TempDir>);

impl Home {
    /// An empty home.
    pub fn new() -> Self {
        Self(Arc::new(tempfile::Builder::new().prefix("home").tempdir().expect("a temporary directory")))
    }

    /// A home whose `config.toml` says `text`.
    pub fn with_config(text: &str) -> Self {
        let home = Self::new();
        fs::write(home.path().join("config.toml"), text).expect("config.toml is written");
        home
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A path inside the home.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Where `unix://` listens.
    pub fn control_socket(&self) -> PathBuf {
        self.join("app-server-control/app-server-control.sock")
    }

    /// Every file and directory in it, at any depth.
    pub fn everything(&self) -> Vec<PathBuf> {
        everything_in(self.path())
    }

    /// The SQLite file that a server has made in this home; the only one, whatever it is called.
    pub fn database(&self) -> PathBuf {
        let is_database = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "sqlite");
        let mut found: Vec<PathBuf> = everything_in(self.path()).into_iter().filter(is_database).collect();
        assert_eq!(found.len(), 1, "one database, found {found:?}");
        found.remove(0)
    }

    /// Makes the user with this id the owner of the home and of everything in it.
    pub fn give_to(&self, user: u32) {
        for path in everything_in(self.path()).iter().map(PathBuf::as_path).chain([self.path()]) {
            chown(path, Some(user), Some(user)).expect("root may give things away");
        }
    }
}

fn everything_in(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a readable directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(everything_in(&path));
        }
        found.push(path);
    }
    found
}
