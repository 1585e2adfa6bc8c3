//! The configuration: its files, its layers, and the settings that this server uses.

mod edit;
mod fault;
mod known;
mod layers;
mod load;
mod project;
mod settings;
#[cfg(test)]
mod tests;

pub use edit::{KeyPath, apply};
pub use fault::Fault;
pub use known::warning as unknown_settings;
pub use layers::{Layer, Layers, look_up, merge, put};
pub use load::{ConfigFiles, check_strict, parse_text};
pub use project::Project;
pub use settings::{Settings, TrustLevel};
