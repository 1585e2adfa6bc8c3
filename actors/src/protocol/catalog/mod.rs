//! Requests about the server and its user, which clients send when they start.

mod listing;
mod mcp;
mod model;

pub use listing::*;
pub use mcp::*;
pub use model::*;

pub use super::unset::Unoffered;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account::{
    BedrockCheckGovCloudRequirementsResponse, GatewayOAuthReadParams, GatewayOAuthReadResponse, GetAccountParams,
    GetAccountRateLimitsResponse, GetAccountResponse,
};
use super::config::{
    ConfigBatchWriteParams, ConfigReadParams, ConfigReadResponse, ConfigRequirementsReadResponse,
    ConfigValueWriteParams, ConfigWriteResponse,
};

/// Requests that the catalog answers; the variant is named after the method.
#[derive(Debug)]
pub enum CatalogRequest {
    /// `account/read`
    AccountRead(GetAccountParams),
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
    ConfigBatchWrite(ConfigBatchWriteParams),
    /// `configRequirements/read`
    ConfigRequirementsRead(NoParams),
    /// `model/list`
    ModelList(ModelListParams),
    /// `modelProvider/list`
    ModelProviderList(NoParams),
    /// `modelProvider/capabilities/read`
    ModelProviderCapabilitiesRead(NoParams),
    /// `permissionProfile/list`
    PermissionProfileList(PermissionProfileListParams),
    /// `collaborationMode/list`
    CollaborationModeList(NoParams),
    /// `mcpServerStatus/list`
    McpServerStatusList(ListMcpServerStatusParams),
    /// `skills/list`
    SkillsList(CwdsParams),
    /// `hooks/list`
    HooksList(CwdsParams),
    /// `plugin/list`
    PluginList(NoParams),
    /// `plugin/installed`
    PluginInstalled(NoParams),
    /// `experimentalFeature/list`
    ExperimentalFeatureList(PageParams),
    /// `app/list`
    AppList(PageParams),
}

/// The result of a [`CatalogRequest`]; the variant is named after the method.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CatalogAnswer {
    /// `account/read`
    AccountRead(GetAccountResponse),
    /// `account/rateLimits/read`
    AccountRateLimitsRead(GetAccountRateLimitsResponse),
    /// `account/gatewayOAuth/read`
    AccountGatewayOAuthRead(GatewayOAuthReadResponse),
    /// `account/bedrock/checkGovCloudRequirements`
    AccountBedrockCheckGovCloudRequirements(BedrockCheckGovCloudRequirementsResponse),
    /// `config/read`
    ConfigRead(ConfigReadResponse),
    /// `config/value/write` and `config/batchWrite`
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
    /// `mcpServerStatus/list`
    McpServerStatusList(Page<McpServerStatus>),
    /// `skills/list`
    SkillsList(SkillsListResponse),
    /// `hooks/list`
    HooksList(HooksListResponse),
    /// `plugin/list`
    PluginList(PluginListResponse),
    /// `plugin/installed`
    PluginInstalled(PluginInstalledResponse),
    /// `experimentalFeature/list` and `app/list`: an empty page
    Nothing(Page<Unoffered>),
}

/// Params of a method without params, or whose params do not change this server's answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct NoParams {}

/// Params of a paged list.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct PageParams {
    /// `nextCursor` of the previous page; absent for the first page.
    pub cursor: Option<String>,
    /// Maximum number of entries; 0 means 1.
    pub limit: Option<u32>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Page<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
}
