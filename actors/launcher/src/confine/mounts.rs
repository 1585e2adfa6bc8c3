//! The file system as a confined command sees it: everything read-only, and the writable roots laid over it.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, openat};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    fsconfig_create, fsconfig_set_string, fsmount, fsopen, mount, mount_change, move_mount, open_tree,
};

use super::plan::Plan;
use super::resolve::{Id, open_same, resolve};
use super::{NotConfined, aliases, devices, home};
use crate::sys;

/// Lays the file system out as `plan` says.
pub fn arrange(plan: &Plan, shm_bytes: Option<u64>) -> Result<(), NotConfined> {
    lay_out(plan).map_err(NotConfined::because("mounts"))?;
    devices::replace(shm_bytes).map_err(NotConfined::because("/dev"))?;
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    // Read-only as a whole: for root, files in /proc/sys are its own.
    mount("proc", "/proc", "proc", flags, None).map_err(NotConfined::because("/proc"))
}

/// What is laid at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    /// What is there, and may be written.
    Write(Option<Id>),
    /// What is there, and may be read.
    Read(Id),
    /// An empty directory.
    Empty(Id),
    /// The home without its secrets.
    Home(Id),
    /// Nothing that could be read.
    Hidden(Id),
}

fn lay_out(plan: &Plan) -> io::Result<()> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let layers = layers(plan)?;
    let mut trees = BTreeMap::new();
    for (path, layer) in &layers {
        match layer {
            Layer::Write(id) => drop(trees.insert(path, tree(path, *id)?)),
            Layer::Read(id) => {
                let tree = tree(path, Some(*id))?;
                sys::make_read_only(tree.as_fd())?;
                trees.insert(path, tree);
            }
            Layer::Empty(_) | Layer::Home(_) | Layer::Hidden(_) => {}
        }
    }
    sys::make_read_only(open_same(Path::new("/"), None)?.as_fd())?;
    for (path, layer) in &layers {
        let laid = match layer {
            Layer::Write(id) => lay(&trees[path], path, *id),
            Layer::Read(id) => lay(&trees[path], path, Some(*id)),
            Layer::Empty(id) => lay(&empty(c"755")?, path, Some(*id)),
            Layer::Home(id) => home::lay(path, *id),
            Layer::Hidden(id) => open_same(path, Some(*id)).and_then(|place| hide(&place)),
        };
        // What lies in something hidden, or is not shown of the home, needs no cover of its own.
        if laid.is_err() && (matches!(layer, Layer::Write(_)) || !is_covered(&layers, path)) {
            return laid;
        }
    }
    Ok(())
}

/// What is laid where, each behind what it lies in, so that the innermost one counts. Besides what the plan names that is
/// every directory between a root and what it must not change: what something is mounted on cannot be renamed, and so
/// what is protected cannot be moved away with its directory, and another one be put in its place.
fn layers(plan: &Plan) -> io::Result<BTreeMap<PathBuf, Layer>> {
    let mut layers = BTreeMap::new();
    let aliases = aliases::Aliases::of_this_machine()?;
    let hidden = plan.hidden.iter().map(|pinned| (pinned, Layer::Hidden(pinned.id)));
    let home = plan.home.iter().map(|pinned| (pinned, Layer::Home(pinned.id)));
    let covered = hidden.chain(home).flat_map(|(pinned, layer)| {
        let aliases = aliases.of(&pinned.path, pinned.id);
        aliases.into_iter().chain([pinned.path.clone()]).map(move |path| (path, layer))
    });
    let secrets = plan.home.iter().flat_map(|home| aliases.below(&home.path)).filter_map(|(place, rest)| {
        let name = rest.components().next()?.as_os_str().as_bytes();
        (!home::is_shown(name)).then_some(())?;
        Some((place.clone(), Layer::Hidden(resolve(&place)?.id)))
    });
    let covered: Vec<(PathBuf, Layer)> = covered.chain(secrets).collect();
    let protected = plan.protected.iter().map(|pinned| (pinned.path.clone(), Layer::Read(pinned.id)));
    let empty = plan.placeholders.iter().map(|placeholder| (placeholder.path.clone(), Layer::Empty(placeholder.id)));
    let inner: Vec<(PathBuf, Layer)> = protected.chain(empty).chain(covered).collect();
    let is_writable = |directory: &Path| {
        let within = |path: &&Path| directory.starts_with(path);
        let root = plan.roots.iter().map(|root| root.path.as_path()).filter(within).max();
        let cover = inner.iter().map(|(path, _)| path.as_path()).filter(within).max();
        // Of two that hold the same directory, the one that lies in the other is the longer path, and the greater.
        root.is_some() && cover < root
    };
    for (path, _) in &inner {
        let between = path.ancestors().skip(1).filter(|directory| is_writable(directory));
        layers.extend(between.map(|directory| (directory.to_owned(), Layer::Write(None))));
    }
    layers.extend(plan.roots.iter().map(|root| (root.path.clone(), Layer::Write(Some(root.id)))));
    layers.extend(inner);
    Ok(layers)
}

