//! The JSON of model providers: what a model is sent, and what it sends back, on both wires.
//!
//! [`HistoryItem`] is the one form in which this server keeps a conversation for a model. It is stored as it is, and
//! [`responses`] and [`chat`] say how each wire spells it.

mod error_info;
mod history;
mod tool;
mod usage;

pub use error_info::CodexErrorInfo;
pub use history::{ContentPart, HistoryItem, ReasoningText, Role, ToolOutput};
pub use tool::ToolSpec;
pub use usage::TokenUsage;
