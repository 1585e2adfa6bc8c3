//! `fs/*`: files on the server's machine.
//!
//! A path that is not UTF-8 cannot be written in JSON. Beside each path, except that of a watch, its bytes can be given in
//! base64, and then they count. The reference program does not have these members.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::path::{AbsolutePath, ExactPath};

/// Requests that the files actor answers; the variant is named after the method.
#[derive(Debug)]
pub enum FsRequest {
    /// `fs/readFile`
    ReadFile(FsPathParams),
    /// `fs/writeFile`
    WriteFile(Box<FsWriteFileParams>),
    /// `fs/createDirectory`
    CreateDirectory(FsCreateDirectoryParams),
    /// `fs/getMetadata`
    GetMetadata(FsPathParams),
    /// `fs/readDirectory`
    ReadDirectory(FsPathParams),
    /// `fs/remove`
    Remove(FsRemoveParams),
    /// `fs/copy`
    Copy(Box<FsCopyParams>),
    /// `fs/watch`
    Watch(FsWatchParams),
    /// `fs/unwatch`
    Unwatch(FsUnwatchParams),
}

impl FsRequest {
    /// Puts the paths that were given as bytes in the place of those that only show them.
    pub fn with_exact_paths(mut self) -> Self {
        let put = |path: &mut AbsolutePath, exact: &mut Option<ExactPath>| {
            if let Some(exact) = exact.take() {
                *path = exact.into_path();
            }
        };
        match &mut self {
            Self::ReadFile(FsPathParams { path, path_base64 })
            | Self::CreateDirectory(FsCreateDirectoryParams { path, path_base64, .. })
            | Self::GetMetadata(FsPathParams { path, path_base64 })
            | Self::ReadDirectory(FsPathParams { path, path_base64 })
            | Self::Remove(FsRemoveParams { path, path_base64, .. }) => put(path, path_base64),
            Self::WriteFile(params) => put(&mut params.path, &mut params.path_base64),
            Self::Copy(params) => {
                put(&mut params.source_path, &mut params.source_path_base64);
                put(&mut params.destination_path, &mut params.destination_path_base64);
            }
            Self::Watch(_) | Self::Unwatch(_) => {}
        }
        self
    }

    /// What the request is about, for people.
    pub fn subject(&self) -> String {
        match self {
            Self::ReadFile(FsPathParams { path, .. })
            | Self::CreateDirectory(FsCreateDirectoryParams { path, .. })
            | Self::GetMetadata(FsPathParams { path, .. })
            | Self::ReadDirectory(FsPathParams { path, .. })
            | Self::Remove(FsRemoveParams { path, .. })
            | Self::Watch(FsWatchParams { path, .. }) => path.to_string(),
            Self::WriteFile(params) => params.path.to_string(),
            Self::Copy(params) => format!("{} to {}", params.source_path, params.destination_path),
            Self::Unwatch(FsUnwatchParams { watch_id }) => watch_id.clone(),
        }
    }
}

/// The result of an [`FsRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum FsAnswer {
    /// `fs/readFile`
    ReadFile(FsReadFileResponse),
    /// `fs/getMetadata`
    GetMetadata(FsGetMetadataResponse),
    /// `fs/readDirectory`
    ReadDirectory(FsReadDirectoryResponse),
    /// `fs/watch`
    Watch(FsWatchResponse),
    /// Every other method: an empty object
    Done {},
}

/// Params of a method about one path.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct FsPathParams {
    /// The file or directory.
    pub path: AbsolutePath,
    /// The bytes of the path in base64, if it is not UTF-8; then `path` only shows it.
    pub path_base64: Option<ExactPath>,
}

/// Params of `fs/writeFile`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsWriteFileParams {
    /// The file. It is created if needed; its directory must exist.
    pub path: AbsolutePath,
    /// The bytes of the path in base64, if it is not UTF-8; then `path` only shows it.
    pub path_base64: Option<ExactPath>,
    /// The new content, in base64 with padding.
    pub data_base64: String,
}

/// Params of `fs/createDirectory`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsCreateDirectoryParams {
    /// The directory.
    pub path: AbsolutePath,
    /// The bytes of the path in base64, if it is not UTF-8; then `path` only shows it.
    pub path_base64: Option<ExactPath>,
    /// Whether to create missing parents and accept an existing directory; default: true.
    pub recursive: Option<bool>,
}

/// Params of `fs/remove`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsRemoveParams {
    /// The file, directory, or symbolic link. A link itself is removed, not its target.
    pub path: AbsolutePath,
    /// The bytes of the path in base64, if it is not UTF-8; then `path` only shows it.
    pub path_base64: Option<ExactPath>,
    /// Whether to remove a directory with its contents; default: true.
    pub recursive: Option<bool>,
    /// Whether a missing path is not an error; default: true.
    pub force: Option<bool>,
}

/// Params of `fs/copy`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsCopyParams {
    /// The file, directory, or symbolic link to copy. A link itself is copied, not its target.
    pub source_path: AbsolutePath,
    /// The bytes of the source in base64, if it is not UTF-8.
    pub source_path_base64: Option<ExactPath>,
    /// The destination. An existing file is replaced, an existing directory is merged. For a link, the destination must
    /// not exist.
    pub destination_path: AbsolutePath,
    /// The bytes of the destination in base64, if it is not UTF-8.
    pub destination_path_base64: Option<ExactPath>,
    /// Must be true to copy a directory.
    #[serde(default, deserialize_with = "super::optional::null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub recursive: bool,
}

/// Params of `fs/watch`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsWatchParams {
    /// The client's name for the watch, unique per connection.
    pub watch_id: String,
    /// A file, or a directory and its direct entries. It need not exist yet.
    pub path: AbsolutePath,
}

/// Params of `fs/unwatch`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsUnwatchParams {
    /// The name given to `fs/watch`; an unknown name is not an error.
    pub watch_id: String,
}

/// Result of `fs/readFile`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsReadFileResponse {
    /// The content in base64.
    pub data_base64: String,
}

/// Result of `fs/getMetadata`. For a symbolic link, it describes the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsGetMetadataResponse {
    /// Whether it is a directory or a link to one.
    pub is_directory: bool,
    /// Whether it is a regular file or a link to one.
    pub is_file: bool,
    /// Whether the path itself is a symbolic link.
    pub is_symlink: bool,
    /// Unix time in milliseconds; 0 if the file system does not record it.
    pub created_at_ms: i64,
    /// Unix time in milliseconds; 0 if the file system does not record it.
    pub modified_at_ms: i64,
}

/// Result of `fs/readDirectory`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FsReadDirectoryResponse {
    /// Entries, sorted by name. What is neither a directory nor a file is listed too, dangling links included.
    pub entries: Vec<FsReadDirectoryEntry>,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsReadDirectoryEntry {
    /// Name without its directory. Where it is not UTF-8, U+FFFD stands for what is not.
    pub file_name: String,
    /// The bytes of a name that is not UTF-8, in base64. The reference program does not have this member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub file_name_base64: Option<String>,
    /// Whether it is a directory or a link to one.
    pub is_directory: bool,
    /// Whether it is a regular file or a link to one.
    pub is_file: bool,
}

/// Result of `fs/watch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FsWatchResponse {
    /// The watched path without `.` and `..`; paths in `fs/changed` begin with it.
    pub path: AbsolutePath,
}

/// Params of the notification `fs/changed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FsChangedNotification")]
pub struct FsChanged {
    /// The watch.
    pub watch_id: String,
    /// Changed paths, sorted. Only the watched path, if there were too many changes to list.
    pub changed_paths: Vec<AbsolutePath>,
}
