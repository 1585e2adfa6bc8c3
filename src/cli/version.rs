//! The two versions of this program: its own, and that of the program whose protocol it speaks.

/// The release of `codex app-server` whose protocol this server speaks; clients compare it with what they need.
pub const API_LEVEL: &str = "0.169.0";

/// What `--version` shows behind the program's name.
pub fn own() -> String {
    format!("{} (speaks the protocol of codex app-server {API_LEVEL})", env!("CARGO_PKG_VERSION"))
}
