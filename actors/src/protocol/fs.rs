//! `fs/*`: the files of the server's machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::path::AbsolutePath;

/// Requests that the files actor answers; the variant is named after the method.
#[derive(Debug)]
pub enum FsRequest {
    /// `fs/readFile`
    ReadFile(FsPathParams),
    /// `fs/writeFile`
    WriteFile(FsWriteFileParams),
    /// `fs/createDirectory`
    CreateDirectory(FsCreateDirectoryParams),
    /// `fs/getMetadata`
    GetMetadata(FsPathParams),
    /// `fs/readDirectory`
    ReadDirectory(FsPathParams),
    /// `fs/remove`
    Remove(FsRemoveParams),
    /// `fs/copy`
    Copy(FsCopyParams),
    /// `fs/watch`
    Watch(FsWatchParams),
    /// `fs/unwatch`
    Unwatch(FsUnwatchParams),
}

impl FsRequest {
    /// What the request is about, for people.
    pub fn subject(&self) -> String {
        match self {
            Self::ReadFile(FsPathParams { path })
            | Self::WriteFile(FsWriteFileParams { path, .. })
            | Self::CreateDirectory(FsCreateDirectoryParams { path, .. })
            | Self::GetMetadata(FsPathParams { path })
            | Self::ReadDirectory(FsPathParams { path })
            | Self::Remove(FsRemoveParams { path, .. })
            | Self::Watch(FsWatchParams { path, .. }) => path.to_string(),
            Self::Copy(FsCopyParams { source_path, destination_path, .. }) => {
                format!("{source_path} to {destination_path}")
            }
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
    /// Every other method: it is done.
    Done {},
}

/// Params of a method that is about one path.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct FsPathParams {
    /// Which file or directory.
    pub path: AbsolutePath,
}

/// Params of `fs/writeFile`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsWriteFileParams {
    /// The file; made if need be, but its directory must exist.
    pub path: AbsolutePath,
    /// Everything that the file shall hold, in base64 with padding.
    pub data_base64: String,
}

/// Params of `fs/createDirectory`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FsCreateDirectoryParams {
    /// The directory.
    pub path: AbsolutePath,
    /// Whether missing parents are made, and a directory that exists is fine; true unless said otherwise.
    pub recursive: Option<bool>,
}

/// Params of `fs/remove`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FsRemoveParams {
    /// The file, the symbolic link itself, or the directory.
    pub path: AbsolutePath,
    /// Whether a directory goes with what is in it; true unless said otherwise.
    pub recursive: Option<bool>,
    /// Whether it is fine when there is nothing to remove; true unless said otherwise.
    pub force: Option<bool>,
}

/// Params of `fs/copy`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsCopyParams {
    /// What to copy; of a symbolic link the link itself.
    pub source_path: AbsolutePath,
    /// Where to. A file is replaced, a directory is added to; where a link is copied, nothing must be there yet.
    pub destination_path: AbsolutePath,
    /// Needed for a directory.
    #[serde(default, deserialize_with = "super::optional::null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub recursive: bool,
}

/// Params of `fs/watch`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsWatchParams {
    /// The client's own name for the watch, one per connection.
    pub watch_id: String,
    /// A file, or a directory with the entries in it. It need not exist yet.
    pub path: AbsolutePath,
}

/// Params of `fs/unwatch`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsUnwatchParams {
    /// The name given to `fs/watch`; one that is not in use is fine.
    pub watch_id: String,
}

/// Result of `fs/readFile`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsReadFileResponse {
    /// The content in base64.
    pub data_base64: String,
}

/// Result of `fs/getMetadata`. A symbolic link is described by what it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsGetMetadataResponse {
    /// It is, or leads to, a directory.
    pub is_directory: bool,
    /// It is, or leads to, a regular file.
    pub is_file: bool,
    /// The path itself is a symbolic link.
    pub is_symlink: bool,
    /// Unix milliseconds; 0 where the file system does not know.
    pub created_at_ms: i64,
    /// Unix milliseconds; 0 where the file system does not know.
    pub modified_at_ms: i64,
}

/// Result of `fs/readDirectory`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FsReadDirectoryResponse {
    /// By name. Links that lead nowhere are left out.
    pub entries: Vec<FsReadDirectoryEntry>,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FsReadDirectoryEntry {
    /// The name alone.
    pub file_name: String,
    /// It is, or leads to, a directory.
    pub is_directory: bool,
    /// It is, or leads to, a regular file.
    pub is_file: bool,
}

/// Result of `fs/watch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FsWatchResponse {
    /// The path without `.` and `..`, with which the paths in `fs/changed` begin.
    pub path: AbsolutePath,
}

/// Params of the notification `fs/changed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FsChangedNotification")]
pub struct FsChanged {
    /// Which watch.
    pub watch_id: String,
    /// What changed, sorted. The watched path alone also stands for changes that were too many to be told one by one.
    pub changed_paths: Vec<AbsolutePath>,
}
