//! Requests of clients, grouped by the actor that answers.

use super::catalog::CatalogRequest;
use super::command::CommandRequest;
use super::diagnostics::ServerDiagnosticsParams;
use super::fs::FsRequest;
use super::initialize::InitializeParams;
use super::remote::RemoteControlRequest;
use super::scope::Scope;
use super::search::SearchRequest;
use super::thread::ThreadRequest;

const PERMISSION_PROFILE: &str = "command/exec.permissionProfile";

/// A request with decoded params. Params of more than 64 bytes are boxed, because every request is moved from mailbox to
/// mailbox.
#[derive(Debug)]
pub enum ClientRequest {
    /// The handshake; answered by the processor.
    Initialize(Box<InitializeParams>),
    /// Facts about the server; answered by the processor and the router.
    Diagnostics(ServerDiagnosticsParams),
    /// Threads and turns; answered by the registry of threads.
    Threads(ThreadRequest),
    /// The server and its user; answered by the catalog.
    Catalog(CatalogRequest),
    /// Commands of clients; answered by the registry of commands.
    Commands(CommandRequest),
    /// Files; answered by the files actor.
    Files(FsRequest),
    /// File search; answered by the search actor.
    Search(SearchRequest),
    /// Remote control; answered by the actor of that name.
    RemoteControl(RemoteControlRequest),
}

impl ClientRequest {
    /// The first member that requires `experimentalApi`, as named in the refusal.
    pub fn experimental_member(&self) -> Option<&'static str> {
        match self {
            Self::Threads(request) => request.experimental_member(),
            Self::Commands(CommandRequest::Exec(params)) => {
                params.permission_profile.as_ref().map(|_| PERMISSION_PROFILE)
            }
            Self::Initialize(_)
            | Self::Diagnostics(_)
            | Self::Catalog(_)
            | Self::Commands(_)
            | Self::Files(_)
            | Self::Search(_)
            | Self::RemoteControl(_) => None,
        }
    }

    /// All members that require `experimentalApi`, as named in refusals: method, dot, member.
    pub fn experimental_members() -> impl Iterator<Item = &'static str> {
        ThreadRequest::experimental_members().chain([PERMISSION_PROFILE])
    }

    /// The part of the request that needs a further scope besides that of its method, as refusals name it, and the
    /// scope.
    pub fn further_scope(&self) -> Option<(&'static str, Scope)> {
        match self {
            Self::Threads(request) => request.further_scope(),
            _ => None,
        }
    }
}

impl From<ThreadRequest> for ClientRequest {
    fn from(request: ThreadRequest) -> Self {
        Self::Threads(request)
    }
}

impl From<CatalogRequest> for ClientRequest {
    fn from(request: CatalogRequest) -> Self {
        Self::Catalog(request)
    }
}

impl From<CommandRequest> for ClientRequest {
    fn from(request: CommandRequest) -> Self {
        Self::Commands(request)
    }
}

impl From<FsRequest> for ClientRequest {
    fn from(request: FsRequest) -> Self {
        Self::Files(request)
    }
}

impl From<SearchRequest> for ClientRequest {
    fn from(request: SearchRequest) -> Self {
        Self::Search(request)
    }
}

impl From<RemoteControlRequest> for ClientRequest {
    fn from(request: RemoteControlRequest) -> Self {
        Self::RemoteControl(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_short() {
        // With what else is in its message, that is the largest block that the usual allocator frees at little cost.
        assert!(size_of::<ClientRequest>() <= 72, "box the params of {} bytes", size_of::<ClientRequest>());
    }
}
