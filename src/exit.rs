//! The exit codes, as in the README's table: they tell a supervisor and a script what to do next.

use std::error::Error;

use app_server_actors::store::StoreError;

use crate::{
    admin::AdminFailure,
    attach::{AttachError, CallError, ClientError},
    auth::AuthError,
    codex_home::CodexHomeError,
    listen::{AdminError, ListenError, TcpError, UnixSocketError},
    logging::LogError,
    output::Unwritten,
    proxy::ProxyError,
    relay::{NotRunning, RelayError},
    server::ServerError,
    settings::SettingsError,
};

/// Any failure without a code of its own.
pub const FAILED: i32 = 1;
/// A wrong command line.
pub const USAGE: i32 = 2;
/// `EX_UNAVAILABLE` of sysexits.h: there is no server.
pub const UNAVAILABLE: i32 = 69;
/// `EX_TEMPFAIL`: the same may succeed a little later.
pub const TRY_LATER: i32 = 75;
/// `EX_CONFIG`: a file or a variable must be corrected first.
pub const CONFIGURATION: i32 = 78;

/// The exit code for `error`; 0 for output that nobody wanted any more.
pub fn code(error: &(dyn Error + 'static)) -> i32 {
    if let Some(error) = error.downcast_ref() {
        of_call(error)
    } else if let Some(error) = error.downcast_ref() {
        of_server(error)
    } else if let Some(error) = error.downcast_ref() {
        of_proxy(error)
    } else if let Some(error) = error.downcast_ref() {
        of_store(error)
    } else if let Some(error) = error.downcast_ref() {
        of_relay(error)
    } else if error.is::<NotRunning>() {
        UNAVAILABLE
    } else if error.is::<SettingsError>()
        || error.is::<CodexHomeError>()
        || matches!(error.downcast_ref(), Some(LogError::File { .. }))
    {
        CONFIGURATION
    } else if error.downcast_ref().is_some_and(Unwritten::is_unwanted) {
        0
    } else {
        FAILED
    }
}

fn of_call(error: &CallError) -> i32 {
    match error {
        CallError::Usage(_) => USAGE,
        CallError::Client(error) => of_client(error),
        CallError::Output(unwritten) if unwritten.is_unwanted() => 0,
        CallError::Unsuccessful(_) | CallError::Output(_) => FAILED,
    }
}

fn of_client(error: &ClientError) -> i32 {
    match error {
        ClientError::Attach(error) => of_attach(error),
        ClientError::Gone => UNAVAILABLE,
        ClientError::Refused(refused) if refused.is_temporary() => TRY_LATER,
        ClientError::Refused(_) | ClientError::Json(_) => FAILED,
    }
}

fn of_attach(error: &AttachError) -> i32 {
    match error {
        AttachError::Unreachable { .. } => UNAVAILABLE,
        AttachError::Full | AttachError::Silent { .. } => TRY_LATER,
        AttachError::TokenMissing | AttachError::TokenRefused | AttachError::Refused(_) => FAILED,
        AttachError::NoWebSocket(_) => FAILED,
    }
}

fn of_proxy(error: &ProxyError) -> i32 {
    match error {
        ProxyError::Connect { .. } => UNAVAILABLE,
        ProxyError::Attach(error) => of_attach(error),
        ProxyError::Relay(_) | ProxyError::Io(_) | ProxyError::ServerGone(_) => FAILED,
    }
}

fn of_server(error: &ServerError) -> i32 {
    match error {
        ServerError::Listen(error) => of_listener(error),
        ServerError::Auth(error) => of_auth(error),
        ServerError::Override(_) => USAGE,
        ServerError::RemoteControl(_)
        | ServerError::Door(_)
        | ServerError::Traces(_)
        | ServerError::StrictConfig(_) => CONFIGURATION,
        ServerError::Admin(error) => of_admin(error),
        ServerError::Store(error) => of_store(error),
        ServerError::WorkingDirectory(_) | ServerError::ClientCut | ServerError::ActorLost(_) | ServerError::Io(_) => {
            FAILED
        }
    }
}

fn of_store(error: &StoreError) -> i32 {
    match error {
        StoreError::Busy | StoreError::Locked(_) | StoreError::Full(_) | StoreError::NotKept { .. } => TRY_LATER,
        // Another version of this program is needed first.
        StoreError::Newer(_) => CONFIGURATION,
        _ => FAILED,
    }
}

fn of_relay(error: &RelayError) -> i32 {
    match error {
        RelayError::Certificate => USAGE,
        RelayError::Tls(_) | RelayError::Setting(_) => CONFIGURATION,
        RelayError::Io { .. } | RelayError::RunsAlready => TRY_LATER,
        RelayError::Socket(error) => of_socket(error),
        RelayError::Stopped(_) => FAILED,
    }
}

fn of_admin(error: &AdminFailure) -> i32 {
    match error {
        AdminFailure::Listen(AdminError::OpenToOthers(_)) => USAGE,
        AdminFailure::Listen(AdminError::Io { .. }) => TRY_LATER,
        AdminFailure::Listen(AdminError::Unix(error)) => of_socket(error),
        AdminFailure::Auth(error) => of_auth(error),
        AdminFailure::Door(_) => CONFIGURATION,
        AdminFailure::Io(_) => FAILED,
    }
}

fn of_socket(error: &UnixSocketError) -> i32 {
    match error {
        UnixSocketError::InUse(_) | UnixSocketError::StillStarting { .. } => TRY_LATER,
        _ => FAILED,
    }
}

fn of_listener(error: &ListenError) -> i32 {
    match error {
        ListenError::NoTransport | ListenError::Tcp(TcpError::OpenToOthers(_)) => USAGE,
        // A port that is taken becomes free, an address of a network that is coming up appears.
        ListenError::Tcp(TcpError::Io { .. }) => TRY_LATER,
        ListenError::Inherited(_) | ListenError::Unix(UnixSocketError::OpenToOthers(_)) => CONFIGURATION,
        ListenError::Unix(error) => of_socket(error),
    }
}

fn of_auth(error: &AuthError) -> i32 {
    match error {
        AuthError::NoMode
        | AuthError::NoToken
        | AuthError::TwoTokens
        | AuthError::NotForCapabilityToken
        | AuthError::BadDigest
        | AuthError::NoSecret
        | AuthError::NotForSignedBearer
        | AuthError::BadSkew
        | AuthError::UnknownScope(_) => USAGE,
        AuthError::Unreadable { .. }
        | AuthError::SameToken(_)
        | AuthError::NotOneLine { .. }
        | AuthError::Empty(_)
        | AuthError::ShortSecret(_) => CONFIGURATION,
    }
}
