//! Streaming requests to models: a request in, typed events out.
//!
//! This module knows nothing of threads and turns, and is not an actor: the caller polls the stream, on any arbiter but
//! the hub's, because parsing an answer takes time. Dropping the stream closes the connection to the provider at once.
//!
//! ```text
//! ModelRequest ──▶ body ──▶ one attempt ──bytes──▶ sse ──events──▶ responses | chat ──▶ ModelEvent
//!                              ▲                                                           │
//!                              └────────────────────── retry ◀── ModelFailure ◀────────────┘
//! ```

mod answer;
mod ask;
mod call;
mod client;
mod credentials;
mod echo;
mod event;
mod failure;
mod fault;
mod limits;
mod models;
mod provider;
mod retry;
mod settings;
mod sign_in;
mod sse;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use client::{ModelClient, ModelSetup, ModelStream};
pub use credentials::{Credential, Credentials};
pub use event::{ModelEvent, Retrying};
pub use failure::ModelFailure;
pub use fault::StreamFault;
pub use models::ListedModel;
pub use provider::{ECHO, OPENAI, Provider, WireApi};
pub use settings::ModelSettings;
pub use sign_in::OpenAiSignIn;
pub use sse::{EventTooLong, Sse, SseEvent};

pub use crate::protocol::model::{HistoryItem, ModelRequest, TokenUsage, ToolSpec};
