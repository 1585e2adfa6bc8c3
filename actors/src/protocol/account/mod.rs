//! Accounts: who is signed in, and the rate limits of the plan.
//!
//! Only [`AuthFile`] and what belongs to it carries secrets. Clients are never sent any of it.

mod auth_file;
mod device;
mod limits;
mod login;
mod plan;
mod sign_in;
mod tokens;

pub use auth_file::{AccountTokens, AuthFile, FreshTokens, IssuedTokens};
pub use device::{DeviceCodeIssued, DeviceCodeRequest, DeviceGrant, DeviceGrantRequest};
pub use limits::*;
pub use login::*;
pub use plan::PlanType;
pub use sign_in::SignIn;
pub use tokens::{TokenRequest, TokenResponse};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::thread::Unset;

/// Params of `account/read`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetAccountParams {
    /// Requests a token refresh first. This server does not refresh tokens for this method, so the answer is the same.
    pub refresh_token: Option<bool>,
}

/// Result of `account/read`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetAccountResponse {
    /// The signed-in account; null if there is none or if the model provider needs none.
    pub account: Option<Account>,
    /// Id of the ChatGPT user.
    pub user_id: Option<String>,
    /// Whether a sign-in is required before a turn can run.
    pub requires_openai_auth: bool,
    /// Routing of a hosted workspace; always null.
    #[schemars(extend("x-experimental" = true))]
    pub workspace_routing: Unset,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Account {
    /// An API key.
    ApiKey {},
    /// A ChatGPT sign-in.
    Chatgpt {
        /// The user's email address.
        email: Option<String>,
        /// The subscription.
        plan_type: PlanType,
        /// Name of the workspace; always null.
        workspace_name: Option<String>,
    },
}

/// Params of `account/gatewayOAuth/read`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayOAuthReadParams {
    /// The provider; the one in use when absent.
    pub model_provider: Option<String>,
}

/// Result of `account/gatewayOAuth/read`. This server signs in to no gateway, so none is required.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GatewayOAuthReadResponse {
    /// Key of the provider.
    pub provider_id: String,
    /// Name of the provider for a person.
    pub provider_name: String,
    /// Whether the provider is reached through a gateway that asks for a sign-in.
    pub required: bool,
    /// Whether a device code can be used to sign in.
    pub supports_device_auth: bool,
    /// How far the sign-in is.
    pub status: Unset,
    /// The error, if it failed.
    pub error: Unset,
}

/// Result of `account/bedrock/checkGovCloudRequirements`. This server does not use Bedrock, so both members are false.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BedrockCheckGovCloudRequirementsResponse {
    /// Whether the credentials belong to a GovCloud region.
    pub is_gov_cloud: bool,
    /// Whether the network settings do not meet GovCloud's requirements.
    pub should_warn: bool,
}
