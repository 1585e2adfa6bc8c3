//! Approval of temporary permissions beyond the sandbox.

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
    /// Id of the model's call; there is no item with this id.
    pub item_id: String,
    /// Environment of the permissions; `local` for the server's machine.
    pub environment_id: Option<String>,
    /// When the approval was requested, in Unix milliseconds.
    pub started_at_ms: i64,
    /// Working directory.
    pub cwd: String,
    /// The agent's reason.
    pub reason: Option<String>,
    /// Requested permissions.
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
    /// Granted permissions: the requested ones, or a part of them.
    pub permissions: GrantedPermissionProfile,
    /// Duration of the grant.
    #[serde(default)]
    pub scope: PermissionGrantScope,
    /// Whether a reviewing agent must check every further command of the turn. This server has none.
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

/// Duration of granted permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PermissionGrantScope {
    /// Until the turn ends.
    #[default]
    Turn,
    /// Until the thread is unloaded.
    Session,
}

/// Access to the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdditionalNetworkPermissions {
    /// Whether access is granted.
    pub enabled: Option<bool>,
}

/// Access to files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalFileSystemPermissions {
    /// Readable paths; the older form of `entries`.
    pub read: Option<Vec<String>>,
    /// Readable and writable paths; the older form of `entries`.
    pub write: Option<Vec<String>>,
    /// Maximum depth of directories for patterns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glob_scan_max_depth: Option<u32>,
    /// Entries.
    pub entries: Option<Vec<FileSystemSandboxEntry>>,
}

/// A path and the access to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileSystemSandboxEntry {
    /// The path.
    pub path: FileSystemPath,
    /// The access.
    pub access: FileSystemAccessMode,
}

/// A path in the file system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FileSystemPath {
    /// A path.
    Path {
        /// Absolute.
        path: String,
    },
    /// All paths that match a pattern.
    GlobPattern {
        /// The pattern.
        pattern: String,
    },
    /// A named path.
    Special {
        /// The name.
        value: FileSystemSpecialPath,
    },
}

/// A named path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FileSystemSpecialPath {
    /// The whole file system.
    Root,
    /// The minimum that programs need to run.
    Minimal,
    /// The workspace roots, or a path below each of them.
    ProjectRoots {
        /// The path.
        subpath: Option<String>,
    },
    /// `$TMPDIR`.
    Tmpdir,
    /// `/tmp`.
    SlashTmp,
}

/// Access to a path.
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
