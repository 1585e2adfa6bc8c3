//! The wire protocol: JSON-RPC messages and the types of the `codex app-server` methods.
//!
//! Invariant: only this module knows JSON. Actors exchange the typed messages of [`decode`], and send [`Frame`]s, which
//! are opaque to them.

pub mod account;
pub mod body;
pub mod calls;
pub mod catalog;
pub mod client;
pub mod command;
pub mod config;
mod decode;
pub mod diagnostics;
mod error;
mod frame;
pub mod fs;
mod id;
pub mod initialize;
pub mod item;
mod level;
mod method;
pub mod model;
pub(crate) mod nesting;
pub mod notification;
mod optional;
pub mod path;
pub mod quoted;
pub mod raw;
pub mod remote;
mod request;
pub mod review;
pub mod schema;
pub mod scope;
pub mod search;
mod secret;
pub mod server_request;
pub mod settings;
mod signature;
mod stored;
pub mod thread;
pub mod turn;
pub mod unset;
pub mod usage;
pub mod with_choices;

pub use decode::{ClientMessage, Refusal, decode, decode_within};
pub use error::{ErrorCode, RpcError};
pub use frame::{Frame, escape_line_separators};
pub use id::RequestId;
pub use level::API_VERSION;
pub use method::{Gate, METHODS, Method, Weight};
pub use notification::{ClientNotification, NotificationAudience, ServerNotification};
pub use request::ClientRequest;
pub use secret::Secret;
pub use stored::{StoredValueError, from_stored, to_stored};
