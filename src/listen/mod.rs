//! Where clients connect.

pub mod unix;
mod url;

pub use url::{CONTROL_DIRECTORY, ListenUrl, ListenUrlError};
