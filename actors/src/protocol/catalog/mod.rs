//! Requests about the server and its user, which clients send when they start.

mod listing;
mod mcp;
mod model;
mod page;
mod skills;

pub use listing::*;
pub use mcp::*;
pub use model::*;
pub use page::{NoParams, Page, PageParams};
pub use skills::*;

pub use super::unset::Unoffered;

use serde::Serialize;

use super::account::{
    BedrockCheckGovCloudRequirementsResponse, CancelLoginAccountParams, CancelLoginAccountResponse,
    GatewayOAuthReadParams, GatewayOAuthReadResponse, GetAccountParams, GetAccountRateLimitsResponse,
    GetAccountResponse, LoginAccountParams, LoginAccountResponse,
};
use super::config::{
    ConfigBatchWriteParams, ConfigReadParams, ConfigReadResponse, ConfigRequirementsReadResponse,
    ConfigValueWriteParams, ConfigWriteResponse,
};
use super::thread::Empty;

/// Requests that the catalog answers; the variant is named after the method.
#[derive(Debug)]
pub enum CatalogRequest {
    /// `account/read`
    AccountRead(GetAccountParams),
    /// `account/login/start`
    AccountLoginStart(Box<LoginAccountParams>),
    /// `account/login/cancel`
    AccountLoginCancel(CancelLoginAccountParams),
    /// `account/logout`
    AccountLogout(()),
    /// `account/rateLimits/read`
    AccountRateLimitsRead(NoParams),
    /// `account/gatewayOAuth/read`
    AccountGatewayOAuthRead(GatewayOAuthReadParams),
    /// `account/usage/read`
    AccountUsageRead(NoParams),
    /// `account/bedrock/checkGovCloudRequirements`
    AccountBedrockCheckGovCloudRequirements(NoParams),
    /// `config/read`
    ConfigRead(ConfigReadParams),
    /// `config/value/write`
    ConfigValueWrite(Box<ConfigValueWriteParams>),
    /// `config/batchWrite`
    ConfigBatchWrite(Box<ConfigBatchWriteParams>),
    /// `configRequirements/read`
    ConfigRequirementsRead(NoParams),
    /// `model/list`
    ModelList(ModelListParams),
    /// `modelProvider/list`
    ModelProviderList(NoParams),
    /// `modelProvider/default/set`
    ModelProviderDefaultSet(ModelProviderDefaultSetParams),
    /// `modelProvider/capabilities/read`
    ModelProviderCapabilitiesRead(NoParams),
    /// `permissionProfile/list`
    PermissionProfileList(PermissionProfileListParams),
    /// `collaborationMode/list`
    CollaborationModeList(NoParams),
    /// `skills/list`
    SkillsList(SkillsListParams),
    /// `skills/config/write`
    SkillsConfigWrite(SkillsConfigWriteParams),
    /// `skills/extraRoots/set`
    SkillsExtraRootsSet(SkillsExtraRootsSetParams),
    /// `hooks/list`
    HooksList(CwdsParams),
    /// `plugin/list`
    PluginList(NoParams),
    /// `plugin/installed`
    PluginInstalled(NoParams),
    /// `experimentalFeature/list`
    ExperimentalFeatureList(PageParams),
    /// `experimentalFeature/enablement/set`
    ExperimentalFeatureEnablementSet(ExperimentalFeatureEnablementSetParams),
    /// `feedback/upload`
    FeedbackUpload(Box<FeedbackUploadParams>),
    /// `mcpServer/oauth/login`
    McpServerOauthLogin(McpServerOauthLoginParams),
    /// `app/list`
    AppList(PageParams),
}

/// The result of a [`CatalogRequest`]; the variant is named after the method.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CatalogAnswer {
    /// `account/read`
    AccountRead(GetAccountResponse),
    /// `account/login/start`
    AccountLogin(LoginAccountResponse),
    /// `account/login/cancel`
    AccountLoginCancel(CancelLoginAccountResponse),
    /// `account/logout`
    AccountLogout(Empty),
    /// `account/rateLimits/read`
    AccountRateLimitsRead(GetAccountRateLimitsResponse),
    /// `account/gatewayOAuth/read`
    AccountGatewayOAuthRead(GatewayOAuthReadResponse),
    /// `account/bedrock/checkGovCloudRequirements`
    AccountBedrockCheckGovCloudRequirements(BedrockCheckGovCloudRequirementsResponse),
    /// `config/read`
    ConfigRead(ConfigReadResponse),
    /// `config/value/write`, `config/batchWrite` and `modelProvider/default/set`
    ConfigWrite(ConfigWriteResponse),
    /// `configRequirements/read`
    ConfigRequirementsRead(ConfigRequirementsReadResponse),
    /// `model/list`
    ModelList(Page<Model>),
    /// `modelProvider/list`
    ModelProviderList(ModelProviderListResponse),
    /// `modelProvider/capabilities/read`
    ModelProviderCapabilitiesRead(ModelProviderCapabilitiesReadResponse),
    /// `permissionProfile/list`
    PermissionProfileList(Page<PermissionProfileSummary>),
    /// `collaborationMode/list`
    CollaborationModeList(CollaborationModeListResponse),
    /// `skills/list`
    SkillsList(SkillsListResponse),
    /// `skills/config/write`
    SkillsConfigWrite(SkillsConfigWriteResponse),
    /// `skills/extraRoots/set`
    SkillsExtraRootsSet(Empty),
    /// `hooks/list`
    HooksList(HooksListResponse),
    /// `plugin/list`
    PluginList(PluginListResponse),
    /// `plugin/installed`
    PluginInstalled(PluginInstalledResponse),
    /// `experimentalFeature/enablement/set`
    ExperimentalFeatureEnablementSet(ExperimentalFeatureEnablementSetResponse),
    /// `experimentalFeature/list` and `app/list`: an empty page
    Nothing(Page<Unoffered>),
}
