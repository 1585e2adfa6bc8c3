//! Skills: folders with instructions for one kind of task.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::protocol::optional::null_is_default;
use crate::protocol::path::AbsolutePath;
use crate::protocol::thread::Unset;

/// Params of `skills/list`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillsListParams {
    /// Directories to list; default: the server's working directory.
    pub cwds: Option<Vec<String>>,
    /// Reads the files anew. This server always does.
    #[serde(default, deserialize_with = "null_is_default")]
    #[schemars(with = "Option<bool>")]
    pub force_reload: bool,
}

/// Result of `skills/list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SkillsListResponse {
    /// One entry per requested directory.
    pub data: Vec<SkillsListEntry>,
}

/// The skills of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SkillsListEntry {
    /// The directory as requested.
    pub cwd: String,
    /// Its skills: those of the project, of the user, of the reference program, and of the machine.
    pub skills: Vec<SkillMetadata>,
    /// What could not be read.
    pub errors: Vec<SkillErrorInfo>,
}

/// A skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillMetadata {
    /// The name by which users and models call it.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The same in a few words, from `SKILL.md`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_description: Option<String>,
    /// How clients show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<SkillInterface>,
    /// What it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<SkillDependencies>,
    /// Its `SKILL.md`.
    pub path: String,
    /// Whose it is.
    pub scope: SkillScope,
    /// Whether the user has left it on.
    pub enabled: bool,
    /// Always null.
    pub plugin_id: Unset,
}

/// Whose a skill is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SkillScope {
    /// The project's.
    Repo,
    /// The user's.
    User,
    /// One that the reference program brought along.
    System,
    /// The machine's.
    Admin,
}

/// How clients show a skill; from `agents/openai.yaml` beside its `SKILL.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillInterface {
    /// Name for display.
    pub display_name: Option<String>,
    /// Description for display.
    pub short_description: Option<String>,
    /// A small picture, absolute.
    pub icon_small: Option<AbsolutePath>,
    /// A large picture, absolute.
    pub icon_large: Option<AbsolutePath>,
    /// Always null.
    pub icon_small_url: Unset,
    /// Always null.
    pub icon_large_url: Unset,
    /// A colour, as in `#112233`.
    pub brand_color: Option<String>,
    /// What a user could say.
    pub default_prompt: Option<String>,
}

/// What a skill needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SkillDependencies {
    /// Tools; clients may help to set them up.
    #[serde(default)]
    pub tools: Vec<SkillToolDependency>,
}

/// A tool that a skill needs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SkillToolDependency {
    /// What kind of tool, such as `mcp`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its name.
    pub value: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How it is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// The program that offers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Where it is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A skill that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SkillErrorInfo {
    /// Which file or folder.
    pub path: String,
    /// Why.
    pub message: String,
}

/// Params of `skills/config/write`: one skill by its file, or all of a name.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SkillsConfigWriteParams {
    /// The `SKILL.md`.
    pub path: Option<AbsolutePath>,
    /// The name.
    pub name: Option<String>,
    /// Whether it is on from now on.
    pub enabled: bool,
}

/// Result of `skills/config/write`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillsConfigWriteResponse {
    /// Whether it is on now.
    pub effective_enabled: bool,
}

/// Params of `skills/extraRoots/set`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillsExtraRootsSetParams {
    /// Folders with skills of the user besides the usual ones, until the server ends; they replace earlier ones.
    pub extra_roots: Vec<AbsolutePath>,
}
