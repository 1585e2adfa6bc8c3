//! The journal of systemd, where it is what reads stderr: each line begins with its priority, and needs no time.

use std::{os::unix::fs::MetadataExt as _, sync::OnceLock};

use log::Level;

use super::file;

/// Whether the log goes to the journal.
pub fn is_read() -> bool {
    static IS_JOURNAL: OnceLock<bool> = OnceLock::new();
    *IS_JOURNAL.get_or_init(|| {
        // Device and inode of what systemd has connected; stderr may have been redirected since.
        let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
        let stderr = std::fs::metadata("/proc/self/fd/2").map(|it| format!("{}:{}", it.dev(), it.ino()));
        stderr.is_ok_and(|stderr| stderr == stream)
    }) && !file::is_used()
}

/// What a line of this level begins with (sd-daemon(3)); nothing where the log goes elsewhere.
pub fn prefix(level: Level) -> &'static str {
    if !is_read() {
        return "";
    }
    match level {
        Level::Error => "<3>",
        Level::Warn => "<4>",
        Level::Info => "<6>",
        Level::Debug | Level::Trace => "<7>",
    }
}
