//! The table of methods: name, gate, scope, weight, whether it starts work, and types of params, request and result.
//!
//! Gate, dispatch, metrics labels, the list of methods in error texts, and the published schema all come from
//! [`METHODS`].

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use foldhash::fast::FixedState;
use serde_json::value::RawValue;

use super::account::{
    BedrockCheckGovCloudRequirementsResponse, CancelLoginAccountResponse, GatewayOAuthReadResponse,
    GetAccountRateLimitsResponse, GetAccountResponse, LoginAccountResponse,
};
use super::catalog::{
    CatalogRequest as Catalog, CollaborationModeListResponse, ExperimentalFeatureEnablementSetResponse,
    HooksListResponse, McpResourceReadResponse, McpServerStatus, McpServerToolCallResponse, Model,
    ModelProviderCapabilitiesReadResponse, ModelProviderListResponse, Page, PermissionProfileSummary,
    PluginInstalledResponse, PluginListResponse, SkillsConfigWriteResponse, SkillsListResponse, Unoffered,
};
use super::command::{CommandExecResponse, CommandRequest as Command};
use super::config::{ConfigReadResponse, ConfigRequirementsReadResponse, ConfigWriteResponse};
use super::diagnostics::ServerDiagnosticsResponse;
use super::fs::{FsGetMetadataResponse, FsReadDirectoryResponse, FsReadFileResponse, FsRequest as Fs, FsWatchResponse};
use super::initialize::InitializeResponse;
use super::remote::{
    PairingStartResponse, PairingStatusResponse, RemoteControlClientsListResponse, RemoteControlRequest as Remote,
    RemoteControlState, RemoteControlStatusReadResponse,
};
use super::request::ClientRequest;
use super::review::ReviewStartResponse;
use super::scope::Scope;
use super::scope::Scope::{Admin, Converse, Files, Observe};
use super::search::{FuzzyFileSearchResponse, SearchRequest as Search};
use super::signature::{Signature, takes, takes_nothing, takes_present};
use super::thread::{
    Empty, ThreadArchiveResponse, ThreadAttachmentListResponse, ThreadBackgroundTerminalsListResponse,
    ThreadBackgroundTerminalsTerminateResponse, ThreadDeleteResponse, ThreadForkResponse, ThreadGoalClearResponse,
    ThreadGoalGetResponse, ThreadGoalSetResponse, ThreadItemsListResponse, ThreadListResponse,
    ThreadLoadedListResponse, ThreadMetadataUpdateResponse, ThreadNameSetResponse, ThreadQueueAddResponse,
    ThreadQueueDeleteResponse, ThreadQueueListResponse, ThreadReadResponse, ThreadReadStateUpdateResponse,
    ThreadRequest as Thread, ThreadResumeResponse, ThreadRevertResponse, ThreadSearchResponse, ThreadStartResponse,
    ThreadTurnsListResponse, ThreadUnarchiveResponse, ThreadUnsubscribeResponse,
};
use super::turn::{TurnStartResponse, TurnSteerResponse};
use super::{ErrorCode, RpcError};

/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Every initialized connection.
    Stable,
    /// Connections with the capability `experimentalApi`.
    Experimental,
}

/// The weight of a request in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Answered soon. It counts towards the bound at which the connection is no longer read.
    Short,
    /// May run for minutes. It does not stop the reading, and has a bound of its own.
    Long,
}

/// A row of the table.
#[derive(Debug)]
pub struct Method {
    /// The name on the wire.
    pub name: &'static str,
    /// Who may call it.
    pub gate: Gate,
    /// The scope that a connection needs for it. `None` for the handshake.
    pub scope: Option<Scope>,
    /// Weight of its requests.
    pub weight: Weight,
    /// Whether it starts work, which a draining server refuses.
    pub starts_work: bool,
    /// Types of params and result.
    pub(super) signature: &'static dyn Signature,
    /// Prefix of the published names of its types, if it does not follow from the method's name.
    pub(super) types: Option<&'static str>,
}

