//! Patches: how a model changes files.
//!
//! ```text
//!  text ──parse──▶ Patch ──plan──▶ Planned ──write──▶ files
//!                           ▲         │
//!                         files       └──▶ what people and clients are shown
//! ```
//!
//! A patch is planned as a whole before anybody is asked or anything is written: [`plan`] reads the files and works out
//! every new content in memory, and one operation that does not fit refuses them all, in words for the model. A
//! [`Planned`] holds all that its writing needs, also after a way through JSON to another process, so what a person has
//! approved is what is written. [`Planned::write`] first checks that no file has changed since.
//!
//! | file | what it is |
//! |---|---|
//! | [`bounds`] | how much a patch may cost |
//! | [`parse`] | the format |
//! | [`matching`] | where a hunk fits into a file |
//! | [`edit`] | the new content of an updated file: line ends, the final newline |
//! | [`place`] | where a path leads |
//! | [`plan`] | reads the files, and plans |
//! | [`planned`] | the plan, and what it says of itself |
//! | [`patched`] | what several patches have changed together |
//! | [`diff`] | diffs for people and clients |
//! | [`write`] | all or nothing |
//! | [`folder`] | folders that nobody can exchange during the writing |
//! | [`error`] | the words of refusals |
//!
//! Files that are not UTF-8 can be deleted and replaced as a whole; an update of one is refused.

mod bounds;
mod diff;
mod edit;
mod error;
mod folder;
mod matching;
mod parse;
mod patched;
mod place;
mod plan;
mod planned;
#[cfg(test)]
mod tests;
mod write;

pub use bounds::Bounds;
pub use edit::edited;
pub use error::{After, PatchError};
pub use parse::{Change, Chunk, Line, Operation, Patch, parse};
pub use patched::Patched;
pub use place::Place;
pub use plan::plan;
pub use planned::{Destination, OldFile, Planned, PlannedChange, PlannedKind};
pub use write::WriteError;
