//! Skills: folders with a `SKILL.md` that tells the model how one kind of task is done.
//!
//! They lie in `.agents/skills` and `.codex/skills` of every folder of the project, in `$CODEX_HOME/skills`, in
//! `~/.agents/skills`, in `/etc/codex/skills`, and in folders that a client names. What the reference program has brought
//! along is in `$CODEX_HOME/skills/.system`. A file is text for the model and for clients, and nothing else: a skill changes
//! no setting, and its commands are judged like all others.
//!
//! The model is told names, descriptions and places ([`told`](Skills::told)); what a user names goes along as a whole
//! ([`called`](Skills::called)).

mod called;
mod file;
mod root;
mod search;
mod skill;
#[cfg(test)]
mod tests;
mod told;

pub use called::Called;
pub use search::SkillSearch;
pub use skill::{Skill, SkillBounds, SkillChoice, Skills};
