//! Which file holds which type, as in the reference program's output.

use std::path::{Path, PathBuf};

/// Types that are older than the protocol's second version lie above the others.
const OLDER: &[&str] = &[
    "AbsolutePathBuf",
    "ClientInfo",
    "CollaborationMode",
    "InputModality",
    "ModeKind",
    "MultiAgentMode",
    "Personality",
    "PlanType",
    "ReasoningSummary",
    "RequestId",
    "Settings",
    "ThreadId",
];

/// What whole messages and the oldest methods begin with.
const OLDER_PREFIXES: &[&str] = &["Client", "FuzzyFileSearch", "Initialize", "JSONRPC", "Server"];

/// The folder of `name` in TypeScript.
pub(super) fn typescript_folder(name: &str) -> &'static Path {
    Path::new(if is_older(name) { "" } else { "v2" })
}

/// The file of `name` in JSON Schema.
pub(super) fn json_file(name: &str) -> PathBuf {
    let folder = match name {
        "InitializeParams" | "InitializeResponse" => "v1",
        name if is_older(name) => "",
        _ => "v2",
    };
    Path::new(folder).join(format!("{name}.json"))
}

fn is_older(name: &str) -> bool {
    OLDER.contains(&name) || OLDER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
