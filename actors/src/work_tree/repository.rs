//! Where a repository keeps what is needed of it; see gitrepository-layout(5).

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bytes of a file that holds nothing but a path at most.
const PATH_BYTES: usize = 8192;

/// What a process sees in place of users and groups that its user namespace does not have.
const NOBODY: u32 = 65_534;

/// The places of a repository.
pub(super) struct Repository {
    /// The work tree.
    pub(super) root: PathBuf,
    /// Its folder, `.git` or what that leads to.
    pub(super) git_dir: PathBuf,
    /// The index; it need not exist.
    pub(super) index: PathBuf,
    /// The objects, which it may share with other work trees.
    pub(super) objects: PathBuf,
    /// It belongs to somebody whom this process cannot name, so the owners in the index say nothing.
    pub(super) has_nameless_owner: bool,
}

impl Repository {
    /// The repository of the work tree at `root`.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn of(root: &Path) -> io::Result<Self> {
        let named = root.join(".git");
        let git_dir = if named.is_dir() { named } else { root.join(leads_to(&named)?) };
        let common = match plain_file::read_to_string(&git_dir.join("commondir"), PATH_BYTES) {
            Ok(path) => git_dir.join(path.trim_end()),
            Err(_) => git_dir.clone(),
        };
        let objects = common.join("objects").canonicalize()?;
        let owner = root.metadata()?;
        let has_nameless_owner = owner.uid() == NOBODY || owner.gid() == NOBODY;
        Ok(Self { root: root.to_owned(), has_nameless_owner, index: git_dir.join("index"), git_dir, objects })
    }
}

/// Where a `.git` file leads to, in a work tree besides the first one and in a submodule.
fn leads_to(file: &Path) -> io::Result<PathBuf> {
    let text = plain_file::read_to_string(file, PATH_BYTES)?;
    let path = text.strip_prefix("gitdir:").ok_or_else(|| io::Error::other("the file .git names no repository"))?;
    Ok(PathBuf::from(path.trim()))
}
