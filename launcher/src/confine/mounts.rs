//! The file system as a confined command sees it: everything read-only, and the writable roots laid over it.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::CWD;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount, mount_bind, mount_change, move_mount,
    open_tree,
};

use super::{NotConfined, devices};
use crate::order::Confinement;
use crate::sys;

/// What stays read-only in each writable root: what is in there runs later, outside of the sandbox (hooks), or says how
/// the next sandbox is made (project settings).
const PROTECTED: [&str; 2] = [".git", ".codex"];

/// Lays the file system out for `confinement`. The writable paths that there are come back.
pub fn arrange(confinement: &Confinement) -> Result<Vec<PathBuf>, NotConfined> {
    let roots = existing(&confinement.writable);
    if roots.iter().any(|root| root == Path::new("/")) {
        return Err(NotConfined::because("writable roots")("`/` leaves nothing to confine; ask for dangerFullAccess"));
    }
    let protected = protected(&roots, &confinement.read_only)?;
    lay_out(&roots, &protected, &existing(&confinement.hidden)).map_err(NotConfined::because("mounts"))?;
    devices::replace().map_err(NotConfined::because("/dev"))?;
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    // Read-only as a whole: for root, files in /proc/sys are its own.
    mount("proc", "/proc", "proc", flags, None).map_err(NotConfined::because("/proc"))?;
    Ok(roots)
}

fn lay_out(roots: &[PathBuf], protected: &[PathBuf], hidden: &[PathBuf]) -> io::Result<()> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    // A root inside another one is writable with it.
    let outer = roots.iter().filter(|root| !roots.iter().any(|other| other != *root && root.starts_with(other)));
    let writable = outer.map(|root| Ok((tree(root)?, root.as_path()))).collect::<io::Result<Vec<_>>>()?;
    sys::make_read_only(open_root()?.as_fd())?;
    for (tree, root) in writable {
        lay(&tree, root)?;
    }
    for path in protected {
        let tree = tree(path)?;
        sys::make_read_only(tree.as_fd())?;
        lay(&tree, path)?;
    }
    for path in hidden {
        if path.is_dir() {
            mount("none", path, "tmpfs", MountFlags::RDONLY, Some(c"size=0,mode=000"))?;
        } else {
            mount_bind("/dev/null", path)?;
        }
    }
    Ok(())
}

fn open_root() -> io::Result<OwnedFd> {
    Ok(fs::File::open("/")?.into())
}

/// A copy of what is mounted at `path` and below.
fn tree(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    Ok(open_tree(CWD, path, flags)?)
}

fn lay(tree: &OwnedFd, path: &Path) -> io::Result<()> {
    Ok(move_mount(tree, "", CWD, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?)
}

/// Those of `paths` that exist, without symbolic links.
fn existing(paths: &[PathBuf]) -> Vec<PathBuf> {
    paths.iter().filter_map(|path| path.canonicalize().ok()).collect()
}

/// What must stay read-only although it lies in a writable root.
fn protected(roots: &[PathBuf], read_only: &[PathBuf]) -> Result<Vec<PathBuf>, NotConfined> {
    let mut protected = existing(read_only);
    for root in roots {
        for name in PROTECTED {
            let path = root.join(name);
            match path.symlink_metadata() {
                // The link itself could be replaced, because nothing can be mounted on it.
                Ok(metadata) if metadata.is_symlink() => {
                    let cause = format!("{} is a symbolic link, which cannot be kept read-only", path.display());
                    return Err(NotConfined::because("writable roots")(cause));
                }
                Ok(metadata) if metadata.is_file() => {
                    protected.extend(git_directory(root, &path));
                    protected.push(path);
                }
                Ok(_) => protected.push(path),
                // It may be made: `git init` is a command like others.
                Err(_) => {}
            }
        }
    }
    // Elsewhere everything is read-only anyway. A path that is a root itself, or holds one, is asked to be writable.
    protected.retain(|path| roots.iter().any(|root| path.starts_with(root)));
    protected.sort();
    protected.dedup();
    Ok(protected)
}

/// Where a `.git` file points to: the repository of a worktree or a submodule.
fn git_directory(root: &Path, file: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    root.join(text.strip_prefix("gitdir:")?.trim()).canonicalize().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_root(make: impl FnOnce(&Path)) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        make(directory.path());
        let root = directory.path().canonicalize().unwrap();
        (directory, root)
    }

    #[test]
    fn git_directories_stay_read_only() {
        let (_kept, root) = in_root(|root| fs::create_dir(root.join(".git")).unwrap());
        let outside = PathBuf::from("/etc");
        assert_eq!(protected(&[root.clone()], &[outside]).unwrap(), [root.join(".git")]);
        assert_eq!(protected(&[root.clone()], &[root.clone()]).unwrap(), [root.clone(), root.join(".git")]);
    }

    #[test]
    fn so_does_the_repository_of_a_worktree() {
        let (_kept, root) = in_root(|root| {
            fs::create_dir_all(root.join("main/.git/worktrees/w")).unwrap();
            fs::write(root.join(".git"), "gitdir: main/.git/worktrees/w\n").unwrap();
        });
        let expected = [root.join(".git"), root.join("main/.git/worktrees/w")];
        assert_eq!(protected(&[root], &[]).unwrap(), expected);
    }

    #[test]
    fn a_link_in_its_place_is_refused() {
        let (_kept, root) = in_root(|root| std::os::unix::fs::symlink("/tmp", root.join(".git")).unwrap());
        assert!(protected(&[root], &[]).unwrap_err().to_string().ends_with("cannot be kept read-only"));
    }
}
