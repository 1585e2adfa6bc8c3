//! The directories in which a watched path can change, and the translation of their changes into the client's paths.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// A real directory (without links in its path), and the entries that matter to a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The directory.
    pub directory: PathBuf,
    /// The entry that matters; `None` for the directory itself and all its entries.
    entry: Option<OsString>,
}

/// The anchors of `path`: the directory of its name, the target of a link, and the entries of a directory. For a
/// missing path, the directory in which its first missing part would appear.
///
/// # Errors
/// The error of the operating system for an impossible path.
pub fn anchors(path: &Path) -> io::Result<Vec<Anchor>> {
    let mut found = Vec::new();
    let real = match path.canonicalize() {
        Ok(real) => Some(real),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
        Err(e) => return Err(e),
    };
    found.extend(place(path));
    if let Some(real) = real {
        // The target of a link; for anything else the same directory again.
        found.extend(place(&real).filter(|place| !found.contains(place)));
        if real.is_dir() {
            found.push(Anchor { directory: real, entry: None });
        }
    }
    Ok(found)
}

/// The directory of `path`, or of its first missing part.
fn place(path: &Path) -> Option<Anchor> {
    path.ancestors().find_map(|part| {
        let directory = part.parent()?.canonicalize().ok().filter(|parent| parent.is_dir())?;
        Some(Anchor { directory, entry: Some(part.file_name()?.to_owned()) })
    })
}

impl Anchor {
    /// The client's path for a change of the real path `changed`, if it matters to the watched path `watched`.
    pub fn translate(&self, changed: &Path, watched: &Path) -> Option<PathBuf> {
        let below = changed.strip_prefix(&self.directory).ok()?;
        let Some(entry) = &self.entry else {
            // `join` with an empty path would add a slash.
            return Some(if below.as_os_str().is_empty() { watched.to_owned() } else { watched.join(below) });
        };
        (below == Path::new(entry)).then(|| watched.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_path_is_told_as_the_client_named_it() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir(root.join("real")).unwrap();
        symlink("real", root.join("link")).unwrap();
        let watched = root.join("link");
        let told = |changed: &str| {
            let anchors = anchors(&watched).unwrap();
            anchors.iter().find_map(|anchor| anchor.translate(&root.join(changed), &watched))
        };
        assert_eq!(told("link"), Some(watched.clone()));
        assert_eq!(told("real"), Some(watched.clone()));
        assert_eq!(told("real/file"), Some(watched.join("file")));
        assert_eq!(told("other"), None);
    }

    #[test]
    fn what_is_missing_is_awaited_where_it_would_appear() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let expected = Anchor { directory: root.clone(), entry: Some("no".into()) };
        assert_eq!(anchors(&root.join("no/such/file")).unwrap(), [expected]);
        assert!(anchors(&root.join("x".repeat(5000))).is_err());
    }
}
