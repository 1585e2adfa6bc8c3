//! The settings that this server itself goes by, out of the many that `config.toml` may hold.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::Fault;
use crate::protocol::thread::{ApprovalsReviewer, AskForApproval, SandboxMode};

/// The provider that needs no configuration.
pub const OPENAI: &str = "openai";

/// See the module's documentation; the members are those of `config.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The backend of remote control.
    pub chatgpt_base_url: Option<String>,
    /// The model of new threads.
    pub model: Option<String>,
    /// A key of [`Self::model_providers`], or [`OPENAI`].
    pub model_provider: Option<String>,
    /// How long the model thinks.
    #[serde(deserialize_with = "effort")]
    pub model_reasoning_effort: Option<String>,
    /// When a person is asked.
    pub approval_policy: Option<AskForApproval>,
    /// Who is asked.
    pub approvals_reviewer: Option<ApprovalsReviewer>,
    /// The sandbox of new threads.
    pub sandbox_mode: Option<SandboxMode>,
    /// The details of the workspace-write sandbox.
    pub sandbox_workspace_write: SandboxWorkspaceWrite,
    /// The permission profile of new threads, where there is no [`Self::sandbox_mode`].
    pub default_permissions: Option<String>,
    /// The user's own permission profiles.
    pub permissions: BTreeMap<String, PermissionProfile>,
    /// The provider's service tier.
    pub service_tier: Option<String>,
    /// Providers besides OpenAI.
    pub model_providers: BTreeMap<String, ModelProvider>,
    /// MCP servers.
    pub mcp_servers: BTreeMap<String, McpServer>,
    /// By directory, whether the user trusts what lies in it.
    pub projects: BTreeMap<String, Project>,
    /// Names whose presence makes a directory the root of a project.
    pub project_root_markers: Option<Vec<String>>,
    /// A way of choosing settings that is no longer supported.
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

/// `[permissions.<name>]`, as far as this server goes by it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct PermissionProfile {
    /// For people.
    pub description: Option<String>,
    /// The profile that it builds upon.
    pub extends: Option<String>,
}

/// `[model_providers.<id>]`. The values of secrets are not read, only whether there are any.
#[derive(Clone, Debug, Deserialize)]
pub struct ModelProvider {
    /// For people.
    pub name: Option<String>,
    /// Where it is.
    pub base_url: Option<String>,
    /// The environment variable that holds the key.
    pub env_key: Option<String>,
    /// Whether it takes the user's OpenAI sign-in.
    #[serde(default)]
    pub requires_openai_auth: bool,
    /// A token in the configuration itself.
    pub experimental_bearer_token: Option<IgnoredAny>,
}

/// `[mcp_servers.<name>]`
#[derive(Clone, Debug, Deserialize)]
pub struct McpServer {
    /// False switches it off.
    pub enabled: Option<bool>,
}

/// `[projects."<directory>"]`
#[derive(Clone, Debug, Deserialize)]
pub struct Project {
    /// What the user decided.
    pub trust_level: Option<TrustLevel>,
}

/// Whether the user trusts a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustLevel {
    /// Its configuration counts, and the agent may write in it.
    Trusted,
    /// Its configuration does not count, and the agent asks before everything.
    Untrusted,
}

impl Settings {
    /// Reads the settings out of a configuration made from several sources.
    ///
    /// # Errors
    /// A value of the wrong type; the text names the setting.
    pub fn from_table(table: &toml::Table) -> Result<Self, Fault> {
        table.clone().try_into().map_err(|e: toml::de::Error| Fault::new(e.to_string()))
    }

    /// The provider of threads that do not choose one.
    pub fn default_provider(&self) -> &str {
        self.model_provider.as_deref().unwrap_or(OPENAI)
    }

    /// Whether provider `id` takes the user's OpenAI sign-in; a provider that is not configured is taken for OpenAI.
    pub fn requires_openai_auth(&self, id: &str) -> bool {
        self.model_providers.get(id).is_none_or(|provider| provider.requires_openai_auth)
    }

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// With the reference program's texts.
    pub fn check(&self) -> Result<(), Fault> {
        if let Some(profile) = &self.profile {
            return Err(Fault::new(format!("legacy `profile = \"{profile}\"` config is no longer supported")));
        }
        if self.model_providers.contains_key(OPENAI) {
            return Err(Fault::new(format!(
                "model_providers contains reserved built-in provider IDs: `{OPENAI}`. Built-in providers cannot be \
                 overridden. Rename your custom provider (for example, `{OPENAI}-custom`)."
            )));
        }
        self.check_provider(self.default_provider())
    }

    /// Checks that there is a provider `id`.
    ///
    /// # Errors
    /// With the reference program's text.
    pub fn check_provider(&self, id: &str) -> Result<(), Fault> {
        if id == OPENAI || self.model_providers.contains_key(id) {
            return Ok(());
        }
        Err(Fault::new(format!("Model provider `{id}` not found")))
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
