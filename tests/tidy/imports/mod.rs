//! Imports run downwards, and no more than two files import each other.
//!
//! The `use` lines are read, not the paths inside of code; test modules do not count.

mod circles;
mod graph;

use circles::circles;
use graph::Graph;

use crate::tree::refuse;

/// The rooms of a package from the top down. A file imports only from its own room and from rooms below it. A room is a
/// folder or a file; where one is listed beside a folder that holds it, the longer path counts.
const ACTORS: &[&str] = &[
    "start",
    "relay",
    // What serves a client, and what it reaches the other actors by.
    "connection/websocket",
    "connection/stream",
    "connection/intake",
    "hub",
    "processor",
    // The actors that answer.
    "threads",
    "thread",
    "turn",
    "commands",
    "files",
    "search",
    "remote_control",
    "catalog",
    "mcp",
    // What they answer with.
    "encode",
    "reply",
    "remote_link",
    "router",
    "store",
    "model",
    "approval",
    "patch",
    "work_tree",
    "skills",
    "command",
    "account",
    "http",
    "traces",
    "network",
    "environment",
    "desk",
    "workers",
    // What others know of a connection.
    "connection",
    "wire",
    "host",
    "metrics",
    "protocol",
    // Leaves.
    "cached_file",
    "project",
    "descriptors",
    "replace",
    "post",
    "mailbox",
    "context",
    "vital",
    "panics",
    "backoff",
    "times",
    "clock",
    "limits",
];

/// The same for the process around the actors.
const PROCESS: &[&str] = &[
    "exit",
    "commands",
    "chat",
    "remote_control",
    "relay",
    "serve",
    "call",
    "doctor",
    "service",
    "in_process",
    "generate",
    "apply_patch",
    "neighbours",
    "supervisor",
    "server",
    "admin",
    "succession",
    "sign_in",
    "http",
    "auth",
    "settings",
    "cli",
    "proxy",
    "attach",
    "listen",
    "output",
    "logging",
    "terminal",
    "codex_home",
    "own_programs",
    "open_files",
    "signals",
];

#[test]
fn imports_run_downwards() {
    let graph = Graph::read();
    let mut faults = Vec::new();
    for (source, rooms) in [("actors/src/", ACTORS), ("src/", PROCESS)] {
        let floor = |file: &str| {
            let inside = file.strip_prefix(source)?.strip_suffix(".rs")?;
            let holds =
                |room: &str| inside.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            let room = rooms.iter().enumerate().filter(|(_, room)| holds(room));
            room.max_by_key(|(_, room)| room.len()).map(|(floor, _)| floor)
        };
        for file in graph.files().filter(|file| file.starts_with(source)) {
            let Some(from) = floor(file) else {
                faults.push(format!("{file} is in no room: list it"));
                continue;
            };
            for imported in graph.imports(file) {
                if floor(imported).is_some_and(|to| to < from) {
                    faults.push(format!("{file} imports {imported}"));
                }
            }
        }
    }
    refuse(&faults, "imports run downwards: move the item to where both may know it, or hand a function in");
}

#[test]
fn no_more_than_two_files_import_each_other() {
    let graph = Graph::read();
    let circles = circles(&graph).into_iter().filter(|circle| circle.len() > 2);
    let faults: Vec<String> = circles.map(|circle| circle.join(" → ")).collect();
    refuse(&faults, "files import each other in a circle");
}
