//! The file system of a confined command: everything is read-only except the writable roots.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount, mount_bind, mount_change, move_mount,
    open_tree,
};

use super::{NotConfined, devices};
use crate::order::Confinement;
use crate::sys;

/// Read-only names in each writable root: their content runs later outside the sandbox (hooks), or configures the next
/// sandbox (project settings).
const PROTECTED: [&str; 2] = [".git", ".codex"];

/// Sets up the file system for `confinement`. Returns the writable paths that exist.
pub fn arrange(confinement: &Confinement) -> Result<Vec<PathBuf>, NotConfined> {
    let roots = existing(&confinement.writable);
    if roots.iter().any(|root| root == Path::new("/")) {
        return Err(NotConfined::because("writable roots")("`/` leaves nothing to confine; ask for dangerFullAccess"));
    }
    let protected = protected(&roots, &confinement.read_only)?;
    lay_out(&roots, &protected, &existing(&confinement.hidden)).map_err(NotConfined::because("mounts"))?;
    devices::replace().map_err(NotConfined::because("/dev"))?;
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    // Read-only as a whole, because root owns the files in /proc/sys.
    mount("proc", "/proc", "proc", flags, None).map_err(NotConfined::because("/proc"))?;
    Ok(roots)
}

fn lay_out(roots: &[PathBuf], protected: &[PathBuf], hidden: &[PathBuf]) -> io::Result<()> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let mut trees = Vec::new();
    for (path, access) in layers(roots, protected) {
        let tree = tree(path)?;
        if access == Access::Read {
            sys::make_read_only(tree.as_fd())?;
        }
        trees.push((tree, path));
    }
    sys::make_read_only(plain_file::open_directory(Path::new("/"))?.as_fd())?;
    for (tree, path) in trees {
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

/// Access to a part of the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// The mounts over the read-only file system, outer paths before inner ones, so that the innermost wins. Besides roots
/// and protected paths they include every directory in between: a mount point cannot be renamed, so a protected path
/// cannot be moved away with its parent and replaced.
fn layers<'a>(roots: &'a [PathBuf], protected: &'a [PathBuf]) -> BTreeMap<&'a Path, Access> {
    let between = protected.iter().flat_map(|path| path.ancestors().skip(1));
    let between = between.filter(|directory| roots.iter().any(|root| directory.starts_with(root)));
    let writable = roots.iter().map(PathBuf::as_path).chain(between).map(|path| (path, Access::Write));
    writable.chain(protected.iter().map(|path| (path.as_path(), Access::Read))).collect()
}

/// Clones the mount tree at `path`.
fn tree(path: &Path) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    Ok(open_tree(pin(path)?, "", flags | OpenTreeFlags::AT_EMPTY_PATH)?)
}

fn lay(tree: &OwnedFd, path: &Path) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(move_mount(tree, "", pin(path)?, "", flags)?)
}

/// Opens a path that was found to have no symbolic links. If another confined command has inserted one since, it must
/// not choose what this one may write.
fn pin(path: &Path) -> io::Result<OwnedFd> {
    Ok(openat2(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_SYMLINKS)?)
}

/// The existing ones of `paths`, with symbolic links resolved.
fn existing(paths: &[PathBuf]) -> Vec<PathBuf> {
    paths.iter().filter_map(|path| path.canonicalize().ok()).collect()
}

/// The paths that must be read-only inside writable roots.
fn protected(roots: &[PathBuf], read_only: &[PathBuf]) -> Result<Vec<PathBuf>, NotConfined> {
    let mut protected = existing(read_only);
    for root in roots {
        for name in PROTECTED {
            let path = root.join(name);
            match path.symlink_metadata() {
                // A link cannot be a mount point, so the link itself could be replaced.
                Ok(metadata) if metadata.is_symlink() => {
                    let cause = format!("{} is a symbolic link, which cannot be kept read-only", path.display());
                    return Err(NotConfined::because("writable roots")(cause));
                }
                Ok(metadata) if metadata.is_file() => {
                    protected.extend(git_directory(root, &path));
                    protected.push(path);
                }
                Ok(_) => protected.push(path),
                // It may be created: `git init` is a command like others.
                Err(_) => {}
            }
        }
    }
    // Everything elsewhere is read-only anyway. A path that is or contains a root is meant to be writable.
    protected.retain(|path| roots.iter().any(|root| path.starts_with(root)));
    protected.sort();
    protected.dedup();
    Ok(protected)
}

/// Bytes of a `.git` file: `gitdir: ` and a path.
const LONGEST_LINK: usize = 8192;

/// The target of a `.git` file: the repository of a worktree or a submodule.
fn git_directory(root: &Path, file: &Path) -> Option<PathBuf> {
    let text = plain_file::read_to_string(file, LONGEST_LINK).ok()?;
    root.join(text.strip_prefix("gitdir:")?.trim()).canonicalize().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        let (git, roots) = (root.join(".git"), [root.clone()]);
        assert_eq!(protected(&roots, &[PathBuf::from("/etc")]).unwrap(), vec![git.clone()]);
        assert_eq!(protected(&roots, &roots).unwrap(), [root, git]);
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
    fn what_lies_between_a_root_and_what_is_protected_cannot_be_moved() {
        let roots = ["/tmp", "/tmp/a/b/inner"].map(PathBuf::from);
        let protected = [PathBuf::from("/tmp/a/b/inner/.git")];
        let (read, write) = (Access::Read, Access::Write);
        let writable = ["/tmp", "/tmp/a", "/tmp/a/b", "/tmp/a/b/inner"].map(|path| (Path::new(path), write));
        let expected = writable.into_iter().chain([(Path::new("/tmp/a/b/inner/.git"), read)]);
        assert_eq!(layers(&roots, &protected), expected.collect());
    }

    #[test]
    fn what_is_both_is_protected() {
        let home = [PathBuf::from("/home/c")];
        assert_eq!(layers(&home, &home)[Path::new("/home/c")], Access::Read);
    }

    #[test]
    fn a_link_in_its_place_is_refused() {
        let (_kept, root) = in_root(|root| std::os::unix::fs::symlink("/tmp", root.join(".git")).unwrap());
        assert!(protected(&[root], &[]).unwrap_err().to_string().ends_with("cannot be kept read-only"));
    }
}
