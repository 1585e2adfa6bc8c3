//! The table of methods: name, gate, weight, whether it starts work, and types of params, request and result.
//!
//! Gate, dispatch, metrics labels, the list of methods in error texts, and the published schema all come from
//! [`METHODS`].

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::FixedState;
use serde_json::value::RawValue;

use super::account::{
    BedrockCheckGovCloudRequirementsResponse, GatewayOAuthReadResponse, GetAccountRateLimitsResponse,
    GetAccountResponse,
};
use super::catalog::{
    CatalogRequest as Catalog, CollaborationModeListResponse, HooksListResponse, McpServerStatus, Model,
    ModelProviderCapabilitiesReadResponse, ModelProviderListResponse, Page, PermissionProfileSummary,
    PluginInstalledResponse, PluginListResponse, SkillsListResponse, Unoffered,
};
use super::command::{CommandExecResponse, CommandRequest as Command};
use super::config::{ConfigReadResponse, ConfigRequirementsReadResponse, ConfigWriteResponse};
use super::fs::{FsGetMetadataResponse, FsReadDirectoryResponse, FsReadFileResponse, FsRequest as Fs, FsWatchResponse};
use super::initialize::InitializeResponse;
use super::remote::{
    PairingStartResponse, PairingStatusResponse, RemoteControlClientsListResponse, RemoteControlRequest as Remote,
    RemoteControlState, RemoteControlStatusReadResponse,
};
use super::request::ClientRequest;
use super::search::{FuzzyFileSearchResponse, SearchRequest as Search};
use super::signature::{Signature, takes, takes_nothing, takes_present};
use super::thread::{
    Empty, ThreadArchiveResponse, ThreadAttachmentListResponse, ThreadBackgroundTerminalsListResponse,
    ThreadDeleteResponse, ThreadForkResponse, ThreadGoalGetResponse, ThreadItemsListResponse, ThreadListResponse,
    ThreadLoadedListResponse, ThreadMetadataUpdateResponse, ThreadNameSetResponse, ThreadReadResponse,
    ThreadReadStateUpdateResponse, ThreadRequest as Thread, ThreadResumeResponse, ThreadSearchResponse,
    ThreadStartResponse, ThreadTurnsListResponse, ThreadUnarchiveResponse, ThreadUnsubscribeResponse,
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
    /// Weight of its requests.
    pub weight: Weight,
    /// Whether it starts work, which a draining server refuses.
    pub starts_work: bool,
    /// Types of params and result.
    pub(super) signature: &'static dyn Signature,
    /// Prefix of the published names of its types, if it does not follow from the method's name.
    pub(super) types: Option<&'static str>,
}

impl Method {
    /// Finds the row of `name`.
    pub fn find(name: &str) -> Option<&'static Method> {
        // A fast hash is safe, because the keys come from the table and cannot be chosen to collide.
        static BY_NAME: LazyLock<HashMap<&str, &Method, FixedState>> =
            LazyLock::new(|| METHODS.iter().map(|method| (method.name, method)).collect());
        BY_NAME.get(name).copied()
    }

    /// -32601 with the reference program's text, which lists all methods.
    pub fn unknown(name: &str) -> RpcError {
        let known = METHODS.iter().map(|m| format!("`{}`", m.name)).collect::<Vec<_>>().join(", ");
        RpcError::new(
            ErrorCode::MethodNotFound,
            format!("Invalid request: unknown variant `{name}`, expected one of {known}"),
        )
    }

    /// Decodes the params into the typed request, or returns -32602.
    pub fn parse(&self, params: Option<&RawValue>) -> Result<ClientRequest, RpcError> {
        self.signature.parse(params)
    }

    /// Refused by a draining server.
    const fn starting_work(self) -> Self {
        Self { starts_work: true, ..self }
    }

    /// Names the types `types` + `Params` and `types` + `Response`.
    const fn called(self, types: &'static str) -> Self {
        Self { types: Some(types), ..self }
    }
}

const fn stable(name: &'static str, signature: &'static dyn Signature) -> Method {
    Method { name, gate: Gate::Stable, weight: Weight::Short, starts_work: false, signature, types: None }
}

const fn experimental(name: &'static str, signature: &'static dyn Signature) -> Method {
    Method { gate: Gate::Experimental, ..stable(name, signature) }
}

const fn long(name: &'static str, signature: &'static dyn Signature) -> Method {
    Method { weight: Weight::Long, ..stable(name, signature) }
}

