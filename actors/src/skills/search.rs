//! Where skills lie.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file::{Extras, Head};
use super::root::Root;
use super::skill::{Skill, SkillBounds, SkillChoice, Skills};
use crate::project::{Bounds, project_folders};
use crate::protocol::catalog::{SkillErrorInfo, SkillMetadata, SkillScope};
use crate::protocol::thread::Unset;

/// The file that makes a folder a skill.
const FILE: &str = "SKILL.md";

/// How deep below a root skills are looked for.
const DEEPEST: usize = 6;

/// Where to look, and how much to read.
#[derive(Clone, Debug, PartialEq)]
pub struct SkillSearch {
    /// `$CODEX_HOME`.
    pub codex_home: PathBuf,
    /// The user's home directory.
    pub user_home: Option<PathBuf>,
    /// The folder of the machine's skills.
    pub machine: PathBuf,
    /// Folders that a client has named.
    pub extra_roots: Arc<[PathBuf]>,
    /// The working directory.
    pub cwd: PathBuf,
    /// A folder that holds one of these names is the root of a project.
    pub root_markers: Vec<String>,
    /// What the user has turned off; the last one that is about a skill counts.
    pub choices: Vec<SkillChoice>,
    /// How much is read.
    pub bounds: SkillBounds,
}

impl SkillSearch {
    /// There are none.
    #[cfg(test)]
    pub fn nowhere() -> Self {
        Self {
            codex_home: "/nowhere".into(),
            user_home: None,
            machine: "/nowhere".into(),
            extra_roots: Arc::default(),
            cwd: "/nowhere".into(),
            root_markers: Vec::new(),
            choices: Vec::new(),
            bounds: SkillBounds::default(),
        }
    }

    /// Reads the skills, sorted by whose they are and by name. Blocks.
    pub fn find(&self) -> Skills {
        let mut found = Skills::default();
        // A folder that two names lead to counts once, as the user's where it is theirs.
        let mut seen = BTreeSet::new();
        let mut roots = self.roots();
        roots.sort_by_key(|root| root.bounds.is_some());
        for root in &roots {
            self.look_into(root, &mut seen, &mut found);
        }
        found.skills.sort_by(|a, b| {
            let key = |skill: &Skill| (skill.shown.scope, skill.shown.name.clone(), skill.shown.path.clone());
            key(a).cmp(&key(b))
        });
        found.faults.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    fn roots(&self) -> Vec<Root> {
        let own = |path: PathBuf, scope| Root { path, scope, bounds: None };
        let skills = self.codex_home.join("skills");
        let mut roots = vec![own(skills.join(".system"), SkillScope::System), own(skills, SkillScope::User)];
        roots.extend(self.user_home.iter().map(|home| own(home.join(".agents/skills"), SkillScope::User)));
        roots.extend(self.extra_roots.iter().map(|path| own(path.clone(), SkillScope::User)));
        roots.push(own(self.machine.clone(), SkillScope::Admin));
        let folders = project_folders(&self.cwd, &self.root_markers);
        let bounds = folders.last().and_then(|root| Bounds::of(root, &self.codex_home)).map(Arc::new);
        // A project that does not exist has no skills.
        let Some(bounds) = bounds else { return roots };
        let of_project = |folder: &Path, name: &str| Root {
            path: folder.join(name),
            scope: SkillScope::Repo,
            bounds: Some(bounds.clone()),
        };
        roots.extend(
            folders.iter().flat_map(|folder| [".agents/skills", ".codex/skills"].map(|name| of_project(folder, name))),
        );
        roots
    }

    fn look_into(&self, root: &Root, seen: &mut BTreeSet<PathBuf>, found: &mut Skills) {
        let mut folders = vec![(root.path.clone(), 0)];
        let mut looked = 0;
        while let Some((folder, depth)) = folders.pop() {
            let Ok(real) = folder.canonicalize() else { continue };
            if !root.holds(&real) || !seen.insert(real.clone()) {
                continue;
            }
            looked += 1;
            if looked > self.bounds.folders {
                let message = format!("more than {} folders (limits.skill_folders)", self.bounds.folders);
                found.faults.push(SkillErrorInfo { path: root.path.display().to_string(), message });
                return;
            }
            let path = real.join(FILE);
            if path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
                match self.read(&path, root) {
                    Ok(skill) => found.skills.push(skill),
                    Err(message) => {
                        found.faults.push(SkillErrorInfo { path: path.display().to_string(), message });
                    }
                }
            }
            if depth < DEEPEST {
                folders.extend(below(&folder).map(|path| (path, depth + 1)));
            }
        }
    }

    fn read(&self, path: &Path, root: &Root) -> Result<Skill, String> {
        let head = Head::read(path, root, self.bounds.file_bytes)?;
        let folder = path.parent().unwrap_or(path);
        let extras = Extras::read(folder, root);
        let mut shown = SkillMetadata {
            short_description: head.short_description(),
            name: head.name.unwrap_or_default(),
            description: head.description.unwrap_or_default(),
            interface: extras.interface(folder),
            path: path.to_str().ok_or("its path is not UTF-8")?.to_owned(),
            scope: root.scope,
            enabled: true,
            plugin_id: Unset,
            dependencies: None,
        };
        let choice = self.choices.iter().rev().find(|choice| choice.is_about(&shown));
        shown.enabled = choice.is_none_or(|choice| choice.enabled);
        let implicit = extras.implicit();
        shown.dependencies = extras.dependencies;
        Ok(Skill { shown, implicit, root: root.clone() })
    }
}

/// The folders in a folder, and links to folders; none whose name begins with a dot.
fn below(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let visible = entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    visible.map(|entry| entry.path()).filter(|path| path.is_dir())
}
