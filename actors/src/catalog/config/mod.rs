//! The configuration: its files and layers, and the settings that this server goes by.

mod fault;
mod known;
mod layers;
mod load;
mod project;
mod settings;
#[cfg(test)]
mod tests;

pub use fault::Fault;
pub use known::warning as unknown_settings;
pub use layers::{Layer, Layers, merge, put};
pub use load::{ConfigFiles, check_strict};
pub use project::Project;
pub use settings::{ModelProvider, OPENAI, Settings, TrustLevel};
