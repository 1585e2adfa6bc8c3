//! Asking whether the agent may do more than its sandbox allows, for a while.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::thread::ThreadId;

/// Params of `item/permissions/requestApproval`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermissionsRequestApprovalParams {
    /// Id of the thread.
    pub thread_id: ThreadId,
    /// Id of the turn.
    pub turn_id: String,
    /// The call of the model; there is no item of this id.
    pub item_id: String,
    /// Where the permissions would hold; `local` for the machine of the server.
    pub environment_id: Option<String>,
    /// Since when the question stands, in Unix milliseconds.
    pub started_at_ms: i64,
    /// The working directory.
    pub cwd: String,
    /// Why the agent wants them.
    pub reason: Option<String>,
    /// What it wants.
    pub permissions: RequestPermissionProfile,
}

/// Permissions in addition to a sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestPermissionProfile {
    /// The network.
    pub network: Option<AdditionalNetworkPermissions>,
    /// Files.
    pub file_system: Option<AdditionalFileSystemPermissions>,
}

/// Result of `item/permissions/requestApproval`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermissionsRequestApprovalResponse {
    /// What is allowed: what was asked for, or a part of it.
    pub permissions: GrantedPermissionProfile,
    /// For how long.
    #[serde(default)]
    pub scope: PermissionGrantScope,
    /// A reviewing agent shall look at every further command of the turn; this server has none.
    #[serde(default)]
    pub strict_auto_review: Option<bool>,
}

/// Permissions that are granted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantedPermissionProfile {
    /// The network.
    #[serde(default)]
    pub network: Option<AdditionalNetworkPermissions>,
    /// Files.
    #[serde(default)]
    pub file_system: Option<AdditionalFileSystemPermissions>,
}

/// For how long permissions are granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PermissionGrantScope {
    /// Until the turn ends.
    #[default]
    Turn,
    /// Until the thread leaves memory.
    Session,
}

/// Access to the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdditionalNetworkPermissions {
    /// Whether there is any.
    pub enabled: Option<bool>,
}

/// Access to files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalFileSystemPermissions {
    /// Paths that may be read; the older form of `entries`.
    pub read: Option<Vec<String>>,
    /// Paths that may be read and written; the older form of `entries`.
    pub write: Option<Vec<String>>,
    /// Directories that a pattern may descend into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glob_scan_max_depth: Option<u32>,
    /// Places and what may be done there.
    pub entries: Option<Vec<FileSystemSandboxEntry>>,
}

/// A place and what may be done there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileSystemSandboxEntry {
    /// Which place.
    pub path: FileSystemPath,
    /// What may be done there.
    pub access: FileSystemAccessMode,
}

/// A place in the file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FileSystemPath {
    /// A path.
    Path {
        /// Absolute.
        path: String,
    },
    /// Whatever fits a pattern.
    GlobPattern {
        /// The pattern.
        pattern: String,
    },
    /// A place with a name.
    Special {
        /// Its name.
        value: FileSystemSpecialPath,
    },
}

/// A place with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FileSystemSpecialPath {
    /// The whole thread is unread.
    Root,
    /// What programs need to run at all.
    Minimal,
    /// The roots of the workspace, or a path below each of them.
    ProjectRoots {
        /// The path.
        subpath: Option<String>,
    },
    /// `$TMPDIR`.
    Tmpdir,
    /// `/tmp`.
    SlashTmp,
}

/// What may be done in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FileSystemAccessMode {
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
    /// Nothing.
    Deny,
}
