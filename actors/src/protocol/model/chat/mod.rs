//! Chat Completions, as defined by OpenAI and spoken by most local servers (spec: turns 9.1).

mod event;
mod request;

pub use event::{ChatChunk, ChatDelta, FinishReason, ToolCallPart};
pub use request::body;