/// All methods, for an error text.
struct Known;

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        METHODS.iter().enumerate().try_for_each(|(i, method)| {
            let separator = if i == 0 { "" } else { ", " };
            write!(f, "{separator}`{}`", method.name)
        })
    }
}

impl Method {
    /// Finds the row of `name`.
    pub fn find(name: &str) -> Option<&'static Method> {
        // A fast hash is safe, because the keys come from the table and cannot be chosen to collide.
        static BY_NAME: LazyLock<HashMap<&str, &Method, FixedState>> =
            LazyLock::new(|| METHODS.iter().map(|method| (method.name, method)).collect());
        BY_NAME.get(name).copied()
    }

    /// The number of its row in the table.
    pub fn row(&'static self) -> usize {
        (std::ptr::from_ref(self).addr() - METHODS.as_ptr().addr()) / size_of::<Self>()
    }

    /// -32601 with the reference program's text, which lists all methods.
    pub fn unknown(name: &str) -> RpcError {
        let text = format_args!("Invalid request: unknown variant `{name}`, expected one of {}", Known);
        RpcError::new(ErrorCode::MethodNotFound, text)
    }

    /// Decodes the params into the typed request, or returns -32602.
    pub fn parse(&self, params: Option<&RawValue>) -> Result<ClientRequest, RpcError> {
        self.signature.parse(params)
    }

    /// Refused by a draining server.
    const fn starting_work(self) -> Self {
        Self { starts_work: true, ..self }
    }

    /// For connections with any scopes, or none.
    const fn for_everybody(self) -> Self {
        Self { scope: None, ..self }
    }

    /// Names the types `types` + `Params` and `types` + `Response`.
    const fn called(self, types: &'static str) -> Self {
        Self { types: Some(types), ..self }
    }
}

const fn stable(name: &'static str, scope: Scope, signature: &'static dyn Signature) -> Method {
    Method {
        name,
        gate: Gate::Stable,
        scope: Some(scope),
        weight: Weight::Short,
        starts_work: false,
        signature,
        types: None,
    }
}

const fn experimental(name: &'static str, scope: Scope, signature: &'static dyn Signature) -> Method {
    Method { gate: Gate::Experimental, ..stable(name, scope, signature) }
}

const fn long(name: &'static str, scope: Scope, signature: &'static dyn Signature) -> Method {
    Method { weight: Weight::Long, ..stable(name, scope, signature) }
}

const fn long_experimental(name: &'static str, scope: Scope, signature: &'static dyn Signature) -> Method {
    Method { gate: Gate::Experimental, ..long(name, scope, signature) }
}

