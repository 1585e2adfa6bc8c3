//! What a command may write, decided before anything of the sandbox exists: each path is followed to what it names, and
//! judged by that.

use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::placeholders::{self, Placeholder};
use super::resolve::{Pinned, kind, resolve};
use super::{NotConfined, places};
use crate::order::Confinement;

/// What stays read-only in each writable root, and in each project: what is in there runs later, outside of the sandbox
/// (hooks), or tells agents what to do and under which rules.
pub const PROTECTED: [&str; 3] = [".git", ".codex", ".agents"];

/// Bytes of a `.git` file or a `commondir`: a path and a little more.
const LONGEST_LINK: usize = 8192;

/// In a sticky directory, such as `/tmp`, only the owner of an entry can replace it.
const STICKY: u32 = 0o1000;

/// Everything that the sandbox is made from.
#[derive(Debug)]
pub struct Plan {
    /// What may be written.
    pub roots: Vec<Pinned>,
    /// What stays read-only inside the roots.
    pub protected: Vec<Pinned>,
    /// What must not come into being inside the roots.
    pub placeholders: Vec<Placeholder>,
    /// `$CODEX_HOME`.
    pub home: Option<Pinned>,
    /// What is not seen at all.
    pub hidden: Vec<Pinned>,
    /// The network may be used.
    pub network: bool,
}

impl Plan {
    /// Judges `confinement`, remembers where the command may write, and makes the placeholders. Call [`Self::clear`]
    /// when the command has ended.
    ///
    /// # Errors
    /// A root that must not be writable, in words for the client.
    pub fn of(confinement: &Confinement) -> Result<Self, NotConfined> {
        let home = confinement.home.as_deref().and_then(resolve);
        let remembered = home.as_ref().map(|home| places::remembered(&home.path)).unwrap_or_default();
        let roots: Vec<Pinned> = confinement.writable.iter().filter_map(|path| resolve(path)).collect();
        let projects = confinement.projects.iter().filter_map(|path| Some(resolve(path)?.path));
        let places: Vec<PathBuf> = remembered.iter().cloned().chain(projects).collect();
        let home_path = home.as_ref().map(|home| home.path.as_path());
        judge(&roots, &places, home_path).map_err(refused)?;
        if let Some(home) = home_path.filter(|_| !roots.is_empty()) {
            let paths = roots.iter().map(|root| root.path.as_path());
            places::remember(home, &remembered, paths)
                .map_err(NotConfined::because("remembering the writable roots"))?;
        }
        let mut plan = Self {
            protected: Vec::new(),
            placeholders: Vec::new(),
            hidden: confinement.hidden.iter().filter_map(|path| resolve(path)).collect(),
            network: confinement.network,
            roots,
            home,
        };
        let inside = places.iter().filter(|place| plan.is_writable(place));
        let inside: Vec<Pinned> = inside.filter_map(|place| resolve(place)).collect();
        if let Err(cause) = plan.protect(&inside) {
            plan.clear();
            return Err(refused(cause));
        }
        Ok(plan)
    }

    /// Removes the placeholders that no other command needs.
    pub fn clear(&mut self) {
        self.placeholders.drain(..).for_each(Placeholder::clear);
    }

    fn is_writable(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| path.starts_with(&root.path))
    }

    /// Protects the names in every root, and in `projects` inside of them.
    fn protect(&mut self, projects: &[Pinned]) -> Result<(), String> {
        let roots = std::mem::take(&mut self.roots);
        let mut directories: Vec<&Pinned> = roots.iter().chain(projects).filter(|place| place.is_directory()).collect();
        directories.sort_by(|a, b| a.path.cmp(&b.path));
        directories.dedup_by(|a, b| a.path == b.path);
        let done = directories
            .into_iter()
            .try_for_each(|directory| PROTECTED.into_iter().try_for_each(|name| self.protect_name(directory, name)));
        self.roots = roots;
        done?;
        let protected = std::mem::take(&mut self.protected);
        self.protected = protected.into_iter().filter(|pinned| self.is_writable(&pinned.path)).collect();
        Ok(())
    }

    fn protect_name(&mut self, directory: &Pinned, name: &str) -> Result<(), String> {
        let path = directory.path.join(name);
        if self.home.as_ref().is_some_and(|home| home.path == path) {
            return Ok(());
        }
        let stat = match statat(&directory.file, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => {
                let made = Placeholder::at(directory, name).map_err(|error| format!("{}: {error}", path.display()))?;
                self.placeholders.extend(made);
                return Ok(());
            }
            // Nobody like us can look, and so neither can the command.
            Err(_) => return Ok(()),
        };
        match kind(&stat) {
            FileType::Symlink if cannot_be_replaced(directory, stat.st_uid) => {}
            // The link itself could be replaced, because nothing can be mounted on it.
            FileType::Symlink => {
                return Err(format!("{} is a symbolic link, which cannot be kept read-only", path.display()));
            }
            FileType::Directory if placeholders::is_placeholder(&directory.file, name) => {
                let shared =
                    Placeholder::at(directory, name).map_err(|error| format!("{}: {error}", path.display()))?;
                self.placeholders.extend(shared);
            }
            _ => {
                self.protected.extend(git_directories(directory, name));
                self.protected.extend(resolve(&path));
            }
        }
        Ok(())
    }
}

