//! Accounts: who is signed in, and how much of the plan is used.
//!
//! Only [`AuthFile`] and what belongs to it carries secrets. Clients are never sent any of it.

mod auth_file;
mod sign_in;
mod tokens;

pub use auth_file::{AccountTokens, AuthFile, FreshTokens};
pub use sign_in::SignIn;
pub use tokens::{TokenRequest, TokenResponse};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::thread::Unset;

/// Params of `account/read`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetAccountParams {
    /// Asks for fresh tokens first. This server never refreshes tokens itself, so the answer is the same.
    pub refresh_token: Option<bool>,
}

/// Result of `account/read`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetAccountResponse {
    /// Who is signed in, if this matters to the model provider in use.
    pub account: Option<Account>,
    /// The ChatGPT user, as the sign-in names it.
    pub user_id: Option<String>,
    /// Whether a client must sign in before a turn can run.
    pub requires_openai_auth: bool,
    /// Routing that only a hosted workspace has.
    #[schemars(extend("x-experimental" = true))]
    pub workspace_routing: Unset,
}

/// An account, told apart by `type`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Account {
    /// An API key.
    ApiKey {},
    /// A ChatGPT sign-in.
    Chatgpt {
        /// As the sign-in states it.
        email: Option<String>,
        /// The subscription.
        plan_type: PlanType,
        /// Only the backend knows it, so it is null here.
        workspace_name: Option<String>,
    },
}

/// A ChatGPT subscription. Clients have closed lists of these, so a plan that is not listed becomes `unknown`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names say it.
pub enum PlanType {
    Free,
    Go,
    Plus,
    Pro,
    Prolite,
    Promax,
    Team,
    SelfServeBusinessProlite,
    SelfServeBusinessUsageBased,
    Business,
    Ent26,
    EnterpriseCbpAutomation,
    EnterpriseCbpUsageBased,
    Enterprise,
    Edu,
    EduPlus,
    EduPro,
    Sci,
    SciPlus,
    #[default]
    #[serde(other)]
    Unknown,
}

/// Result of `account/rateLimits/read`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetAccountRateLimitsResponse {
    /// The account that the numbers belong to.
    pub account_id: Option<String>,
    /// Whether the backend still allows ordinary use.
    pub ordinary_usage_allowed: Option<bool>,
    /// Credits that reset a limit.
    pub rate_limit_reset_credits: Unset,
    /// A banner of the backend.
    pub rate_limit_upsell: Unset,
    /// The one bucket that older clients read.
    pub rate_limits: RateLimitSnapshot,
    /// Every bucket by its limit id.
    pub rate_limits_by_limit_id: Unset,
}

/// One bucket of the plan's limits; null is "not known".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateLimitSnapshot {
    /// The bucket's id, for example `codex`.
    pub limit_id: Option<String>,
    /// Its name for people.
    pub limit_name: Option<String>,
    /// The model whose limits these are.
    pub normal_model_slug: Option<String>,
    /// The short window.
    pub primary: Unset,
    /// The long window.
    pub secondary: Unset,
    /// Bought credits.
    pub credits: Unset,
    /// A limit of this person within a workspace.
    pub individual_limit: Unset,
    /// Whether a spending limit was reached.
    pub spend_control_reached: Option<bool>,
    /// The subscription.
    pub plan_type: Option<PlanType>,
    /// Which limit was reached.
    pub rate_limit_reached_type: Unset,
}

/// Result of `account/bedrock/checkGovCloudRequirements`: this server speaks to no Bedrock, so there is nothing to warn of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BedrockCheckGovCloudRequirementsResponse {
    /// Whether the credentials belong to a GovCloud region.
    pub is_gov_cloud: bool,
    /// Whether the network settings miss what GovCloud asks for.
    pub should_warn: bool,
}
