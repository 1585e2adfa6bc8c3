//! What clients ask about the server and its user at start-up.

mod listing;
mod mcp;
mod model;

pub use listing::*;
pub use mcp::*;
pub use model::*;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::account::{
    BedrockCheckGovCloudRequirementsResponse, GetAccountParams, GetAccountRateLimitsResponse, GetAccountResponse,
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
    /// `experimentalFeature/list` and `app/list`, which have nothing to list.
    Nothing(Page<Unoffered>),
}

/// Params of a method that has none, or whose members change nothing in this server's answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct NoParams {}

/// Params of a list that is read page by page.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct PageParams {
    /// Where to go on: `nextCursor` of the page before.
    pub cursor: Option<String>,
    /// Entries of a page; 0 counts as 1.
    pub limit: Option<u32>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Page<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}

/// What this server never sends, be it an entry of a list or a whole result: there is no value of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Unoffered {}

impl JsonSchema for Unoffered {
    fn schema_name() -> Cow<'static, str> {
        "Unoffered".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"not": {}})
    }
}
