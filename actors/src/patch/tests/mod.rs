//! Tests of whole patches, from the text to the files.

mod format;
mod random;
mod refusals;
mod shown;
mod speed;
mod updates;
mod writing;

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// What git would show of these patches, one after the other.
fn git_diff<'a>(patches: impl IntoIterator<Item = &'a Planned>, root: &Path) -> String {
    let mut patched = Patched::new(usize::MAX);
    patches.into_iter().for_each(|planned| patched.add(planned));
    patched.git_diff(root).unwrap()
}

/// A folder with files, in which patches are applied.
struct Work(tempfile::TempDir);

impl Work {
    fn with(files: &[(&str, &str)]) -> Self {
        let work = Self(tempfile::tempdir().unwrap());
        for (name, content) in files {
            work.put(name, content.as_bytes());
        }
        work
    }

    fn put(&self, name: &str, content: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The folder, without symbolic links.
    fn root(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn plan(&self, operations: &str) -> Result<Planned, String> {
        let bounds = Bounds::default();
        let patch = parse(&whole(operations), &bounds).map_err(|error| error.to_string())?;
        plan(&patch, &self.root(), &bounds).map_err(|error| error.to_string())
    }

    /// Plans and writes: the summary without its first line.
    fn apply(&self, operations: &str) -> Result<String, String> {
        let planned = self.plan(operations)?;
        planned.write().map_err(|error| error.to_string())?;
        let summary = planned.summary();
        Ok(summary.strip_prefix("Success. Updated the following files:\n").unwrap().to_owned())
    }

    /// Every file with its content, and every folder with a `/`, by name.
    fn all(&self) -> Vec<(String, String)> {
        let (mut all, mut folders) = (Vec::new(), vec![self.root()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(self.root()).unwrap().display().to_string();
                if path.is_dir() && !path.is_symlink() {
                    all.push((format!("{name}/"), String::new()));
                    folders.push(path);
                } else {
                    let content = fs::read(&path).unwrap_or_default();
                    all.push((name, String::from_utf8_lossy(&content).into_owned()));
                }
            }
        }
        all.sort();
        all
    }

    /// Asserts that there are these files, and nothing else but their folders.
    fn assert_holds(&self, files: &[(&str, &str)]) {
        let all = self.all();
        let all: Vec<(&str, &str)> = all.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let found: Vec<_> = all.into_iter().filter(|(name, _)| !name.ends_with('/')).collect();
        assert_eq!(found, files);
    }
}

fn whole(operations: &str) -> String {
    format!("*** Begin Patch\n{operations}*** End Patch\n")
}
