//! The client's side of a running server: where it is, and a connection to it.
//!
//! Used by everything that attaches instead of serving: [`crate::proxy`] and [`crate::call`].

mod client;
mod endpoint;
mod token;
mod websocket;

pub use self::{
    client::{Client, ClientError},
    endpoint::{Endpoint, EndpointError, connect_unix, how_to_start},
    token::{Token, TokenError},
    websocket::{AttachError, Messages, Sender, connect, upgrade},
};
