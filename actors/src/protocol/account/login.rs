//! Signing in and out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PlanType;
use crate::protocol::Secret;
use crate::protocol::thread::Unset;

/// Params of `account/login/start`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LoginAccountParams {
    /// With an API key, which is kept in `auth.json`.
    ApiKey {
        /// The key.
        #[schemars(with = "String")]
        api_key: Secret,
    },
    /// To ChatGPT, in a browser on this machine.
    Chatgpt {},
    /// To ChatGPT, with a code that is typed on another device.
    ChatgptDeviceCode {},
    /// To ChatGPT, with tokens that the client renews. This server refuses it.
    ChatgptAuthTokens {},
    /// To Amazon Bedrock, with a key. This server refuses it.
    AmazonBedrock {},
    /// To Amazon Bedrock, with an access key. This server refuses it.
    AmazonBedrockAccessKeys {},
}

/// Result of `account/login/start`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LoginAccountResponse {
    /// The key is kept.
    ApiKey {},
    /// The user has to sign in in a browser.
    Chatgpt {
        /// Id of the sign-in, for `account/login/cancel` and `account/login/completed`.
        login_id: String,
        /// Where the user signs in.
        auth_url: String,
    },
    /// The user has to type a code.
    ChatgptDeviceCode {
        /// Id of the sign-in, for `account/login/cancel` and `account/login/completed`.
        login_id: String,
        /// Where the user types it.
        verification_url: String,
        /// The code.
        user_code: String,
    },
}

/// Params of `account/login/cancel`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancelLoginAccountParams {
    /// Id of the sign-in, a UUID.
    pub login_id: String,
}

/// Result of `account/login/cancel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CancelLoginAccountResponse {
    /// What became of the sign-in.
    pub status: CancelLoginAccountStatus,
}

/// What became of a sign-in that was to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CancelLoginAccountStatus {
    /// It is over, and nobody is signed in by it.
    Canceled,
    /// No such sign-in waits for its user. One with an API key never does: it is complete when it is answered.
    NotFound,
}

/// How somebody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// With an API key.
    ApiKey,
    /// To ChatGPT.
    Chatgpt,
}

/// A sign-in that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct AccountLoginCompleted {
    /// Id of the sign-in; null for one with an API key.
    pub login_id: Option<String>,
    /// Whether somebody is signed in now.
    pub success: bool,
    /// Why not.
    pub error: Option<String>,
    /// Always null.
    pub onboarding_entrypoint: Unset,
}

/// Who is signed in now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct AccountUpdated {
    /// How; null if nobody is.
    pub auth_mode: Option<AuthMode>,
    /// The subscription of a ChatGPT user.
    pub plan_type: Option<PlanType>,
    /// Always null.
    pub reason: Unset,
}
