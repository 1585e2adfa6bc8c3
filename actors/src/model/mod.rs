//! One streaming call to a model: a question in, typed events out.
//!
//! It knows no threads and no turns, and it is no actor: whoever asks polls the stream, on any arbiter but the hub's,
//! because reading an answer is work. Dropping the stream closes the connection to the provider at once.
//!
//! ```text
//! ModelRequest ──▶ body ──▶ one attempt ──bytes──▶ sse ──events──▶ responses | chat ──▶ ModelEvent
//!                              ▲                                                           │
//!                              └────────────────────── retry ◀── ModelFailure ◀────────────┘
//! ```

mod credentials;
mod event;
mod failure;
mod provider;
mod request;
mod settings;

pub use credentials::{Credential, Credentials};
pub use event::{ModelEvent, Retrying};
pub use failure::{ModelFailure, Retry};
pub use provider::{ECHO, OPENAI, Provider, SystemRole, WireApi};
pub use request::ModelRequest;
pub use settings::ModelSettings;
