//! The directories in which a watched path can change, and how what happens there is told in the client's words.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// A real directory (no part of its path is a link), and what in it matters to a watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The directory.
    pub directory: PathBuf,
    /// The one entry that matters, or all of them and the directory itself.
    entry: Option<OsString>,
}

/// The anchors of `path`: where its name stands, where it leads if it is a link, and its entries if it is a directory.
/// Of a path that does not exist, the place where the first missing part would appear.
///
/// # Errors
/// As the operating system says, for a path that it could never have.
pub fn anchors(path: &Path) -> io::Result<Vec<Anchor>> {
    let mut found = Vec::new();
    let real = match path.canonicalize() {
        Ok(real) => Some(real),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
        Err(e) => return Err(e),
    };
    found.extend(place(path));
    if let Some(real) = real {
        // Where a link leads; for what is no link this is the same place once more.
        found.extend(place(&real).filter(|place| !found.contains(place)));
        if real.is_dir() {
            found.push(Anchor { directory: real, entry: None });
        }
    }
    Ok(found)
}

/// Where the name of `path` stands, or of its first part that does not exist.
fn place(path: &Path) -> Option<Anchor> {
    path.ancestors().find_map(|part| {
        let directory = part.parent()?.canonicalize().ok().filter(|parent| parent.is_dir())?;
        Some(Anchor { directory, entry: Some(part.file_name()?.to_owned()) })
    })
}

impl Anchor {
    /// What a change of the real path `changed` means for the watched path `watched`, if anything.
    pub fn translate(&self, changed: &Path, watched: &Path) -> Option<PathBuf> {
        let below = changed.strip_prefix(&self.directory).ok()?;
        let Some(entry) = &self.entry else {
            // `join` of nothing would add a slash.
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
