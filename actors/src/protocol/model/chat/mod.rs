//! Chat Completions, as OpenAI began it and most local servers speak it (spec: turns 9.1).

mod event;
mod request;

pub use event::{ChatChunk, ChatDelta, FinishReason, ToolCallPart};
pub use request::body;
