//! Items of what the agent does itself: run commands, patch files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::unset::Unset;

/// A command that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct CommandExecution {
    /// The plugin whose script it is.
    #[serde(default)]
    pub plugin_id: Unset,
    /// The path of that script in the plugin.
    #[serde(default)]
    pub script_path: Unset,
    /// The arguments, quoted for a shell.
    pub command: String,
    /// The working directory, absolute.
    pub cwd: String,
    /// By what later input and output name the process.
    pub process_id: Option<String>,
    /// Who ran it.
    #[serde(default)]
    pub source: CommandExecutionSource,
    /// Status of the turn.
    pub status: CommandExecutionStatus,
    /// What the command does, as far as its text tells.
    pub command_actions: Vec<CommandAction>,
    /// What it wrote to stdout and stderr, in the order of arrival; null while it runs.
    pub aggregated_output: Option<String>,
    /// Its exit code; 128 and the signal when a signal ended it.
    pub exit_code: Option<i32>,
    /// Duration in milliseconds.
    pub duration_ms: Option<i64>,
}

/// Who ran a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CommandExecutionSource {
    /// The agent.
    #[default]
    Agent,
    /// The user, through `thread/shellCommand`.
    UserShell,
    /// The agent, in a terminal that stays open.
    UnifiedExecStartup,
    /// The agent, by input to such a terminal.
    UnifiedExecInteraction,
}

/// How far a command is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CommandExecutionStatus {
    /// It runs, or waits for an approval.
    InProgress,
    /// It ended with exit code 0.
    Completed,
    /// It ended otherwise, or could not be started.
    Failed,
    /// It was not allowed to run.
    Declined,
}

/// What a command does, for clients that show it in a friendlier way than as its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum CommandAction {
    /// It reads a file.
    Read {
        /// The part of the command that does.
        command: String,
        /// Name of the file.
        name: String,
        /// Path of the file.
        path: String,
    },
    /// It lists files.
    ListFiles {
        /// The part of the command that does.
        command: String,
        /// Which directory, if the command names one.
        path: Option<String>,
    },
    /// It searches files.
    Search {
        /// The part of the command that does.
        command: String,
        /// For what, if the command's text tells.
        query: Option<String>,
        /// Where, if the command names a place.
        path: Option<String>,
    },
    /// Anything else.
    Unknown {
        /// The part of the command that does.
        command: String,
    },
}

/// A patch of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct FileChange {
    /// The files, in the order of the patch.
    pub changes: Vec<FileUpdateChange>,
    /// Status of the turn.
    pub status: PatchApplyStatus,
}

/// The change of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileUpdateChange {
    /// Path of the file, absolute.
    pub path: String,
    /// What happens to it.
    pub kind: PatchChangeKind,
    /// The whole content of an added or a deleted file; unified hunks without a header for an updated one.
    pub diff: String,
}

/// What happens to a file; snake_case on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum PatchChangeKind {
    /// It is made, or replaced.
    Add,
    /// It is deleted.
    Delete,
    /// Its content changes.
    Update {
        /// Where it moves to; null when it stays.
        move_path: Option<String>,
    },
}

/// How far a patch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PatchApplyStatus {
    /// It is being applied, or waits for an approval.
    InProgress,
    /// All files are changed.
    Completed,
    /// It could not be applied.
    Failed,
    /// It was not allowed.
    Declined,
}
