//! The one table of methods: name, gate, weight, params type and handler.
//!
//! The gate, the dispatch, the metrics labels and the list of methods in an error text all come from [`METHODS`].

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::catalog::CatalogRequest as Catalog;
use super::command::CommandRequest as Command;
use super::fs::FsRequest as Fs;
use super::request::ClientRequest;
use super::search::SearchRequest as Search;
use super::thread::ThreadRequest as Thread;
use super::{ErrorCode, RpcError};

/// Who may call a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Every initialized connection.
    Stable,
    /// Connections that announced `capabilities.experimentalApi`.
    Experimental,
}

/// What a request in flight costs its connection (design section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Answered soon: counts towards the bound at which the connection stops being read.
    Short,
    /// May run for minutes: does not stop the reading, but has a bound of its own.
    Long,
}

/// One row of the table.
#[derive(Debug)]
pub struct Method {
    /// The name on the wire.
    pub name: &'static str,
    /// Who may call it.
    pub gate: Gate,
    /// What it costs while it runs.
    pub weight: Weight,
    parse: fn(Params<'_>) -> Result<ClientRequest, RpcError>,
}

impl Method {
    /// The row of `name`.
    pub fn find(name: &str) -> Option<&'static Method> {
        static BY_NAME: LazyLock<HashMap<&str, &Method>> =
            LazyLock::new(|| METHODS.iter().map(|method| (method.name, method)).collect());
        BY_NAME.get(name).copied()
    }

    /// -32601 with the reference program's text, which lists every method there is.
    pub fn unknown(name: &str) -> RpcError {
        let known = METHODS.iter().map(|m| format!("`{}`", m.name)).collect::<Vec<_>>().join(", ");
        RpcError::new(
            ErrorCode::MethodNotFound,
            format!("Invalid request: unknown variant `{name}`, expected one of {known}"),
        )
    }

    /// Reads the params into the typed request, or says what does not fit (-32602).
    pub fn parse(&self, params: Option<&RawValue>) -> Result<ClientRequest, RpcError> {
        (self.parse)(Params(params))
    }
}

/// The `params` member of a request, not yet typed.
struct Params<'a>(Option<&'a RawValue>);

impl Params<'_> {
    /// The params as `T`. Missing or null params are read as `{}` so that a method whose members are all optional
    /// accepts them; where a member is required the text says that the params are missing, as the reference does.
    fn read<T: DeserializeOwned>(self) -> Result<T, RpcError> {
        let Some(raw) = self.0.filter(|raw| raw.get() != "null") else {
            return serde_json::from_str("{}").map_err(|_| RpcError::invalid_params("missing field `params`"));
        };
        // An array would be read as a struct by position; JSON-RPC clients that send one have made a mistake.
        if raw.get().starts_with('[') {
            return Err(RpcError::invalid_params("params must be an object, not an array"));
        }
        serde_json::from_str(raw.get()).map_err(|e| RpcError::invalid_params(reason(&e)))
    }
}

/// The reason without the position, which means nothing inside one line of JSON.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

const fn stable(name: &'static str, parse: fn(Params<'_>) -> Result<ClientRequest, RpcError>) -> Method {
    Method { name, gate: Gate::Stable, weight: Weight::Short, parse }
}

const fn experimental(name: &'static str, parse: fn(Params<'_>) -> Result<ClientRequest, RpcError>) -> Method {
    Method { name, gate: Gate::Experimental, weight: Weight::Short, parse }
}

const fn long(name: &'static str, parse: fn(Params<'_>) -> Result<ClientRequest, RpcError>) -> Method {
    Method { name, gate: Gate::Stable, weight: Weight::Long, parse }
}

fn threads<T: DeserializeOwned>(params: Params<'_>, request: fn(T) -> Thread) -> Result<ClientRequest, RpcError> {
    params.read().map(request).map(ClientRequest::Threads)
}

fn catalog<T: DeserializeOwned>(params: Params<'_>, request: fn(T) -> Catalog) -> Result<ClientRequest, RpcError> {
    params.read().map(request).map(ClientRequest::Catalog)
}

fn commands<T: DeserializeOwned>(params: Params<'_>, request: fn(T) -> Command) -> Result<ClientRequest, RpcError> {
    params.read().map(request).map(ClientRequest::Commands)
}

fn files<T: DeserializeOwned>(params: Params<'_>, request: fn(T) -> Fs) -> Result<ClientRequest, RpcError> {
    params.read().map(request).map(ClientRequest::Files)
}

fn search<T: DeserializeOwned>(params: Params<'_>, request: fn(T) -> Search) -> Result<ClientRequest, RpcError> {
    params.read().map(request).map(ClientRequest::Search)
}

