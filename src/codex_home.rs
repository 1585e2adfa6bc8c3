//! `$CODEX_HOME`: the directory of the agent's state, shared with the reference program.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use rustix::{fs::Mode, process::umask};

/// Why there is no home directory. The texts are the reference program's.
#[derive(Debug, thiserror::Error)]
pub enum CodexHomeError {
    /// `$CODEX_HOME` does not exist.
    #[error("failed to resolve CODEX_HOME: CODEX_HOME points to {0:?}, but that path does not exist")]
    Missing(PathBuf),
    /// `$CODEX_HOME` is not a directory.
    #[error("failed to resolve CODEX_HOME: CODEX_HOME points to {0:?}, but that path is not a directory")]
    NotADirectory(PathBuf),
    /// `$CODEX_HOME` cannot be read.
    #[error("failed to resolve CODEX_HOME: failed to read CODEX_HOME {0:?}: {1}")]
    Unreadable(PathBuf, io::Error),
    /// `$CODEX_HOME` is not set, and the user has no home directory.
    #[error("failed to resolve CODEX_HOME: could not find the home directory; set CODEX_HOME")]
    NoUserHome,
    /// The default directory is a link that leads nowhere.
    #[error("{0:?} is a link to {1:?}, which does not exist; create that directory, or set CODEX_HOME")]
    Dangling(PathBuf, PathBuf),
    /// The default directory is something else.
    #[error("{0:?} is not a directory; move it away, or set CODEX_HOME")]
    Occupied(PathBuf),
    /// The default directory cannot be created.
    #[error("failed to create {0:?}: {1}; create it, or set CODEX_HOME")]
    Uncreatable(PathBuf, io::Error),
}

/// The directory named by `$CODEX_HOME`, which must exist, or else `~/.codex`, which need not exist yet.
pub fn find() -> Result<PathBuf, CodexHomeError> {
    match std::env::var_os("CODEX_HOME").filter(|value| !value.is_empty()) {
        Some(named) => resolve(Path::new(&named)),
        None => Ok(std::env::home_dir().ok_or(CodexHomeError::NoUserHome)?.join(".codex")),
    }
}

fn resolve(named: &Path) -> Result<PathBuf, CodexHomeError> {
    let unreadable = |error| CodexHomeError::Unreadable(named.to_owned(), error);
    match fs::metadata(named) {
        Ok(metadata) if metadata.is_dir() => named.canonicalize().map_err(unreadable),
        Ok(_) => Err(CodexHomeError::NotADirectory(named.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(CodexHomeError::Missing(named.to_owned())),
        Err(error) => Err(unreadable(error)),
    }
}

/// Creates `home` with access for its owner only, unless it exists.
pub fn ensure(home: &Path) -> Result<(), CodexHomeError> {
    let made = DirBuilder::new().mode(0o700).recursive(true).create(home);
    made.map_err(|error| obstacle(home).unwrap_or_else(|| CodexHomeError::Uncreatable(home.to_owned(), error)))
}

/// What is in the place of the directory `home` and is none; `None` if it is there or can be made.
pub fn obstacle(home: &Path) -> Option<CodexHomeError> {
    match (fs::read_link(home), fs::metadata(home)) {
        (Ok(target), Err(_)) => Some(CodexHomeError::Dangling(home.to_owned(), target)),
        (_, Ok(metadata)) if !metadata.is_dir() => Some(CodexHomeError::Occupied(home.to_owned())),
        _ => None,
    }
}

/// Leaves this user its own rights on what this program creates. A umask that takes them would make directories and files
/// that it cannot open again. Call it before any thread is started.
pub fn keep_own_rights() {
    let before = umask(Mode::RWXG | Mode::RWXO);
    umask(before - Mode::RWXU);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_the_place_of_the_home_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let (link, file, target) = (dir.path().join("link"), dir.path().join("file"), dir.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        fs::write(&file, "").unwrap();
        let error = ensure(&link).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{link:?} is a link to {target:?}, which does not exist; create that directory, or set CODEX_HOME")
        );
        assert_eq!(
            ensure(&file).unwrap_err().to_string(),
            format!("{file:?} is not a directory; move it away, or set CODEX_HOME")
        );
        fs::create_dir(&target).unwrap();
        ensure(&link).unwrap();
    }

    #[test]
    fn a_named_home_must_be_a_directory() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let missing = dir.path().join("missing");
        assert_eq!(resolve(dir.path()).unwrap(), dir.path().canonicalize().unwrap());
        assert_eq!(
            resolve(&missing).unwrap_err().to_string(),
            format!("failed to resolve CODEX_HOME: CODEX_HOME points to {missing:?}, but that path does not exist")
        );
        assert!(resolve(&file).unwrap_err().to_string().ends_with("but that path is not a directory"));
    }

    #[test]
    fn a_new_home_belongs_to_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join(".codex");
        ensure(&home).unwrap();
        ensure(&home).unwrap();
        assert_eq!(fs::metadata(&home).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
