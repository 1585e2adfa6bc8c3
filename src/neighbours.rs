//! Other servers of the same `$CODEX_HOME`. They share the threads and nothing else: the clients of one do not hear what
//! the clients of the other do.

use std::{path::PathBuf, time::Duration};

use app_server_actors::store;
use tokio::time::sleep;

/// What to do about them.
pub const ADVICE: &str =
    "Let clients attach to one server, with `codex-app-server proxy` or --connect, or give each its own CODEX_HOME.";

/// Says so in the log whenever another server begins to use `database`, or ceases to. Looks once in a while; never ends.
pub async fn watch(database: PathBuf, every: Duration) {
    let mut known = Vec::new();
    loop {
        let mut others = store::users(&database);
        others.retain(|process| *process != std::process::id());
        if others.iter().any(|process| !known.contains(process)) {
            log::warn!(
                "another codex-app-server uses the same CODEX_HOME ({}): its clients and those of this server do not hear \
                 of each other's changes. {ADVICE}",
                named(&others)
            );
        }
        known = others;
        sleep(every).await;
    }
}

/// The processes in words.
pub fn named(processes: &[u32]) -> String {
    let numbers: Vec<String> = processes.iter().map(u32::to_string).collect();
    let noun = if numbers.len() == 1 { "process" } else { "processes" };
    format!("{noun} {}", numbers.join(", "))
}
