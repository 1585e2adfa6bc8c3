//! The text of `--version`: this package's version and the level of the protocol.

use app_server_actors::protocol::API_VERSION;

/// The text that `--version` prints after the program's name.
pub fn own() -> String {
    format!("{} (speaks the protocol of codex app-server {API_VERSION})", env!("CARGO_PKG_VERSION"))
}
