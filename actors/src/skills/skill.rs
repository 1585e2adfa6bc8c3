//! A skill, and what the user and the settings say of skills.

use std::path::PathBuf;

use serde::Deserialize;

use super::root::Root;
use crate::limits::Limits;
use crate::protocol::catalog::{SkillErrorInfo, SkillMetadata};

/// How much is read; the settings of the same names say why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SkillBounds {
    /// Folders below one root that are looked into.
    pub folders: usize,
    /// Bytes of one `SKILL.md`.
    pub file_bytes: usize,
    /// Bytes of what the model is told of all skills.
    pub list_bytes: usize,
    /// Bytes of the skills that one message puts into a turn.
    pub message_bytes: usize,
}

impl SkillBounds {
    /// The bounds that the settings give.
    pub fn of(limits: &Limits) -> Self {
        Self {
            folders: limits.skill_folders,
            file_bytes: limits.skill_file_bytes,
            list_bytes: limits.skill_list_bytes,
            message_bytes: limits.skill_message_bytes,
        }
    }
}

/// What the configuration says about some skill: an element of `[[skills.config]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct SkillChoice {
    /// The `SKILL.md`.
    pub path: Option<PathBuf>,
    /// The name, where it is about every skill of that name.
    pub name: Option<String>,
    /// Whether it is on.
    #[serde(default = "on")]
    pub enabled: bool,
}

fn on() -> bool {
    true
}

impl SkillChoice {
    pub(super) fn is_about(&self, skill: &SkillMetadata) -> bool {
        match (&self.path, &self.name) {
            (Some(path), _) => path.as_os_str() == skill.path.as_str(),
            (None, Some(name)) => *name == skill.name,
            (None, None) => false,
        }
    }
}

/// What was found, those of the project first.
#[derive(Debug, Default)]
pub struct Skills {
    /// The skills, also those that are off.
    pub skills: Vec<Skill>,
    /// What could not be read.
    pub faults: Vec<SkillErrorInfo>,
}

/// A skill.
#[derive(Debug)]
pub struct Skill {
    /// What clients see.
    pub shown: SkillMetadata,
    /// Whether the model may use it without being told to.
    pub implicit: bool,
    /// What it was found in.
    pub(super) root: Root,
}

impl Skills {
    /// Those that the user has left on.
    pub(super) fn on(&self) -> impl Iterator<Item = &Skill> {
        self.skills.iter().filter(|skill| skill.shown.enabled)
    }
}