fn refused(cause: String) -> NotConfined {
    NotConfined::because("writable roots")(cause)
}

/// Refuses roots that must not be writable.
fn judge(roots: &[Pinned], places: &[PathBuf], home: Option<&Path>) -> Result<(), String> {
    let granted: Vec<&Path> =
        roots.iter().filter(|root| root.links.is_empty()).map(|root| root.path.as_path()).collect();
    for root in roots {
        let path = root.path.display();
        if root.path == Path::new("/") {
            return Err("`/` leaves nothing to confine; ask for dangerFullAccess".to_owned());
        }
        // The home itself may have such a name.
        let below = home.and_then(|home| root.path.strip_prefix(home).ok()).unwrap_or(&root.path);
        if let Some(name) = PROTECTED.into_iter().find(|name| below.iter().any(|part| part == *name)) {
            return Err(format!("{path} lies in a {name} directory, which stays read-only"));
        }
        if let Some(link) = root.links.iter().find(|link| misleads(link, root, places, &granted)) {
            return Err(format!(
                "the symbolic link {} leads to {path}, and a confined command can have made it; name {path} itself if \
                 it is to be writable",
                link.display()
            ));
        }
    }
    Ok(())
}

/// Whether `link` lies where a confined command could make it, and leads out of where that command could write.
fn misleads(link: &Path, root: &Pinned, places: &[PathBuf], granted: &[&Path]) -> bool {
    let Some(directory) = link.parent() else { return false };
    let around = places.iter().map(PathBuf::as_path).chain(granted.iter().copied()).chain(repository(directory));
    // The command that could write least, because it is the one that must not gain anything.
    let narrowest = around.filter(|place| directory.starts_with(place)).max_by_key(|place| place.as_os_str().len());
    narrowest.is_some_and(|narrowest| !root.path.starts_with(narrowest))
        && !granted.iter().any(|granted| root.path.starts_with(granted))
}

/// The repository that `directory` lies in: whoever wrote it may have put links into it.
fn repository(directory: &Path) -> Option<&Path> {
    let holds_git = |ancestor: &&Path| match ancestor.join(".git").read_dir() {
        // A placeholder is empty.
        Ok(mut entries) => entries.next().is_some(),
        Err(_) => ancestor.join(".git").symlink_metadata().is_ok(),
    };
    directory.ancestors().find(holds_git)
}

/// Whether nobody like us can put something else in the place of an entry that belongs to `owner`.
fn cannot_be_replaced(directory: &Pinned, owner: u32) -> bool {
    let me = geteuid().as_raw();
    let is_foreign = |owner: u32| me != 0 && owner != me;
    fstat(&directory.file).is_ok_and(|stat| stat.st_mode & STICKY != 0 && is_foreign(stat.st_uid)) && is_foreign(owner)
}

/// What a `.git` file points to: the repository of a worktree or a submodule, and the one that it shares with others.
fn git_directories(directory: &Pinned, name: &str) -> Vec<Pinned> {
    let line = read_line(directory, name);
    let Some(own) = line.as_deref().and_then(|line| line.strip_prefix("gitdir:")) else { return Vec::new() };
    let Some(own) = resolve(&directory.path.join(own.trim())) else { return Vec::new() };
    let common = read_line(&own, "commondir").and_then(|common| resolve(&own.path.join(common.trim())));
    common.into_iter().chain([own]).collect()
}

