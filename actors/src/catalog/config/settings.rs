//! The settings of `config.toml` that this server uses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::Fault;
use crate::command::EnvironmentPolicy;
use crate::mcp::ServerConfig;
use crate::model::{OPENAI, Provider};
use crate::protocol::settings::ReasoningSummary;
use crate::protocol::thread::{ApprovalsReviewer, AskForApproval, SandboxMode};
use crate::skills::SkillChoice;

/// See the module's documentation. The members are those of `config.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Base URL of the remote-control backend.
    pub chatgpt_base_url: Option<String>,
    /// Model of new threads.
    pub model: Option<String>,
    /// A key of [`Self::model_providers`], or [`OPENAI`].
    pub model_provider: Option<String>,
    /// Reasoning effort.
    #[serde(deserialize_with = "effort")]
    pub model_reasoning_effort: Option<String>,
    /// When to ask for approval.
    #[serde(deserialize_with = "approval_policy")]
    pub approval_policy: Option<AskForApproval>,
    /// Who reviews approvals.
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    /// Sandbox mode of new threads.
    pub sandbox_mode: Option<SandboxMode>,
    /// Details of the workspace-write sandbox.
    pub sandbox_workspace_write: SandboxWorkspaceWrite,
    /// Permission profile of new threads if there is no [`Self::sandbox_mode`].
    pub default_permissions: Option<String>,
    /// User-defined permission profiles.
    pub permissions: BTreeMap<String, PermissionProfile>,
    /// Service tier.
    pub service_tier: Option<String>,
    /// How the model reports its thoughts.
    pub model_reasoning_summary: Option<ReasoningSummary>,
    /// Tokens that fit into the model's context window.
    pub model_context_window: Option<u64>,
    /// Tokens of a call above which the conversation is summarised before the next one.
    pub model_auto_compact_token_limit: Option<u64>,
    /// A file with instructions for the model in place of the built-in ones.
    pub model_instructions_file: Option<String>,
    /// Instructions for the model in addition to the built-in ones.
    pub developer_instructions: Option<String>,
    /// Bytes of the instruction files of a project.
    pub project_doc_max_bytes: Option<usize>,
    /// Tokens of a tool's output that the model sees.
    pub tool_output_token_limit: Option<usize>,
    /// Names of instruction files besides the usual ones.
    pub project_doc_fallback_filenames: Vec<String>,
    /// Base URL of OpenAI.
    pub openai_base_url: Option<String>,
    /// Providers besides the built-in ones, or in place of them.
    pub model_providers: BTreeMap<String, Provider>,
    /// MCP servers.
    pub mcp_servers: BTreeMap<String, Arc<ServerConfig>>,
    /// The user's trust decisions, by directory.
    pub projects: BTreeMap<String, Project>,
    /// Names of files and directories that mark the root of a project.
    pub project_root_markers: Option<Vec<String>>,
    /// What the user says about skills.
    pub skills: SkillSettings,
    /// What commands inherit.
    pub shell_environment_policy: EnvironmentPolicy,
    /// A former way of choosing settings, which is no longer supported.
    profile: Option<String>,
}

/// `[sandbox_workspace_write]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // As in the policy of the same name.
pub struct SandboxWorkspaceWrite {
    pub writable_roots: Vec<String>,
    pub network_access: bool,
    pub exclude_tmpdir_env_var: bool,
    pub exclude_slash_tmp: bool,
}

/// `[skills]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct SkillSettings {
    /// Which skills are off.
    pub config: Vec<SkillChoice>,
}

/// `[permissions.<name>]`, as far as this server supports it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PermissionProfile {
    /// Text for display.
    pub description: Option<String>,
    /// The profile that it extends.
    pub extends: Option<String>,
}

/// `[projects."<directory>"]`
#[derive(Clone, Debug, Deserialize)]
pub struct Project {
    /// The user's decision.
    pub trust_level: Option<TrustLevel>,
}

/// Whether the user trusts a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustLevel {
    /// Its configuration is active, and the agent may write in it.
    Trusted,
    /// Its configuration is ignored, and the agent asks for every approval.
    Untrusted,
}

impl Settings {
    /// Deserializes the settings of a merged configuration.
    ///
    /// # Errors
    /// A value has the wrong type; the text names the setting.
    pub fn from_table(table: &toml::Table) -> Result<Self, Fault> {
        table.clone().try_into().map_err(|e: toml::de::Error| Fault::new(e.to_string()))
    }

    /// Names of files and folders that mark the root of a project.
    pub fn root_markers(&self) -> Vec<String> {
        self.project_root_markers.clone().unwrap_or_else(|| vec![".git".to_owned()])
    }

    /// The default provider.
    pub fn default_provider(&self) -> &str {
        self.model_provider.as_deref().unwrap_or(OPENAI)
    }

    /// The provider `id`: a configured one, or a built-in one.
    pub fn provider(&self, id: &str) -> Option<Provider> {
        let configured = self.model_providers.get(id).filter(|_| id != OPENAI);
        if let Some(provider) = configured {
            return Some(Provider { id: id.to_owned(), ..provider.clone() });
        }
        let mut provider = Provider::built_in().into_iter().find(|provider| provider.id == id)?;
        if id == OPENAI {
            provider.base_url = self.openai_base_url.clone();
        }
        Some(provider)
    }

