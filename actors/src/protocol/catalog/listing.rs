//! Permission profiles, collaboration modes, and lists that are always empty in this server.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PageParams, Unoffered};
use crate::protocol::thread::ModeKind;

/// Params of `permissionProfile/list`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct PermissionProfileListParams {
    /// The page to return.
    #[serde(flatten)]
    pub page: PageParams,
    /// Directory whose project layers are included.
    pub cwd: Option<String>,
}

/// A named set of permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PermissionProfileSummary {
    /// Id of the profile; built-in profiles begin with `:`.
    pub id: String,
    /// Text for display.
    pub description: Option<String>,
    /// Whether an administrator's requirements allow it.
    pub allowed: bool,
}

/// Result of `collaborationMode/list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CollaborationModeListResponse {
    /// The presets.
    pub data: Vec<CollaborationModeMask>,
}

/// A preset for turns. A null member keeps the thread's own setting. Member names are snake_case on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CollaborationModeMask {
    /// Text for display.
    pub name: String,
    /// The kind of work.
    pub mode: ModeKind,
    /// The model to use.
    pub model: Option<String>,
    /// Reasoning effort.
    pub reasoning_effort: Option<String>,
}

/// Params of a list by working directory.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct CwdsParams {
    /// Directories to list; default: the server's working directory.
    pub cwds: Option<Vec<String>>,
}

/// Result of `hooks/list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HooksListResponse {
    /// One entry per requested directory.
    pub data: Vec<HooksListEntry>,
}

/// The hooks of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HooksListEntry {
    /// The directory as requested.
    pub cwd: String,
    /// Always empty: this server runs no hooks.
    pub hooks: Vec<Unoffered>,
    /// Warnings about the hooks.
    pub warnings: Vec<Unoffered>,
    /// Hooks that could not be read.
    pub errors: Vec<Unoffered>,
}

/// Result of `plugin/list`: this server has no plugins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginListResponse {
    /// Sources of plugins.
    pub marketplaces: Vec<Unoffered>,
    /// Marketplaces that could not be read.
    pub marketplace_load_errors: Vec<Unoffered>,
    /// Recommended plugins.
    pub featured_plugin_ids: Vec<Unoffered>,
}

/// Result of `plugin/installed`: this server has no plugins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginInstalledResponse {
    /// Sources of the installed plugins.
    pub marketplaces: Vec<Unoffered>,
    /// Marketplaces that could not be read.
    pub marketplace_load_errors: Vec<Unoffered>,
}

/// Params of `experimentalFeature/enablement/set`.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct ExperimentalFeatureEnablementSetParams {
    /// Features by name, and whether they are on.
    pub enablement: BTreeMap<String, bool>,
}

/// Result of `experimentalFeature/enablement/set`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ExperimentalFeatureEnablementSetResponse {
    /// The features that were changed. This server has none, as `experimentalFeature/list` says, so none ever is.
    pub enablement: BTreeMap<String, bool>,
}

/// Params of `mcpServer/oauth/login`, which this server refuses.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct McpServerOauthLoginParams {
    /// The server.
    pub name: String,
    /// The thread that it belongs to.
    pub thread_id: Option<String>,
}

/// Params of `feedback/upload`, which this server refuses.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeedbackUploadParams {
    /// What the feedback is about.
    pub classification: String,
    /// What the user says.
    pub reason: Option<String>,
    /// The thread that it is about.
    pub thread_id: Option<String>,
}
