//! A folder that holds skills, and what of it may be read.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::project::Bounds;
use crate::protocol::catalog::SkillScope;

/// A folder that holds skills.
#[derive(Clone, Debug)]
pub struct Root {
    /// The folder.
    pub path: PathBuf,
    /// Whose they are.
    pub scope: SkillScope,
    /// Of a project: where its links may lead.
    pub bounds: Option<Arc<Bounds>>,
}

impl Root {
    /// Whether the open file may be read for the model.
    pub fn allows(&self, file: &File, path: &Path) -> bool {
        self.bounds.as_ref().is_none_or(|bounds| bounds.contain(file, path))
    }

    /// Whether a folder, named without links, may be looked into.
    pub fn holds(&self, real: &Path) -> bool {
        self.bounds.as_ref().is_none_or(|bounds| bounds.hold(real))
    }
}
