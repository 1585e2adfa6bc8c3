//! A `CODEX_HOME` that lives as long as somebody holds it, so that several servers in a row can share it.

use std::fs;
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

    /// The SQLite file that a server has made in this home; the only one, whatever it is called.
    pub fn database(&self) -> PathBuf {
        let mut found = Vec::new();
        collect(self.path(), &mut found);
        assert_eq!(found.len(), 1, "one database, found {found:?}");
        found.remove(0)
    }
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a readable directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "sqlite" || e == "sqlite3" || e == "db") {
            found.push(path);
        }
    }
}
