//! Answers to the requests of clients.

use std::path::{Path, PathBuf};

use toml::Table;

use super::config::{Settings, profiles};
use super::defaults::resolve;
use super::models::models;
use super::page::page;
use super::providers::providers;
use super::reader::Reader;
use super::sign_in;
use crate::protocol::RpcError;
use crate::protocol::account::{
    Account, BedrockCheckGovCloudRequirementsResponse, GatewayOAuthReadParams, GatewayOAuthReadResponse,
    GetAccountRateLimitsResponse, GetAccountResponse, RateLimitSnapshot, SignIn,
};
use crate::protocol::catalog::*;
use crate::protocol::config::{
    Config, ConfigBatchWriteParams, ConfigReadParams, ConfigReadResponse, ConfigRequirementsReadResponse,
    ConfigValueWriteParams,
};
use crate::protocol::thread::{AskForApproval, ModeKind, Unset};

impl Reader {
    pub(super) fn answer(&mut self, request: CatalogRequest) -> Result<CatalogAnswer, RpcError> {
        use CatalogAnswer as Answer;
        use CatalogRequest as Request;
        Ok(match request {
            Request::AccountRead(_) => Answer::AccountRead(self.account()),
            Request::AccountLoginStart(params) => Answer::AccountLogin(self.log_in(*params)?),
            Request::AccountLoginCancel(params) => Answer::AccountLoginCancel(sign_in::cancel(&params)?),
            Request::AccountLogout(_) => Answer::AccountLogout(self.log_out()?),
            Request::AccountRateLimitsRead(_) => Answer::AccountRateLimitsRead(self.rate_limits()?),
            Request::AccountGatewayOAuthRead(params) => Answer::AccountGatewayOAuthRead(self.gateway_sign_in(params)?),
            Request::AccountUsageRead(_) => return Err(self.no_usage()),
            Request::AccountBedrockCheckGovCloudRequirements(_) => {
                Answer::AccountBedrockCheckGovCloudRequirements(BedrockCheckGovCloudRequirementsResponse::default())
            }
            Request::ConfigRead(params) => Answer::ConfigRead(self.config(params)?),
            Request::ConfigValueWrite(params) => {
                let ConfigValueWriteParams { edit, file_path, expected_version } = *params;
                Answer::ConfigWrite(self.write_config(&[edit], file_path, expected_version)?)
            }
            Request::ConfigBatchWrite(params) => {
                let ConfigBatchWriteParams { edits, file_path, expected_version, .. } = *params;
                Answer::ConfigWrite(self.write_config(&edits, file_path, expected_version)?)
            }
            Request::ConfigRequirementsRead(_) => Answer::ConfigRequirementsRead(ConfigRequirementsReadResponse {
                supports_independent_speed_modes: true,
                requirements: Unset,
            }),
            Request::ModelList(params) => Answer::ModelList(self.models(&params)?),
            Request::ModelProviderList(_) => Answer::ModelProviderList(providers(&self.settings(None))),
            Request::ModelProviderDefaultSet(params) => {
                Answer::ConfigWrite(self.write_default_provider(params.provider_id)?)
            }
            Request::ModelProviderCapabilitiesRead(_) => {
                let capabilities = ModelProviderCapabilitiesReadResponse { image_generation: true, web_search: true };
                Answer::ModelProviderCapabilitiesRead(capabilities)
            }
            Request::PermissionProfileList(params) => {
                let cwd = self.directory(params.cwd)?;
                let profiles = profiles(&self.settings(cwd.as_deref()));
                Answer::PermissionProfileList(page(profiles, &params.page, "profiles")?)
            }
            Request::CollaborationModeList(_) => Answer::CollaborationModeList(collaboration_modes()),
            Request::SkillsList(params) => Answer::SkillsList(self.skills(params)?),
            Request::SkillsConfigWrite(params) => Answer::SkillsConfigWrite(self.turn_skill(params)?),
            Request::SkillsExtraRootsSet(params) => Answer::SkillsExtraRootsSet(self.set_skill_roots(params)),
            Request::HooksList(params) => {
                let entry = |cwd| HooksListEntry { cwd, hooks: Vec::new(), warnings: Vec::new(), errors: Vec::new() };
                let data = self.directories(params.cwds).into_iter().map(entry).collect();
                Answer::HooksList(HooksListResponse { data })
            }
            Request::PluginList(_) => Answer::PluginList(PluginListResponse::default()),
            Request::PluginInstalled(_) => Answer::PluginInstalled(PluginInstalledResponse::default()),
            Request::ExperimentalFeatureList(params) => Answer::Nothing(page(Vec::new(), &params, "features")?),
            // There are no features, so none was changed.
            Request::ExperimentalFeatureEnablementSet(_) => {
                Answer::ExperimentalFeatureEnablementSet(ExperimentalFeatureEnablementSetResponse::default())
            }
            Request::FeedbackUpload(_) => {
                let text = "this server sends feedback to nobody; write to those who run it";
                return Err(RpcError::invalid_request(text));
            }
            Request::McpServerOauthLogin(McpServerOauthLoginParams { name, .. }) => {
                return Err(RpcError::invalid_request(format_args!(
                    "this server does not sign in to MCP servers; put a token into a variable of its environment, and name that \
                     in mcp_servers.{name}.bearer_token_env_var"
                )));
            }
            Request::AppList(params) => Answer::Nothing(page(Vec::new(), &params, "apps")?),
        })
    }

    /// The settings that apply in `cwd`, or without a project if there is none; the defaults while the configuration is
    /// unusable.
    pub(super) fn settings(&mut self, cwd: Option<&Path>) -> Settings {
        let loaded = self.files.load(&self.sources, cwd, &Table::new());
        loaded.map(|configuration| configuration.settings).unwrap_or_default()
    }

