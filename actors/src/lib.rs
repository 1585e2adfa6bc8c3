//! The actors of codex-app-server.

pub mod catalog;
pub mod limits;
pub mod protocol;
