//! OpenAI's Responses API (spec: turns 1 and 9).

mod event;
mod request;

pub use event::{Outcome, Place, ResponsesEvent};
pub use request::body;
