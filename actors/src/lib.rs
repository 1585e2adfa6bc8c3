//! The actors of codex-app-server.
pub mod catalog;
pub mod clock;
pub mod connection;
pub mod hub;
pub mod limits;
pub mod panics;
pub mod post;
pub mod processor;
pub mod protocol;
pub mod reply;
pub mod router;
pub mod store;
pub mod threads;