const fn long_experimental(name: &'static str, signature: &'static dyn Signature) -> Method {
    Method { gate: Gate::Experimental, ..long(name, signature) }
}

/// All methods of this server.
pub static METHODS: &[Method] = &[
    stable("initialize", &takes(ClientRequest::Initialize).gives::<InitializeResponse>()),
    // Threads: life cycle.
    stable("thread/start", &takes(Thread::Start).gives::<ThreadStartResponse>()).starting_work(),
    stable("thread/resume", &takes(Thread::Resume).gives::<ThreadResumeResponse>()),
    stable("thread/fork", &takes(Thread::Fork).gives::<ThreadForkResponse>()),
    stable("thread/unsubscribe", &takes(Thread::Unsubscribe).gives::<ThreadUnsubscribeResponse>()),
    stable("thread/archive", &takes(Thread::Archive).gives::<ThreadArchiveResponse>()),
    stable("thread/unarchive", &takes(Thread::Unarchive).gives::<ThreadUnarchiveResponse>()),
    stable("thread/delete", &takes(Thread::Delete).gives::<ThreadDeleteResponse>()),
    // Threads: data.
    stable("thread/read", &takes(Thread::Read).gives::<ThreadReadResponse>()),
    stable("thread/list", &takes(Thread::List).gives::<ThreadListResponse>()),
    experimental("thread/search", &takes(Thread::Search).gives::<ThreadSearchResponse>()),
    stable("thread/loaded/list", &takes(Thread::LoadedList).gives::<ThreadLoadedListResponse>()),
    stable("thread/name/set", &takes(Thread::NameSet).gives::<ThreadNameSetResponse>()).called("ThreadSetName"),
    stable("thread/metadata/update", &takes(Thread::MetadataUpdate).gives::<ThreadMetadataUpdateResponse>()),
    experimental("thread/readState/update", &takes(Thread::ReadStateUpdate).gives::<ThreadReadStateUpdateResponse>()),
    stable("thread/goal/get", &takes(Thread::GoalGet).gives::<ThreadGoalGetResponse>()),
    stable("thread/attachment/list", &takes(Thread::AttachmentList).gives::<ThreadAttachmentListResponse>()),
    experimental(
        "thread/backgroundTerminals/list",
        &takes(Thread::BackgroundTerminalsList).gives::<ThreadBackgroundTerminalsListResponse>(),
    ),
    // Turns and their items.
    stable("thread/turns/list", &takes(Thread::TurnsList).gives::<ThreadTurnsListResponse>()),
    stable("thread/items/list", &takes(Thread::ItemsList).gives::<ThreadItemsListResponse>()),
    stable("turn/start", &takes(Thread::TurnStart).gives::<TurnStartResponse>()).starting_work(),
    stable("turn/steer", &takes(Thread::TurnSteer).gives::<TurnSteerResponse>()),
    stable("turn/interrupt", &takes(Thread::TurnInterrupt).gives::<Empty>()),
    // Commands.
    long("command/exec", &takes(Command::Exec).gives::<CommandExecResponse>()).starting_work(),
    stable("command/exec/write", &takes(Command::Write).gives::<Empty>()),
    stable("command/exec/resize", &takes(Command::Resize).gives::<Empty>()),
    stable("command/exec/terminate", &takes(Command::Terminate).gives::<Empty>()),
    // Files of the machine.
    stable("fs/readFile", &takes(Fs::ReadFile).gives::<FsReadFileResponse>()),
    stable("fs/writeFile", &takes(Fs::WriteFile).gives::<Empty>()),
    stable("fs/createDirectory", &takes(Fs::CreateDirectory).gives::<Empty>()),
    stable("fs/getMetadata", &takes(Fs::GetMetadata).gives::<FsGetMetadataResponse>()),
    stable("fs/readDirectory", &takes(Fs::ReadDirectory).gives::<FsReadDirectoryResponse>()),
    stable("fs/remove", &takes(Fs::Remove).gives::<Empty>()),
    stable("fs/copy", &takes(Fs::Copy).gives::<Empty>()),
    stable("fs/watch", &takes(Fs::Watch).gives::<FsWatchResponse>()),
    stable("fs/unwatch", &takes(Fs::Unwatch).gives::<Empty>()),
    stable("fuzzyFileSearch", &takes(Search::FuzzyFileSearch).gives::<FuzzyFileSearchResponse>()),
    experimental("fuzzyFileSearch/sessionStart", &takes(Search::SessionStart).gives::<Empty>()),
    experimental("fuzzyFileSearch/sessionUpdate", &takes(Search::SessionUpdate).gives::<Empty>()),
    experimental("fuzzyFileSearch/sessionStop", &takes(Search::SessionStop).gives::<Empty>()),
    // Remote control. Requests that wait for the backend are long.
    long_experimental("remoteControl/enable", &takes(Remote::Enable).gives::<RemoteControlState>()).starting_work(),
    experimental("remoteControl/disable", &takes(Remote::Disable).gives::<RemoteControlState>()),
    experimental(
        "remoteControl/status/read",
        &takes_nothing(Remote::StatusRead).gives::<RemoteControlStatusReadResponse>(),
    ),
    long_experimental(
        "remoteControl/pairing/start",
        &takes_present(Remote::PairingStart).gives::<PairingStartResponse>(),
    )
    .starting_work(),
    long_experimental(
        "remoteControl/pairing/status",
        &takes_present(Remote::PairingStatus).gives::<PairingStatusResponse>(),
    ),
    long_experimental(
        "remoteControl/client/list",
        &takes(Remote::ClientList).gives::<RemoteControlClientsListResponse>(),
    ),
    long_experimental("remoteControl/client/revoke", &takes(Remote::ClientRevoke).gives::<Empty>())
        .called("RemoteControlClientsRevoke"),
    // Requests of clients at their start.
    stable("account/read", &takes(Catalog::AccountRead).gives::<GetAccountResponse>()),
    stable("account/rateLimits/read", &takes(Catalog::AccountRateLimitsRead).gives::<GetAccountRateLimitsResponse>())
        .called("GetAccountRateLimits"),
    stable("account/gatewayOAuth/read", &takes(Catalog::AccountGatewayOAuthRead).gives::<GatewayOAuthReadResponse>())
        .called("GatewayOAuthRead"),
    stable("account/usage/read", &takes(Catalog::AccountUsageRead).gives::<Unoffered>()).called("GetAccountTokenUsage"),
    experimental(
        "account/bedrock/checkGovCloudRequirements",
        &takes(Catalog::AccountBedrockCheckGovCloudRequirements).gives::<BedrockCheckGovCloudRequirementsResponse>(),
    )
    .called("BedrockCheckGovCloudRequirements"),
    stable("config/read", &takes(Catalog::ConfigRead).gives::<ConfigReadResponse>()),
    stable("config/value/write", &takes(Catalog::ConfigValueWrite).gives::<ConfigWriteResponse>()),
    stable("config/batchWrite", &takes(Catalog::ConfigBatchWrite).gives::<ConfigWriteResponse>()),
    stable(
        "configRequirements/read",
        &takes(Catalog::ConfigRequirementsRead).gives::<ConfigRequirementsReadResponse>(),
    ),
    stable("model/list", &takes(Catalog::ModelList).gives::<Page<Model>>()),
    stable("modelProvider/list", &takes(Catalog::ModelProviderList).gives::<ModelProviderListResponse>()),
    stable(
        "modelProvider/capabilities/read",
        &takes(Catalog::ModelProviderCapabilitiesRead).gives::<ModelProviderCapabilitiesReadResponse>(),
    ),
    stable("permissionProfile/list", &takes(Catalog::PermissionProfileList).gives::<Page<PermissionProfileSummary>>()),
    experimental(
        "collaborationMode/list",
        &takes(Catalog::CollaborationModeList).gives::<CollaborationModeListResponse>(),
    ),
    stable("mcpServerStatus/list", &takes(Catalog::McpServerStatusList).gives::<Page<McpServerStatus>>())
        .called("ListMcpServerStatus"),
    stable("skills/list", &takes(Catalog::SkillsList).gives::<SkillsListResponse>()),
    stable("hooks/list", &takes(Catalog::HooksList).gives::<HooksListResponse>()),
    stable("plugin/list", &takes(Catalog::PluginList).gives::<PluginListResponse>()),
    stable("plugin/installed", &takes(Catalog::PluginInstalled).gives::<PluginInstalledResponse>()),
    stable("experimentalFeature/list", &takes(Catalog::ExperimentalFeatureList).gives::<Page<Unoffered>>()),
    stable("app/list", &takes(Catalog::AppList).gives::<Page<Unoffered>>()).called("AppsList"),
];
