//! What is read from files before a user's words go to the model.

use super::instructions::Instructions;
use super::task::TurnRules;
use crate::protocol::item::UserInput;
use crate::skills::{Called, Skills};

/// What the files of a place say.
pub(super) struct FilesOfPlace {
    /// The instruction files.
    pub instructions: Instructions,
    /// The skills.
    pub skills: Skills,
    /// The skills that the user's message names.
    pub called: Called,
}

impl FilesOfPlace {
    /// Reads them, and of the skills those that `spoken` names. Blocks.
    pub fn read(rules: &TurnRules, spoken: &[UserInput]) -> Self {
        let skills = rules.skills.find();
        let bounds = rules.skills.bounds;
        let called = skills.called(spoken, bounds.message_bytes, bounds.file_bytes);
        Self { instructions: rules.instruction_files.run(), skills, called }
    }
}