/// Every method that this server answers.
pub static METHODS: &[Method] = &[
    stable("initialize", |p| p.read().map(ClientRequest::Initialize)),
    // Threads: their life.
    stable("thread/start", |p| threads(p, Thread::Start)),
    stable("thread/resume", |p| threads(p, Thread::Resume)),
    stable("thread/fork", |p| threads(p, Thread::Fork)),
    stable("thread/unsubscribe", |p| threads(p, Thread::Unsubscribe)),
    stable("thread/archive", |p| threads(p, Thread::Archive)),
    stable("thread/unarchive", |p| threads(p, Thread::Unarchive)),
    stable("thread/delete", |p| threads(p, Thread::Delete)),
    // Threads: what is known about them.
    stable("thread/read", |p| threads(p, Thread::Read)),
    stable("thread/list", |p| threads(p, Thread::List)),
    experimental("thread/search", |p| threads(p, Thread::Search)),
    stable("thread/loaded/list", |p| threads(p, Thread::LoadedList)),
    stable("thread/name/set", |p| threads(p, Thread::NameSet)),
    stable("thread/metadata/update", |p| threads(p, Thread::MetadataUpdate)),
    experimental("thread/readState/update", |p| threads(p, Thread::ReadStateUpdate)),
    stable("thread/goal/get", |p| threads(p, Thread::GoalGet)),
    experimental("thread/backgroundTerminals/list", |p| threads(p, Thread::BackgroundTerminalsList)),
    // Turns and their items.
    stable("thread/turns/list", |p| threads(p, Thread::TurnsList)),
    stable("thread/items/list", |p| threads(p, Thread::ItemsList)),
    stable("turn/start", |p| threads(p, Thread::TurnStart)),
    stable("turn/steer", |p| threads(p, Thread::TurnSteer)),
    stable("turn/interrupt", |p| threads(p, Thread::TurnInterrupt)),
    // Commands.
    long("command/exec", |p| commands(p, |params| Command::Exec(Box::new(params)))),
    stable("command/exec/write", |p| commands(p, Command::Write)),
    stable("command/exec/resize", |p| commands(p, Command::Resize)),
    stable("command/exec/terminate", |p| commands(p, Command::Terminate)),
    // The files of the machine.
    stable("fs/readFile", |p| files(p, Fs::ReadFile)),
    stable("fs/writeFile", |p| files(p, Fs::WriteFile)),
    stable("fs/createDirectory", |p| files(p, Fs::CreateDirectory)),
    stable("fs/getMetadata", |p| files(p, Fs::GetMetadata)),
    stable("fs/readDirectory", |p| files(p, Fs::ReadDirectory)),
    stable("fs/remove", |p| files(p, Fs::Remove)),
    stable("fs/copy", |p| files(p, Fs::Copy)),
    stable("fs/watch", |p| files(p, Fs::Watch)),
    stable("fs/unwatch", |p| files(p, Fs::Unwatch)),
    stable("fuzzyFileSearch", |p| search(p, Search::FuzzyFileSearch)),
    experimental("fuzzyFileSearch/sessionStart", |p| search(p, Search::SessionStart)),
    experimental("fuzzyFileSearch/sessionUpdate", |p| search(p, Search::SessionUpdate)),
    experimental("fuzzyFileSearch/sessionStop", |p| search(p, Search::SessionStop)),
    // What clients ask at start-up.
    stable("account/read", |p| catalog(p, Catalog::AccountRead)),
    stable("account/rateLimits/read", |p| catalog(p, Catalog::AccountRateLimitsRead)),
    stable("account/usage/read", |p| catalog(p, Catalog::AccountUsageRead)),
    experimental("account/bedrock/checkGovCloudRequirements", |p| {
        catalog(p, Catalog::AccountBedrockCheckGovCloudRequirements)
    }),
    stable("config/read", |p| catalog(p, Catalog::ConfigRead)),
    stable("config/value/write", |p| catalog(p, Catalog::ConfigValueWrite)),
    stable("config/batchWrite", |p| catalog(p, Catalog::ConfigBatchWrite)),
    stable("configRequirements/read", |p| catalog(p, Catalog::ConfigRequirementsRead)),
    stable("model/list", |p| catalog(p, Catalog::ModelList)),
    stable("modelProvider/list", |p| catalog(p, Catalog::ModelProviderList)),
    stable("modelProvider/capabilities/read", |p| catalog(p, Catalog::ModelProviderCapabilitiesRead)),
    stable("permissionProfile/list", |p| catalog(p, Catalog::PermissionProfileList)),
    experimental("collaborationMode/list", |p| catalog(p, Catalog::CollaborationModeList)),
    stable("mcpServerStatus/list", |p| catalog(p, Catalog::McpServerStatusList)),
    stable("skills/list", |p| catalog(p, Catalog::SkillsList)),
    stable("hooks/list", |p| catalog(p, Catalog::HooksList)),
    stable("plugin/list", |p| catalog(p, Catalog::PluginList)),
    stable("plugin/installed", |p| catalog(p, Catalog::PluginInstalled)),
    stable("experimentalFeature/list", |p| catalog(p, Catalog::ExperimentalFeatureList)),
    stable("app/list", |p| catalog(p, Catalog::AppList)),
];
