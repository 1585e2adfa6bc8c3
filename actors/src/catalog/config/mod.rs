//! The configuration: its files, its layers, and the settings that this server uses.

mod edit;
mod fault;
mod key;
mod known;
mod layers;
mod load;
mod permissions;
mod project;
mod settings;
mod skills;
#[cfg(test)]
mod tests;
mod tighten;

pub use edit::apply;
pub use fault::Fault;
pub use key::{EditRefused, KeyPath, split_assignment};
pub use known::{ignored, unknown};
pub use layers::{Layer, Layers, look_up, merge, put};
pub use load::{ConfigFiles, Configuration, check, check_strict, parse_text};
pub use permissions::{Permissions, profiles};
pub use project::Project;
pub use settings::{Settings, TrustLevel};
pub use skills::{Selector, turn_skill};