/// Whether `path` lies in something whose content is not shown as it is.
fn is_covered(layers: &BTreeMap<PathBuf, Layer>, path: &Path) -> bool {
    let covers = |above: &Path| matches!(layers.get(above), Some(Layer::Home(_) | Layer::Hidden(_) | Layer::Empty(_)));
    path.ancestors().skip(1).any(covers)
}

/// A copy of what is mounted at `path` and below.
fn tree(path: &Path, id: Option<Id>) -> io::Result<OwnedFd> {
    clone(open_same(path, id)?.as_fd())
}

/// A copy of what is mounted at `place` and below.
pub fn clone(place: impl AsFd) -> io::Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::AT_RECURSIVE;
    Ok(open_tree(place, "", flags | OpenTreeFlags::AT_EMPTY_PATH)?)
}

/// Mounts `tree` at `path`, if that is still what it was when it was judged.
pub fn lay(tree: &OwnedFd, path: &Path, id: Option<Id>) -> io::Result<()> {
    lay_on(tree, &open_same(path, id)?)
}

/// Mounts `tree` on `place`.
pub fn lay_on(tree: &OwnedFd, place: &OwnedFd) -> io::Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    Ok(move_mount(tree, "", place, "", flags)?)
}

/// Covers `place` with nothing.
pub fn hide(place: &OwnedFd) -> io::Result<()> {
    let is_directory = openat(place, ".", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).is_ok();
    let cover = if is_directory { empty(c"000")? } else { clone(open_same(Path::new("/dev/null"), None)?)? };
    lay_on(&cover, place)
}

/// An empty directory of mode `mode` that stays empty.
fn empty(mode: &CStr) -> io::Result<OwnedFd> {
    memory(mode, MountAttrFlags::MOUNT_ATTR_RDONLY)
}

/// A file system in memory, whose top has mode `mode`.
pub fn memory(mode: &CStr, attributes: MountAttrFlags) -> io::Result<OwnedFd> {
    let system = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&system, "mode", mode)?;
    fsconfig_create(&system)?;
    let quiet =
        MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    Ok(fsmount(&system, FsMountFlags::FSMOUNT_CLOEXEC, attributes | quiet)?)
}

/// Opens the directory at `place` in order to list it.
pub fn open_directory(place: &OwnedFd) -> io::Result<OwnedFd> {
    Ok(openat(place, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::order::Confinement;

    #[test]
    fn what_lies_between_a_root_and_what_is_protected_cannot_be_moved() {
        let kept = tempfile::tempdir().unwrap();
        let root = kept.path().canonicalize().unwrap();
        let at = |path: &str| root.join(path);
        fs::create_dir_all(at("a/b/home")).unwrap();
        fs::create_dir_all(at("w/.git")).unwrap();
        fs::write(at("a/socket"), "").unwrap();
        let confinement = Confinement {
            writable: vec![root.clone()],
            home: Some(at("a/b/home")),
            hidden: vec![at("a/socket")],
            ..Confinement::default()
        };
        let mut plan = Plan::of(&confinement).unwrap();
        let layers = layers(&plan).unwrap();
        plan.clear();
        assert!(matches!(layers[&root], Layer::Write(Some(_))));
        assert!(matches!(layers[&at("a")], Layer::Write(None)));
        assert!(matches!(layers[&at("a/b")], Layer::Write(None)));
        assert!(matches!(layers[&at("a/b/home")], Layer::Home(_)));
        assert!(matches!(layers[&at("a/socket")], Layer::Hidden(_)));
        assert!(matches!(layers[&at(".codex")], Layer::Empty(_)));
        assert!(!layers.contains_key(&at("w")), "no project that anybody knows");
    }

    #[test]
    fn what_may_be_written_in_the_home_makes_nothing_around_it_writable() {
        let kept = tempfile::tempdir().unwrap();
        let root = kept.path().canonicalize().unwrap();
        let at = |path: &str| root.join(path);
        fs::create_dir_all(at("home/worktrees/one")).unwrap();
        let writable = vec![root.clone(), at("home/worktrees/one")];
        let confinement = Confinement { writable, home: Some(at("home")), ..Confinement::default() };
        let mut plan = Plan::of(&confinement).unwrap();
        let layers = layers(&plan).unwrap();
        plan.clear();
        assert!(matches!(layers[&at("home")], Layer::Home(_)));
        assert!(!layers.contains_key(&at("home/worktrees")));
        assert!(matches!(layers[&at("home/worktrees/one")], Layer::Write(Some(_))));
        assert!(matches!(layers[&at("home/worktrees/one/.git")], Layer::Empty(_)));
    }
}
