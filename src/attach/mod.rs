//! Attaching to a running server: its address and a connection to it.
//!
//! Used by the subcommands that attach instead of serving: [`crate::proxy`], [`crate::call`] and [`crate::doctor`].

mod client;
mod endpoint;
mod error;
mod level;
mod probe;
mod token;
mod websocket;

pub use self::{
    client::{Client, ClientError, everything},
    endpoint::{Endpoint, EndpointError, connect_unix, how_to_start},
    error::CallError,
    level::protocol_level,
    probe::probe,
    token::{Token, TokenError},
    websocket::{AttachError, Messages, Sender, connect, is_stopped, upgrade},
};
