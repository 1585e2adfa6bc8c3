//! The skills that clients are shown, and those that a turn is told of.

use std::sync::PoisonError;

use super::config::{Selector, turn_skill};
use super::defaults::resolve;
use super::reader::Reader;
use crate::protocol::catalog::{
    SkillErrorInfo, SkillsConfigWriteParams, SkillsConfigWriteResponse, SkillsExtraRootsSetParams, SkillsListEntry,
    SkillsListParams, SkillsListResponse,
};
use crate::protocol::thread::Empty;
use crate::protocol::{ErrorCode, RpcError};

/// Directories of one list. Each is looked into, so their number is bounded.
const MOST_DIRECTORIES: usize = 64;

impl Reader {
    /// `skills/list`. Blocks.
    ///
    /// # Errors
    /// -32602 for more directories than [`MOST_DIRECTORIES`].
    pub(super) fn skills(&mut self, params: SkillsListParams) -> Result<SkillsListResponse, RpcError> {
        if params.cwds.as_ref().is_some_and(|cwds| cwds.len() > MOST_DIRECTORIES) {
            let text = format!("cwds accepts at most {MOST_DIRECTORIES} entries");
            return Err(RpcError::new(ErrorCode::InvalidParams, text));
        }
        let data = self.directories(params.cwds).into_iter().map(|cwd| self.skills_of(cwd)).collect();
        Ok(SkillsListResponse { data })
    }

    fn skills_of(&mut self, cwd: String) -> SkillsListEntry {
        let place = match resolve(&self.sources.cwd, &cwd) {
            Ok(place) => place,
            Err(error) => {
                let errors = vec![SkillErrorInfo { path: cwd.clone(), message: error.message }];
                return SkillsListEntry { cwd, skills: Vec::new(), errors };
            }
        };
        let settings = self.settings(Some(&place));
        let found = self.sources.skill_search(&settings, &place).find();
        let skills = found.skills.into_iter().map(|skill| skill.shown).collect();
        SkillsListEntry { cwd, skills, errors: found.faults }
    }

    /// `skills/config/write`. The caller has the turn.
    ///
    /// # Errors
    /// -32602 unless the request names one of path and name; otherwise as [`Self::write_config`].
    pub(super) fn turn_skill(
        &mut self,
        params: SkillsConfigWriteParams,
    ) -> Result<SkillsConfigWriteResponse, RpcError> {
        let SkillsConfigWriteParams { path, name, enabled } = params;
        let selector = match (path, name) {
            (Some(path), None) => Selector::Path(path.to_string()),
            (None, Some(name)) if !name.trim().is_empty() => Selector::Name(name.trim().to_owned()),
            _ => {
                let text = "skills/config/write requires exactly one of path or name";
                return Err(RpcError::new(ErrorCode::InvalidParams, text));
            }
        };
        self.change_config(|text| turn_skill(text, &selector, enabled), None)?;
        Ok(SkillsConfigWriteResponse { effective_enabled: enabled })
    }

    /// `skills/extraRoots/set`
    pub(super) fn set_skill_roots(&self, params: SkillsExtraRootsSetParams) -> Empty {
        let roots = params.extra_roots.iter().map(|root| root.as_path().to_owned()).collect();
        *self.sources.extra_skill_roots.lock().unwrap_or_else(PoisonError::into_inner) = roots;
        Empty {}
    }
}
