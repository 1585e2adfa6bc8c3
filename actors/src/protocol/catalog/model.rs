//! Models and the providers that serve them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PageParams, Unoffered};
use crate::protocol::thread::Unset;

/// Params of `model/list`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelListParams {
    /// The page to return.
    #[serde(flatten)]
    pub page: PageParams,
    /// Includes models that pickers should hide.
    pub include_hidden: Option<bool>,
    /// Provider to list; default: the configured one.
    pub model_provider: Option<String>,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// Id for selecting the model.
    pub id: String,
    /// The provider's name of the model.
    pub model: String,
    /// The suggested successor.
    pub upgrade: Unset,
    /// Details of the suggestion.
    pub upgrade_info: Unset,
    /// A notice about a new model.
    pub availability_nux: Unset,
    /// Name for display.
    pub display_name: String,
    /// One-sentence description.
    pub description: String,
    /// Special purpose of the model; null for a general model.
    pub model_specialty: Unset,
    /// Whether pickers should hide the model.
    pub hidden: bool,
    /// Supported reasoning efforts.
    pub supported_reasoning_efforts: Vec<ReasoningEffortOption>,
    /// Default reasoning effort.
    pub default_reasoning_effort: String,
    /// Kinds of input that the model accepts.
    pub input_modalities: Vec<InputModality>,
    /// Always false.
    pub supports_personality: bool,
    /// Version of multi-agent support.
    pub multi_agent_version: Unset,
    /// Former name of `serviceTiers`.
    pub additional_speed_tiers: Vec<Unoffered>,
    /// Service tiers that can be chosen.
    pub service_tiers: Vec<Unoffered>,
    /// Default service tier.
    pub default_service_tier: Unset,
    /// Access programs for the model.
    pub available_access_programs: Unset,
    /// Whether new threads use the model by default; true for exactly one model.
    pub is_default: bool,
}

/// A reasoning effort that a model supports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReasoningEffortOption {
    /// Name of the effort.
    pub reasoning_effort: String,
    /// Description for display.
    pub description: String,
}

/// A kind of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InputModality {
    /// Text.
    Text,
    /// Images.
    Image,
}

/// Result of `modelProvider/list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelProviderListResponse {
    /// The configured providers by id.
    pub data: Vec<ModelProviderSummary>,
    /// Id of the default provider.
    pub default_provider_id: String,
    /// Whether clients may change the default through this server.
    pub can_change_default: bool,
}

/// A provider without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelProviderSummary {
    /// Key in `model_providers`.
    pub id: String,
    /// Name for display.
    pub name: String,
    /// Whether clients may change the provider through this server.
    pub can_edit: bool,
    /// Base URL; null for the built-in URL, or if the URL contains a secret.
    pub base_url: Option<String>,
    /// Kind of provider and its settings.
    pub settings: ProviderSettings,
}

/// The kinds of provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ProviderSettings {
    /// OpenAI's own service.
    Openai {},
    /// Another server that speaks the same API.
    CustomGateway {
        /// How requests authenticate.
        auth: GatewayAuth,
    },
}

/// How requests to a gateway authenticate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "mode", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum GatewayAuth {
    /// No authentication.
    None {},
    /// With a key from an environment variable.
    EnvironmentVariable {
        /// Name of the variable.
        env_key: String,
    },
    /// With credentials that clients cannot change through this server, such as a token in the configuration.
    ExternallyConfigured {
        /// Name of the environment variable, if one is configured too.
        env_key: Option<String>,
    },
}

/// Result of `modelProvider/capabilities/read`: capabilities of the provider itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelProviderCapabilitiesReadResponse {
    /// Whether the provider generates images.
    pub image_generation: bool,
    /// Whether the provider searches the web.
    pub web_search: bool,
}

/// Params of `modelProvider/default/set`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelProviderDefaultSetParams {
    /// Key of the provider that new threads use from now on.
    pub provider_id: String,
}
