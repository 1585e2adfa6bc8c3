//! Models and the providers that serve them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PageParams, Unoffered};
use crate::protocol::thread::Unset;

/// Params of `model/list`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelListParams {
    /// Which page.
    #[serde(flatten)]
    pub page: PageParams,
    /// Whether models that a picker should not show are listed too.
    pub include_hidden: Option<bool>,
    /// The provider to ask instead of the configured one.
    pub model_provider: Option<String>,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// What clients select it by.
    pub id: String,
    /// What the provider calls it.
    pub model: String,
    /// The model to move on to.
    pub upgrade: Unset,
    /// How to advertise that.
    pub upgrade_info: Unset,
    /// A notice about a new model.
    pub availability_nux: Unset,
    /// The name for people.
    pub display_name: String,
    /// One sentence about it.
    pub description: String,
    /// What it is made for, unless for everything.
    pub model_specialty: Unset,
    /// Whether a picker should leave it out.
    pub hidden: bool,
    /// How long it can be told to think.
    pub supported_reasoning_efforts: Vec<ReasoningEffortOption>,
    /// How long it thinks unless told otherwise.
    pub default_reasoning_effort: String,
    /// What a user may send it.
    pub input_modalities: Vec<InputModality>,
    /// Always false.
    pub supports_personality: bool,
    /// Which way it runs several agents.
    pub multi_agent_version: Unset,
    /// The old name of [`Self::service_tiers`].
    pub additional_speed_tiers: Vec<Unoffered>,
    /// Paid speeds.
    pub service_tiers: Vec<Unoffered>,
    /// The speed chosen by the catalogue.
    pub default_service_tier: Unset,
    /// Programs that give access to it.
    pub available_access_programs: Unset,
    /// Whether a thread gets it when nobody chooses; true of exactly one model.
    pub is_default: bool,
}

/// A reasoning effort that a model supports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReasoningEffortOption {
    /// Its name.
    pub reasoning_effort: String,
    /// What it is good for.
    pub description: String,
}

/// A kind of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InputModality {
    /// Text.
    Text,
    /// Pictures.
    Image,
}

/// Result of `modelProvider/list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelProviderListResponse {
    /// The configured providers by id.
    pub data: Vec<ModelProviderSummary>,
    /// The provider of a thread that does not choose.
    pub default_provider_id: String,
    /// Whether a client may choose another default through this server.
    pub can_change_default: bool,
}

/// A provider without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelProviderSummary {
    /// Its key in `model_providers`.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Whether a client may change it through this server.
    pub can_edit: bool,
    /// Where it is; null for the built-in address, and where the address holds a secret.
    pub base_url: Option<String>,
    /// What kind of provider it is.
    pub settings: ProviderSettings,
}

/// The kinds of provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ProviderSettings {
    /// OpenAI's own.
    Openai {},
    /// Another server that speaks the same API.
    CustomGateway {
        /// How requests prove who sends them.
        auth: GatewayAuth,
    },
}

/// How a request to a gateway proves who sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "mode", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum GatewayAuth {
    /// Not at all.
    None {},
    /// By a key from the environment.
    EnvironmentVariable {
        /// The variable's name.
        env_key: String,
    },
    /// By something that a client cannot change through this server, such as a token in the configuration.
    ExternallyConfigured {
        /// The variable's name, if there is one too.
        env_key: Option<String>,
    },
}

/// Result of `modelProvider/capabilities/read`: what the provider does by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelProviderCapabilitiesReadResponse {
    /// It can draw.
    pub image_generation: bool,
    /// It can search the web.
    pub web_search: bool,
}