/// All methods of this server.
pub static METHODS: &[Method] = &[
    stable("initialize", Observe, &takes(ClientRequest::Initialize).gives::<InitializeResponse>()).for_everybody(),
    stable("server/diagnostics", Admin, &takes(ClientRequest::Diagnostics).gives::<ServerDiagnosticsResponse>()),
    // Threads: life cycle.
    stable("thread/start", Converse, &takes(Thread::Start).gives::<ThreadStartResponse>()).starting_work(),
    stable("thread/resume", Observe, &takes(Thread::Resume).gives::<ThreadResumeResponse>()),
    stable("thread/fork", Converse, &takes(Thread::Fork).gives::<ThreadForkResponse>()),
    stable("thread/unsubscribe", Observe, &takes(Thread::Unsubscribe).gives::<ThreadUnsubscribeResponse>()),
    stable("thread/compact/start", Converse, &takes(Thread::CompactStart).gives::<Empty>()).starting_work(),
    experimental("thread/settings/update", Converse, &takes(Thread::SettingsUpdate).gives::<Empty>()),
    // Long, because during a turn it is answered only after the model has.
    long("thread/inject_items", Converse, &takes(Thread::InjectItems).gives::<Empty>()).called("ThreadInjectItems"),
    stable("thread/revert", Converse, &takes(Thread::Revert).gives::<ThreadRevertResponse>()),
    stable("thread/archive", Converse, &takes(Thread::Archive).gives::<ThreadArchiveResponse>()),
    stable("thread/unarchive", Converse, &takes(Thread::Unarchive).gives::<ThreadUnarchiveResponse>()),
    stable("thread/delete", Converse, &takes(Thread::Delete).gives::<ThreadDeleteResponse>()),
    // Threads: data.
    stable("thread/read", Observe, &takes(Thread::Read).gives::<ThreadReadResponse>()),
    stable("thread/list", Observe, &takes(Thread::List).gives::<ThreadListResponse>()),
    experimental("thread/search", Observe, &takes(Thread::Search).gives::<ThreadSearchResponse>()),
    experimental("thread/search/stream", Observe, &takes(Thread::SearchStream).gives::<ThreadSearchResponse>())
        .called("ThreadSearch"),
    experimental("thread/search/cancel", Observe, &takes(Thread::SearchCancel).gives::<Empty>()),
    experimental("thread/search/stream/cancel", Observe, &takes(Thread::SearchStreamCancel).gives::<Empty>())
        .called("ThreadSearchCancel"),
    stable("thread/loaded/list", Observe, &takes(Thread::LoadedList).gives::<ThreadLoadedListResponse>()),
    stable("thread/name/set", Converse, &takes(Thread::NameSet).gives::<ThreadNameSetResponse>())
        .called("ThreadSetName"),
    stable("thread/metadata/update", Converse, &takes(Thread::MetadataUpdate).gives::<ThreadMetadataUpdateResponse>()),
    experimental(
        "thread/readState/update",
        Converse,
        &takes(Thread::ReadStateUpdate).gives::<ThreadReadStateUpdateResponse>(),
    ),
    stable("thread/goal/get", Observe, &takes(Thread::GoalGet).gives::<ThreadGoalGetResponse>()),
    stable("thread/goal/set", Converse, &takes(Thread::GoalSet).gives::<ThreadGoalSetResponse>()).starting_work(),
    stable("thread/goal/clear", Converse, &takes(Thread::GoalClear).gives::<ThreadGoalClearResponse>()),
    experimental("thread/queue/add", Converse, &takes(Thread::QueueAdd).gives::<ThreadQueueAddResponse>())
        .starting_work(),
    experimental("thread/queue/list", Observe, &takes(Thread::QueueList).gives::<ThreadQueueListResponse>()),
    experimental("thread/queue/delete", Converse, &takes(Thread::QueueDelete).gives::<ThreadQueueDeleteResponse>()),
    stable("thread/attachment/list", Observe, &takes(Thread::AttachmentList).gives::<ThreadAttachmentListResponse>()),
    experimental(
        "thread/backgroundTerminals/list",
        Observe,
        &takes(Thread::BackgroundTerminalsList).gives::<ThreadBackgroundTerminalsListResponse>(),
    ),
    experimental(
        "thread/backgroundTerminals/terminate",
        Converse,
        &takes(Thread::BackgroundTerminalsTerminate).gives::<ThreadBackgroundTerminalsTerminateResponse>(),
    ),
    experimental(
        "thread/backgroundTerminals/clean",
        Converse,
        &takes(Thread::BackgroundTerminalsClean).gives::<Empty>(),
    ),
    // Outside of any sandbox, as `command/exec` can.
    stable("thread/shellCommand", Admin, &takes(Thread::ShellCommand).gives::<Empty>()).starting_work(),
    // Turns and their items.
    stable("thread/turns/list", Observe, &takes(Thread::TurnsList).gives::<ThreadTurnsListResponse>()),
    stable("thread/items/list", Observe, &takes(Thread::ItemsList).gives::<ThreadItemsListResponse>()),
    stable("turn/start", Converse, &takes(Thread::TurnStart).gives::<TurnStartResponse>()).starting_work(),
    stable("turn/steer", Converse, &takes(Thread::TurnSteer).gives::<TurnSteerResponse>()),
    stable("turn/interrupt", Converse, &takes(Thread::TurnInterrupt).gives::<Empty>()),
    stable("review/start", Converse, &takes(Thread::ReviewStart).gives::<ReviewStartResponse>()).starting_work(),
    // Commands.
    long("command/exec", Admin, &takes(Command::Exec).gives::<CommandExecResponse>()).starting_work(),
    stable("command/exec/write", Admin, &takes(Command::Write).gives::<Empty>()),
    stable("command/exec/resize", Admin, &takes(Command::Resize).gives::<Empty>()),
    stable("command/exec/terminate", Admin, &takes(Command::Terminate).gives::<Empty>()),
    // Files of the machine.
    stable("fs/readFile", Files, &takes(Fs::ReadFile).gives::<FsReadFileResponse>()),
    stable("fs/writeFile", Files, &takes(Fs::WriteFile).gives::<Empty>()),
    stable("fs/createDirectory", Files, &takes(Fs::CreateDirectory).gives::<Empty>()),
    stable("fs/getMetadata", Files, &takes(Fs::GetMetadata).gives::<FsGetMetadataResponse>()),
    stable("fs/readDirectory", Files, &takes(Fs::ReadDirectory).gives::<FsReadDirectoryResponse>()),
    stable("fs/remove", Files, &takes(Fs::Remove).gives::<Empty>()),
    stable("fs/copy", Files, &takes(Fs::Copy).gives::<Empty>()),
    stable("fs/watch", Files, &takes(Fs::Watch).gives::<FsWatchResponse>()),
    stable("fs/unwatch", Files, &takes(Fs::Unwatch).gives::<Empty>()),
    stable("fuzzyFileSearch", Files, &takes(Search::FuzzyFileSearch).gives::<FuzzyFileSearchResponse>()),
    experimental("fuzzyFileSearch/sessionStart", Files, &takes(Search::SessionStart).gives::<Empty>()),
    experimental("fuzzyFileSearch/sessionUpdate", Files, &takes(Search::SessionUpdate).gives::<Empty>()),
    experimental("fuzzyFileSearch/sessionStop", Files, &takes(Search::SessionStop).gives::<Empty>()),
    // Remote control. Requests that wait for the backend are long.
    long_experimental("remoteControl/enable", Admin, &takes(Remote::Enable).gives::<RemoteControlState>())
        .starting_work(),
    experimental("remoteControl/disable", Admin, &takes(Remote::Disable).gives::<RemoteControlState>()),
    experimental(
        "remoteControl/status/read",
        Observe,
        &takes_nothing(Remote::StatusRead).gives::<RemoteControlStatusReadResponse>(),
    ),
    long_experimental(
        "remoteControl/pairing/start",
        Admin,
        &takes_present(Remote::PairingStart).gives::<PairingStartResponse>(),
    )
    .starting_work(),
    long_experimental(
        "remoteControl/pairing/status",
        Admin,
        &takes_present(Remote::PairingStatus).gives::<PairingStatusResponse>(),
    ),
    experimental("remoteControl/pairing/confirm", Admin, &takes_present(Remote::PairingConfirm).gives::<Empty>()),
    long_experimental(
        "remoteControl/client/list",
        Admin,
        &takes(Remote::ClientList).gives::<RemoteControlClientsListResponse>(),
    ),
    long_experimental("remoteControl/client/revoke", Admin, &takes(Remote::ClientRevoke).gives::<Empty>())
        .called("RemoteControlClientsRevoke"),
    // Requests of clients at their start.
    stable("account/read", Observe, &takes(Catalog::AccountRead).gives::<GetAccountResponse>()),
    stable("account/login/start", Admin, &takes(Catalog::AccountLoginStart).gives::<LoginAccountResponse>())
        .called("LoginAccount"),
    stable("account/login/cancel", Admin, &takes(Catalog::AccountLoginCancel).gives::<CancelLoginAccountResponse>())
        .called("CancelLoginAccount"),
    stable("account/logout", Admin, &takes_nothing(Catalog::AccountLogout).gives::<Empty>()).called("LogoutAccount"),
    stable(
        "account/rateLimits/read",
        Observe,
        &takes(Catalog::AccountRateLimitsRead).gives::<GetAccountRateLimitsResponse>(),
    )
    .called("GetAccountRateLimits"),
    stable(
        "account/gatewayOAuth/read",
        Observe,
        &takes(Catalog::AccountGatewayOAuthRead).gives::<GatewayOAuthReadResponse>(),
    )
    .called("GatewayOAuthRead"),
    stable("account/usage/read", Observe, &takes(Catalog::AccountUsageRead).gives::<Unoffered>())
        .called("GetAccountTokenUsage"),
    experimental(
        "account/bedrock/checkGovCloudRequirements",
        Observe,
        &takes(Catalog::AccountBedrockCheckGovCloudRequirements).gives::<BedrockCheckGovCloudRequirementsResponse>(),
    )
    .called("BedrockCheckGovCloudRequirements"),
    stable("config/read", Converse, &takes(Catalog::ConfigRead).gives::<ConfigReadResponse>()),
    stable("config/value/write", Admin, &takes(Catalog::ConfigValueWrite).gives::<ConfigWriteResponse>()),
    stable("config/batchWrite", Admin, &takes(Catalog::ConfigBatchWrite).gives::<ConfigWriteResponse>()),
    stable(
        "configRequirements/read",
        Observe,
        &takes(Catalog::ConfigRequirementsRead).gives::<ConfigRequirementsReadResponse>(),
    ),
    stable("model/list", Observe, &takes(Catalog::ModelList).gives::<Page<Model>>()),
    stable("modelProvider/list", Observe, &takes(Catalog::ModelProviderList).gives::<ModelProviderListResponse>()),
    stable("modelProvider/default/set", Admin, &takes(Catalog::ModelProviderDefaultSet).gives::<ConfigWriteResponse>()),
    stable(
        "modelProvider/capabilities/read",
        Observe,
        &takes(Catalog::ModelProviderCapabilitiesRead).gives::<ModelProviderCapabilitiesReadResponse>(),
    ),
    stable(
        "permissionProfile/list",
        Observe,
        &takes(Catalog::PermissionProfileList).gives::<Page<PermissionProfileSummary>>(),
    ),
    experimental(
        "collaborationMode/list",
        Observe,
        &takes(Catalog::CollaborationModeList).gives::<CollaborationModeListResponse>(),
    ),
    // MCP servers.
    long("mcpServerStatus/list", Observe, &takes(Thread::McpServerStatusList).gives::<Page<McpServerStatus>>())
        .called("ListMcpServerStatus"),
    long("mcpServer/tool/call", Admin, &takes(Thread::McpServerToolCall).gives::<McpServerToolCallResponse>())
        .starting_work(),
    long("mcpServer/resource/read", Converse, &takes(Thread::McpResourceRead).gives::<McpResourceReadResponse>())
        .called("McpResourceRead"),
    stable("mcpServer/oauth/login", Admin, &takes(Catalog::McpServerOauthLogin).gives::<Unoffered>()),
    stable("config/mcpServer/reload", Admin, &takes_nothing(Thread::McpServerReload).gives::<Empty>())
        .called("McpServerRefresh"),
    stable("skills/list", Observe, &takes(Catalog::SkillsList).gives::<SkillsListResponse>()),
    stable("skills/config/write", Admin, &takes(Catalog::SkillsConfigWrite).gives::<SkillsConfigWriteResponse>()),
    stable("skills/extraRoots/set", Admin, &takes(Catalog::SkillsExtraRootsSet).gives::<Empty>()),
    stable("hooks/list", Observe, &takes(Catalog::HooksList).gives::<HooksListResponse>()),
    stable("plugin/list", Observe, &takes(Catalog::PluginList).gives::<PluginListResponse>()),
    stable("plugin/installed", Observe, &takes(Catalog::PluginInstalled).gives::<PluginInstalledResponse>()),
    stable("experimentalFeature/list", Observe, &takes(Catalog::ExperimentalFeatureList).gives::<Page<Unoffered>>()),
    stable(
        "experimentalFeature/enablement/set",
        Admin,
        &takes(Catalog::ExperimentalFeatureEnablementSet).gives::<ExperimentalFeatureEnablementSetResponse>(),
    ),
    stable("feedback/upload", Observe, &takes(Catalog::FeedbackUpload).gives::<Unoffered>()),
    stable("app/list", Observe, &takes(Catalog::AppList).gives::<Page<Unoffered>>()).called("AppsList"),
];