    fn directory(&self, cwd: Option<String>) -> Result<Option<PathBuf>, RpcError> {
        cwd.map(|cwd| resolve(&self.sources.cwd, &cwd)).transpose()
    }

    /// The signed-in account, if the model provider needs one.
    fn sign_in(&mut self) -> (bool, SignIn) {
        let settings = self.settings(None);
        let required = settings.requires_openai_auth(settings.default_provider());
        let sign_in = if required { self.auth.get().clone() } else { SignIn::Nobody };
        (required, sign_in)
    }

    fn account(&mut self) -> GetAccountResponse {
        let (requires_openai_auth, sign_in) = self.sign_in();
        let (account, user_id) = match sign_in {
            SignIn::Nobody => (None, None),
            SignIn::ApiKey => (Some(Account::ApiKey {}), None),
            SignIn::Chatgpt { email, plan_type, user_id, .. } => {
                (Some(Account::Chatgpt { email, plan_type, workspace_name: None }), user_id)
            }
        };
        GetAccountResponse { account, user_id, requires_openai_auth, workspace_routing: Unset }
    }

    /// What the last answers of models have stated. What none has is null, which means "not known".
    fn rate_limits(&mut self) -> Result<GetAccountRateLimitsResponse, RpcError> {
        match self.sign_in().1 {
            SignIn::Nobody => Err(authentication_required("codex account", "rate limits")),
            SignIn::ApiKey => Err(authentication_required("chatgpt", "rate limits")),
            SignIn::Chatgpt { plan_type, account_id, .. } => {
                let account = self.sources.sign_in.as_ref().map(|setup| &setup.account);
                let mut seen = account.map(|account| account.limits_of(account_id.as_deref())).unwrap_or_default();
                seen.values_mut().for_each(|limit| limit.plan_type = Some(plan_type));
                let unknown = || RateLimitSnapshot {
                    limit_id: Some(MAIN_LIMIT.to_owned()),
                    plan_type: Some(plan_type),
                    ..RateLimitSnapshot::default()
                };
                Ok(GetAccountRateLimitsResponse {
                    account_id,
                    ordinary_usage_allowed: None,
                    rate_limit_reset_credits: Unset,
                    rate_limit_upsell: Unset,
                    rate_limits: seen.get(MAIN_LIMIT).cloned().unwrap_or_else(unknown),
                    rate_limits_by_limit_id: Some(seen).filter(|seen| !seen.is_empty()),
                })
            }
        }
    }

    /// No provider of this server is a gateway that asks for a sign-in of its own.
    fn gateway_sign_in(&mut self, params: GatewayOAuthReadParams) -> Result<GatewayOAuthReadResponse, RpcError> {
        let known = providers(&self.settings(None));
        let id = params.model_provider.unwrap_or(known.default_provider_id);
        let provider = known.data.into_iter().find(|provider| provider.id == id);
        let provider = provider.ok_or_else(|| RpcError::model_provider_not_configured(&id))?;
        Ok(GatewayOAuthReadResponse {
            provider_id: provider.id,
            provider_name: provider.name,
            required: false,
            supports_device_auth: false,
            status: Unset,
            error: Unset,
        })
    }

    fn no_usage(&mut self) -> RpcError {
        match self.sign_in().1 {
            SignIn::Nobody => authentication_required("codex account", "token usage"),
            SignIn::ApiKey => authentication_required("chatgpt", "token usage"),
            SignIn::Chatgpt { .. } => RpcError::invalid_request("token usage is not available from this server"),
        }
    }

    fn config(&mut self, params: ConfigReadParams) -> Result<ConfigReadResponse, RpcError> {
        let cwd = self.directory(params.cwd)?;
        let loaded = self.files.load(&self.sources, cwd.as_deref(), &Table::new());
        let mut configuration =
            loaded.map_err(|fault| RpcError::internal(format_args!("failed to read configuration layers: {fault}")))?;
        // Clients know a fixed list of policies without the former names.
        if configuration.settings.approval_policy == Some(AskForApproval::OnRequest) {
            configuration.table.insert("approval_policy".to_owned(), "on-request".into());
        }
        Ok(ConfigReadResponse {
            origins: configuration.layers.origins(&configuration.table),
            layers: params.include_layers.unwrap_or_default().then(|| configuration.layers.listing()),
            config: Config(configuration.table),
        })
    }

    fn models(&mut self, params: &ModelListParams) -> Result<Page<Model>, RpcError> {
        let settings = self.settings(None);
        if let Some(id) = params.model_provider.as_deref().filter(|id| settings.check_provider(id).is_err()) {
            return Err(RpcError::model_provider_not_configured(id));
        }
        let models = models(params.include_hidden.unwrap_or_default(), settings.model.as_deref());
        page(models, &params.page, "models")
    }

    /// The requested directories as spelled by the client.
    pub(super) fn directories(&self, cwds: Option<Vec<String>>) -> Vec<String> {
        match cwds {
            Some(cwds) if !cwds.is_empty() => cwds,
            _ => vec![self.sources.cwd.display().to_string()],
        }
    }
}

/// Id of the limit that counts for ordinary use.
const MAIN_LIMIT: &str = "codex";

fn authentication_required(kind: &str, what: &str) -> RpcError {
    RpcError::invalid_request(format_args!("{kind} authentication required to read {what}"))
}

fn collaboration_modes() -> CollaborationModeListResponse {
    let preset = |name: &str, mode, effort: Option<&str>| CollaborationModeMask {
        name: name.to_owned(),
        mode,
        model: None,
        reasoning_effort: effort.map(str::to_owned),
    };
    let data = vec![preset("Plan", ModeKind::Plan, Some("medium")), preset("Default", ModeKind::Default, None)];
    CollaborationModeListResponse { data }
}
