//! Rate limits: how much of a subscription is used up.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PlanType;
use crate::protocol::thread::Unset;

/// Result of `account/rateLimits/read`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetAccountRateLimitsResponse {
    /// Id of the account.
    pub account_id: Option<String>,
    /// Whether ordinary use is still allowed.
    pub ordinary_usage_allowed: Option<bool>,
    /// Credits that reset a limit.
    pub rate_limit_reset_credits: Unset,
    /// A banner from the backend.
    pub rate_limit_upsell: Unset,
    /// The main rate limit, for older clients.
    pub rate_limits: RateLimitSnapshot,
    /// All rate limits by their ids, as the last answers of models stated them; null if none has yet.
    pub rate_limits_by_limit_id: Option<BTreeMap<String, RateLimitSnapshot>>,
}

/// One rate limit. A null member is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateLimitSnapshot {
    /// Id of the limit, for example `codex`.
    pub limit_id: Option<String>,
    /// Name for display.
    pub limit_name: Option<String>,
    /// Always null.
    pub normal_model_slug: Option<String>,
    /// Usage in the short window.
    pub primary: Option<RateLimitWindow>,
    /// Usage in the long window.
    pub secondary: Option<RateLimitWindow>,
    /// Purchased credits.
    pub credits: Option<CreditsSnapshot>,
    /// Always null.
    pub individual_limit: Unset,
    /// Always null.
    pub spend_control_reached: Option<bool>,
    /// The subscription.
    pub plan_type: Option<PlanType>,
    /// Always null.
    pub rate_limit_reached_type: Unset,
}

/// Usage in a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RateLimitWindow {
    /// How much of it is used up, in percent.
    pub used_percent: i32,
    /// Its length in minutes.
    pub window_duration_mins: Option<i64>,
    /// When it begins anew, in seconds since 1970.
    pub resets_at: Option<i64>,
}

/// Purchased credits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreditsSnapshot {
    /// Whether there are any.
    pub has_credits: bool,
    /// Whether there is no end of them.
    pub unlimited: bool,
    /// How many are left.
    pub balance: Option<String>,
}
