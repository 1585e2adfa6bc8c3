//! The other lists: permission profiles, collaboration modes, and what this server does not have.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PageParams, Unoffered};
use crate::protocol::thread::ModeKind;

/// Params of `permissionProfile/list`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct PermissionProfileListParams {
    /// Which page.
    #[serde(flatten)]
    pub page: PageParams,
    /// The directory whose project layers count too.
    pub cwd: Option<String>,
}

/// A named set of permissions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PermissionProfileSummary {
    /// `:name` for a built-in one.
    pub id: String,
    /// For people.
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

/// A preset for turns; null leaves the thread's own setting. Its members are snake_case on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CollaborationModeMask {
    /// For people.
    pub name: String,
    /// What the preset is for.
    pub mode: ModeKind,
    /// The model to use.
    pub model: Option<String>,
    /// How long the model thinks.
    pub reasoning_effort: Option<String>,
}

/// Params of a list that is asked for by working directory.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct CwdsParams {
    /// The directories; none means the server's own.
    pub cwds: Option<Vec<String>>,
}

/// Result of `skills/list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SkillsListResponse {
    /// One entry per directory asked for.
    pub data: Vec<SkillsListEntry>,
}

/// The skills of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SkillsListEntry {
    /// As it was asked for.
    pub cwd: String,
    /// This server has no skills.
    pub skills: Vec<Unoffered>,
    /// Skills that could not be read.
    pub errors: Vec<Unoffered>,
}

/// Result of `hooks/list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HooksListResponse {
    /// One entry per directory asked for.
    pub data: Vec<HooksListEntry>,
}

/// The hooks of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HooksListEntry {
    /// As it was asked for.
    pub cwd: String,
    /// This server runs no hooks.
    pub hooks: Vec<Unoffered>,
    /// What is odd about them.
    pub warnings: Vec<Unoffered>,
    /// Hooks that could not be read.
    pub errors: Vec<Unoffered>,
}

/// Result of `plugin/list`: this server has no plugins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginListResponse {
    /// Where plugins come from.
    pub marketplaces: Vec<Unoffered>,
    /// Marketplaces that could not be read.
    pub marketplace_load_errors: Vec<Unoffered>,
    /// Plugins to advertise.
    pub featured_plugin_ids: Vec<Unoffered>,
}

/// Result of `plugin/installed`: this server has no plugins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginInstalledResponse {
    /// Where the installed plugins come from.
    pub marketplaces: Vec<Unoffered>,
    /// Marketplaces that could not be read.
    pub marketplace_load_errors: Vec<Unoffered>,
}