    /// All providers, by their ids.
    pub fn providers(&self) -> Vec<Provider> {
        let built_in = Provider::built_in().into_iter().map(|provider| provider.id);
        let ids: BTreeSet<String> = self.model_providers.keys().cloned().chain(built_in).collect();
        ids.iter().filter_map(|id| self.provider(id)).collect()
    }

    /// Whether provider `id` uses the OpenAI sign-in. An unknown provider is treated as OpenAI.
    pub fn requires_openai_auth(&self, id: &str) -> bool {
        self.provider(id).is_none_or(|provider| provider.requires_openai_auth)
    }

    /// Checks what types cannot express.
    ///
    /// # Errors
    /// The texts are the reference program's.
    pub fn check(&self) -> Result<(), Fault> {
        self.check_key().map_err(|(_, fault)| fault)
    }

    /// The same, with the top-level name that is at fault.
    ///
    /// # Errors
    /// As for [`Self::check`].
    pub fn check_key(&self) -> Result<(), (&'static str, Fault)> {
        if let Some(profile) = &self.profile {
            let text = format!("legacy `profile = \"{profile}\"` config is no longer supported");
            return Err(("profile", Fault::new(text)));
        }
        if self.model_providers.contains_key(OPENAI) {
            let text = format!(
                "model_providers contains reserved built-in provider IDs: `{OPENAI}`. Built-in providers cannot be \
                 overridden. Rename your custom provider (for example, `{OPENAI}-custom`)."
            );
            return Err(("model_providers", Fault::new(text)));
        }
        self.check_provider(self.default_provider()).map_err(|fault| ("model_provider", fault))
    }

    /// Checks that provider `id` exists.
    ///
    /// # Errors
    /// The text is the reference program's.
    pub fn check_provider(&self, id: &str) -> Result<(), Fault> {
        if self.provider(id).is_some() {
            return Ok(());
        }
        Err(Self::unknown_provider(id))
    }

    /// The fault of a provider that does not exist, in the reference program's words.
    pub fn unknown_provider(id: &str) -> Fault {
        Fault::new(format!("Model provider `{id}` not found"))
    }
}

/// Configurations of earlier versions say `on-failure`, which no client may send any more.
fn approval_policy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<AskForApproval>, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::String(former) if former == "on-failure" => Ok(Some(AskForApproval::OnRequest)),
        policy => AskForApproval::deserialize(policy).map(Some).map_err(|error| D::Error::custom(error.message())),
    }
}

fn effort<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let effort = String::deserialize(deserializer)?;
    if effort.is_empty() {
        return Err(serde::de::Error::custom("reasoning_effort must not be empty"));
    }
    Ok(Some(effort))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Settings, String> {
        let settings = Settings::from_table(&toml::from_str(text).unwrap()).map_err(|fault| fault.to_string())?;
        settings.check().map_err(|fault| fault.to_string())?;
        Ok(settings)
    }

    #[test]
    fn the_provider_must_exist() {
        assert!(checked("").is_ok());
        assert!(checked("model_provider = 'x'\n[model_providers.x]\nname = 'X'").is_ok());
        assert_eq!(checked("model_provider = 'x'").unwrap_err(), "Model provider `x` not found");
        assert!(checked("[model_providers.openai]\nname = 'X'").unwrap_err().contains("reserved"));
    }

    #[test]
    fn a_table_replaces_a_built_in_provider() {
        for id in ["echo", "llamacpp", "lmstudio", "ollama", "openai"] {
            assert!(checked(&format!("model_provider = '{id}'")).is_ok(), "{id}");
        }
        let settings =
            checked("openai_base_url = 'http://o'\n[model_providers.ollama]\nbase_url = 'http://h'").unwrap();
        assert_eq!(settings.provider("ollama").unwrap().base_url.as_deref(), Some("http://h"));
        assert_eq!(settings.provider("openai").unwrap().base_url.as_deref(), Some("http://o"));
        let ids: Vec<String> = settings.providers().into_iter().map(|provider| provider.id).collect();
        assert_eq!(ids, ["echo", "llamacpp", "lmstudio", "ollama", "openai"]);
        assert!(checked("[model_providers.x]\nwire_api = 'smoke'").unwrap_err().contains("`responses` or `chat`"));
    }

    #[test]
    fn faults_name_the_setting() {
        assert_eq!(checked("model = 3").unwrap_err(), "invalid type: integer `3`, expected a string\nin `model`\n");
        let sandbox = checked("sandbox_mode = 'bogus'").unwrap_err();
        let known = "`read-only`, `workspace-write`, `danger-full-access`";
        assert_eq!(sandbox, format!("unknown variant `bogus`, expected one of {known}\nin `sandbox_mode`\n"));
        assert!(checked("model_reasoning_effort = ''").unwrap_err().starts_with("reasoning_effort must not be empty"));
        assert!(checked("profile = 'p'").unwrap_err().contains("no longer supported"));
    }

    #[test]
    fn what_older_configurations_say_is_understood() {
        let settings = checked("approval_policy = 'on-failure'").unwrap();
        assert_eq!(settings.approval_policy, Some(AskForApproval::OnRequest));
    }

    #[test]
    fn debug_shows_no_secret() {
        let text = "[model_providers.x]\nname = 'X'\nexperimental_bearer_token = 'a-secret'";
        assert!(!format!("{:?}", checked(text).unwrap()).contains("a-secret"));
    }
}
