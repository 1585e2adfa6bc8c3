//! The files of a service. Each begins with a line that says who wrote it; files without it are never touched.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use plain_file::Links;

use super::ServiceError;

/// Bytes of such a file; a larger one is not ours.
const LARGEST: usize = 64 * 1024;

/// A file of a service: where it lies, and what is in it.
pub struct ServiceFile {
    /// Its path.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

/// The first words of every file, behind the mark of a comment.
const MARK: &str = "Written by `codex-app-server service install`";

/// The first line of a file whose comments begin with `before` and end with `after`.
pub fn mark(before: &str, after: &str) -> String {
    format!("{before}{MARK}; `service uninstall` removes it.{after}\n")
}

/// Writes all files, or nothing.
///
/// # Errors
/// A file cannot be written, or one that is not ours lies at its path.
pub fn write(files: &[ServiceFile]) -> Result<(), ServiceError> {
    files.iter().try_for_each(|file| must_be_ours(&file.path).map(drop))?;
    for ServiceFile { path, text } in files {
        let about = |error| ServiceError::File { path: path.clone(), error };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(about)?;
        }
        let mut file = plain_file::open_to_write(path, Links::Follow, 0o644).map_err(about)?;
        file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).map_err(about)?;
    }
    Ok(())
}

/// Removes the files that are there. Returns their paths.
///
/// # Errors
/// A file cannot be removed, or is not ours.
pub fn remove(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ServiceError> {
    let mut ours = Vec::new();
    for path in paths {
        if must_be_ours(path)? {
            ours.push(path.clone());
        }
    }
    for path in &ours {
        fs::remove_file(path).map_err(|error| ServiceError::File { path: path.clone(), error })?;
    }
    Ok(ours)
}

/// Whether there is a file at `path`.
///
/// # Errors
/// It is not ours, or cannot be read.
fn must_be_ours(path: &Path) -> Result<bool, ServiceError> {
    match plain_file::read_to_string(path, LARGEST) {
        Ok(text) if text.contains(MARK) => Ok(true),
        Ok(_) => Err(ServiceError::Foreign(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(ServiceError::File { path: path.to_owned(), error }),
    }
}

/// The home directory of the user.
///
/// # Errors
/// `HOME` is not set, or relative.
pub fn home() -> Result<PathBuf, ServiceError> {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    home.ok_or(ServiceError::NoHome)
}
