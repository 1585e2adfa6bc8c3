//! The JSON of model providers: requests and answers on both wires.
//!
//! [`HistoryItem`] is the form in which this server stores a conversation for a model; [`responses`] and [`chat`]
//! convert it for each wire.

pub mod chat;
mod closing;
mod dialect;
mod history;
mod lenient;
mod models;
mod provider_error;
mod request;
pub mod responses;
#[cfg(test)]
mod tests;
mod tool;
mod usage;

pub use dialect::{Dialect, SystemRole};
pub use history::{ContentPart, HistoryItem, ReasoningText, Role, ToolOutput};
pub use models::{ListedModel, ModelList};
pub use provider_error::ProviderError;
pub use request::ModelRequest;
pub use tool::ToolSpec;
pub use usage::TokenUsage;
