//! The actors of codex-app-server.

pub mod limits;
pub mod protocol;
pub mod store;
