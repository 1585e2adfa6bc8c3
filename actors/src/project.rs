//! Where a project is, and which of its files may be read for a model.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// Whether `path` marks its directory as the root of a project. An empty directory does not: while a confined command
/// runs, one stands in for each protected name that does not exist.
pub fn is_project_marker(path: &Path) -> bool {
    match path.read_dir() {
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => path.exists(),
    }
}

/// The folders of the project around `cwd`, from there up to the root, which holds one of `root_markers`. Without a
/// project only `cwd` counts.
pub fn project_folders<'a>(cwd: &'a Path, root_markers: &[String]) -> Vec<&'a Path> {
    let is_root = |folder: &Path| root_markers.iter().any(|marker| is_project_marker(&folder.join(marker)));
    let depth = cwd.ancestors().position(is_root).unwrap_or(0);
    cwd.ancestors().take(depth + 1).collect()
}

/// Where the links of a project may lead. The commands of a model can write links into a project; they must not choose what
/// this process, which may read more than they, reads for the model.
#[derive(Debug)]
pub struct Bounds {
    /// The root of the project, without links.
    root: PathBuf,
    /// `$CODEX_HOME`, without links, unless the project lies in it.
    codex_home: Option<PathBuf>,
}

impl Bounds {
    /// The bounds of the project at `root`; `None` if that does not exist.
    pub fn of(root: &Path, codex_home: &Path) -> Option<Self> {
        let root = root.canonicalize().ok()?;
        let codex_home = codex_home.canonicalize().ok().filter(|home| !root.starts_with(home));
        Some(Self { root, codex_home })
    }

    /// Whether the open file lies in the project and is of the kind that its name at `path` promises.
    pub fn contain(&self, file: &File, path: &Path) -> bool {
        // What was opened, whatever the path leads to by now.
        let Ok(real) = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())) else { return false };
        self.hold(&real) && real.extension() == path.extension()
    }

    /// Whether a path without links lies in the project.
    pub fn hold(&self, real: &Path) -> bool {
        real.starts_with(&self.root) && !self.codex_home.as_ref().is_some_and(|home| real.starts_with(home))
    }
}