/// The text of a small file; `None` for what is no plain file.
fn read_line(directory: &Pinned, name: &str) -> Option<String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = openat(&directory.file, name, flags, Mode::empty()).ok()?;
    if kind(&fstat(&file).ok()?) != FileType::RegularFile {
        return None;
    }
    let mut bytes = vec![0; LONGEST_LINK];
    let length = rustix::io::read(&file, bytes.as_mut_slice()).ok()?;
    bytes.truncate(length);
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// A directory with a home in it, and what `make` makes.
    struct World {
        _kept: tempfile::TempDir,
        root: PathBuf,
    }

    impl World {
        fn new() -> Self {
            let kept = tempfile::tempdir().unwrap();
            let root = kept.path().canonicalize().unwrap();
            fs::create_dir_all(root.join("home")).unwrap();
            Self { _kept: kept, root }
        }

        fn at(&self, path: &str) -> PathBuf {
            self.root.join(path)
        }

        fn directory(self, path: &str) -> Self {
            fs::create_dir_all(self.at(path)).unwrap();
            self
        }

        fn link(self, path: &str, target: &str) -> Self {
            symlink(self.at(target), self.at(path)).unwrap();
            self
        }

        fn plan(&self, writable: &[&str]) -> Result<Plan, String> {
            let writable = writable.iter().map(|path| self.at(path)).collect();
            let home = Some(self.at("home"));
            Plan::of(&Confinement { writable, home, ..Confinement::default() }).map_err(|error| error.to_string())
        }

        fn protected(&self, writable: &[&str]) -> Vec<PathBuf> {
            let mut plan = self.plan(writable).unwrap();
            let paths =
                plan.protected.iter().map(|pinned| pinned.path.strip_prefix(&self.root).unwrap().to_owned()).collect();
            plan.clear();
            paths
        }
    }

    #[test]
    fn what_exists_is_protected_and_what_does_not_is_stood_in_for() {
        let world = World::new().directory("w/.git/hooks");
        let mut plan = world.plan(&["w"]).unwrap();
        assert_eq!(plan.protected[0].path, world.at("w/.git"));
        assert!(world.at("w/.codex").is_dir() && world.at("w/.agents").is_dir());
        plan.clear();
        assert!(!world.at("w/.codex").exists() && !world.at("w/.agents").exists());
    }

    #[test]
    fn a_worktree_protects_its_repository_and_the_shared_one() {
        let world = World::new().directory("w/main/.git/worktrees/one").directory("w/one");
        fs::write(world.at("w/one/.git"), format!("gitdir: {}\n", world.at("w/main/.git/worktrees/one").display()))
            .unwrap();
        fs::write(world.at("w/main/.git/worktrees/one/commondir"), "../..\n").unwrap();
        drop(world.plan(&["w/one"]).unwrap());
        // The worktree is a known place from now on.
        let protected = world.protected(&["w"]);
        for path in ["w/one/.git", "w/main/.git", "w/main/.git/worktrees/one"] {
            assert!(protected.contains(&PathBuf::from(path)), "{path} in {protected:?}");
        }
    }

    #[test]
    fn projects_inside_of_a_root_are_protected_too() {
        let world = World::new().directory("w/inner/.codex");
        world.plan(&["w/inner"]).unwrap().clear();
        assert_eq!(world.protected(&["w"]), [PathBuf::from("w/inner/.codex")]);
    }

    #[test]
    fn a_protected_name_that_is_a_link_is_refused() {
        for name in PROTECTED {
            let world = World::new().directory("w").directory("elsewhere").link(&format!("w/{name}"), "elsewhere");
            assert!(world.plan(&["w"]).unwrap_err().ends_with("cannot be kept read-only"), "{name}");
        }
    }

    #[test]
    fn a_root_inside_of_a_protected_directory_is_refused() {
        for name in PROTECTED {
            let path = format!("w/{name}/hooks");
            let world = World::new().directory(&path);
            assert!(world.plan(&[&path]).unwrap_err().contains("stays read-only"), "{name}");
        }
    }

    #[test]
    fn a_link_that_a_command_could_make_leads_nowhere() {
        let world = World::new().directory("w").directory("precious").link("w/pkg", "precious");
        assert!(world.plan(&["w/pkg"]).is_ok(), "nothing was ever confined to w");
        world.plan(&["w"]).unwrap().clear();
        let refused = world.plan(&["w/pkg"]).unwrap_err();
        assert!(refused.contains("a confined command can have made it"), "{refused}");
        assert!(world.plan(&["w", "w/pkg"]).is_err());
        world.plan(&["w/pkg", "precious"]).unwrap().clear();
        // What could once be written as a whole does not make up for it.
        world.plan(&["."]).unwrap().clear();
        assert!(world.plan(&["w/pkg"]).is_err());
    }

    #[test]
    fn nor_does_one_that_a_repository_brings() {
        let world = World::new().directory("w/.git/refs").directory("precious").directory("w/inside");
        let world = world.link("w/pkg", "precious").link("w/near", "w/inside");
        assert!(world.plan(&["w/pkg"]).is_err());
        world.plan(&["w/near"]).unwrap().clear();
    }

    #[test]
    fn what_is_no_plain_file_keeps_nobody_waiting() {
        let world = World::new().directory("w");
        rustix::fs::mknodat(rustix::fs::CWD, world.at("w/.git"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        assert_eq!(world.protected(&["w"]), [PathBuf::from("w/.git")]);
    }
}
