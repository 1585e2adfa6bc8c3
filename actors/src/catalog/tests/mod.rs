//! Tests of the catalog.

mod actor;
mod answers;
mod threads;
mod write;

use std::fs;
use std::path::PathBuf;

use super::CatalogSources;
use super::reader::Reader;

/// What the catalog reads, over a home of its own. In texts `WORK` stands for its working directory, and `HOME` for the
/// home.
struct Home {
    dir: tempfile::TempDir,
    reader: Reader,
}

impl Home {
    fn empty() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        fs::create_dir(dir.path().join("work")).unwrap();
        let reader = Reader::new(sources(&dir).into());
        Self { dir, reader }
    }

    fn with(config: &str) -> Self {
        let home = Self::empty();
        fs::write(home.path("home/config.toml"), home.expanded(config)).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn expanded(&self, text: &str) -> String {
        let path = |name| self.path(name).display().to_string();
        text.replace("HOME", &path("home")).replace("WORK", &path("work"))
    }
}

fn sources(dir: &tempfile::TempDir) -> CatalogSources {
    let mut sources = CatalogSources::new(dir.path().join("home"), dir.path().join("work"));
    sources.system_config = dir.path().join("home/system.toml");
    sources
}
