//! Items of the agent's own actions: commands and patches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::unset::Unset;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct CommandExecution {
    /// The plugin whose script the command runs.
    #[serde(default)]
    pub plugin_id: Unset,
    /// Path of that script in the plugin.
    #[serde(default)]
    pub script_path: Unset,
    /// Program and arguments, quoted for a shell.
    pub command: String,
    /// Absolute working directory.
    pub cwd: String,
    /// Id of the process for later input and output.
    pub process_id: Option<String>,
    /// Who ran the command.
    #[serde(default)]
    pub source: CommandExecutionSource,
    /// Status.
    pub status: CommandExecutionStatus,
    /// What the command does, as far as its text shows.
    pub command_actions: Vec<CommandAction>,
    /// Output on stdout and stderr in order of arrival; null while it is running.
    pub aggregated_output: Option<String>,
    /// Exit code; 128 + N after signal N.
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

/// Status of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CommandExecutionStatus {
    /// It is running, or waiting for an approval.
    InProgress,
    /// It has ended with exit code 0.
    Completed,
    /// It has ended otherwise, or could not be started.
    Failed,
    /// It was declined.
    Declined,
}

/// What a command does, for clients that show more than its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum CommandAction {
    /// It reads a file.
    Read {
        /// The part of the command that does it.
        command: String,
        /// Name of the file.
        name: String,
        /// Path of the file.
        path: String,
    },
    /// It lists files.
    ListFiles {
        /// The part of the command that does it.
        command: String,
        /// The directory, if the command names one.
        path: Option<String>,
    },
    /// It searches files.
    Search {
        /// The part of the command that does it.
        command: String,
        /// The query, if the command's text shows it.
        query: Option<String>,
        /// The path, if the command names one.
        path: Option<String>,
    },
    /// Anything else.
    Unknown {
        /// The part of the command that does it.
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
    /// Status.
    pub status: PatchApplyStatus,
}

/// The change of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileUpdateChange {
    /// Absolute path of the file.
    pub path: String,
    /// Kind of the change.
    pub kind: PatchChangeKind,
    /// The whole content of an added or deleted file; unified hunks without a header for an updated one.
    pub diff: String,
}

/// Kind of a change. Member names are snake_case on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum PatchChangeKind {
    /// The file is created or replaced.
    Add,
    /// The file is deleted.
    Delete,
    /// The file is changed.
    Update {
        /// New path of a moved file; null if it is not moved.
        move_path: Option<String>,
    },
}

/// Status of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PatchApplyStatus {
    /// It is being applied, or waiting for an approval.
    InProgress,
    /// All files are changed.
    Completed,
    /// It could not be applied.
    Failed,
    /// It was declined.
    Declined,
}
