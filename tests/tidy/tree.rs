//! The files of this repository.

use std::fs;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

/// The folder that holds the workspace's `Cargo.toml`.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One file, with its path relative to [`root`].
pub struct File {
    /// With `/` between its parts.
    pub path: String,
    pub text: String,
}

/// Every text file of the repository that git does not ignore.
pub fn files() -> Vec<File> {
    // Also where the tree is no checkout, so that nothing below `target` is read.
    let walk = WalkBuilder::new(root())
        .hidden(false)
        .require_git(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    let paths = walk.map(|entry| entry.expect("the tree can be walked").into_path());
    paths.filter(|path| path.is_file()).filter_map(|path| read(&path)).collect()
}

/// Those of [`files`] whose name ends in `extension`.
pub fn files_with(extension: &str) -> impl Iterator<Item = File> {
    files().into_iter().filter(move |file| Path::new(&file.path).extension().is_some_and(|it| it == extension))
}

/// `None` for a file that is not text, such as a seed of the fuzzer.
fn read(path: &PathBuf) -> Option<File> {
    let relative = path.strip_prefix(root()).expect("a file of the tree");
    Some(File { path: relative.to_str()?.to_owned(), text: fs::read_to_string(path).ok()? })
}

/// Panics with one line for each fault, if there are any.
pub fn refuse(faults: &[String], what: &str) {
    assert!(faults.is_empty(), "{what}:\n  {}", faults.join("\n  "));
}
