//! What `--version` shows: our own version, and that of the program whose protocol we speak.

use app_server_actors::host::API_VERSION;

/// What `--version` shows behind the program's name.
pub fn own() -> String {
    format!("{} (speaks the protocol of codex app-server {API_VERSION})", env!("CARGO_PKG_VERSION"))
}
