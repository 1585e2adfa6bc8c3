//! Where clients connect.

mod url;

pub use url::{CONTROL_DIRECTORY, ListenUrl, ListenUrlError};
