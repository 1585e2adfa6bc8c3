//! The file of each type, as in the reference program's output.

use std::path::{Path, PathBuf};

/// Types of the protocol's first version, which are outside `v2/`.
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

/// Prefixes of whole messages and the oldest methods.
const OLDER_PREFIXES: &[&str] = &["Client", "FuzzyFileSearch", "Initialize", "JSONRPC", "Server"];

/// The directory of `name` in TypeScript.
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
