//! The client subcommands: a single request, or all notifications of a server.

mod params;
mod pretty;
mod print;
mod table;
mod watch;

use std::io;

use app_server_actors::{
    limits::Limits,
    protocol::{
        calls::{THREAD_ARCHIVE, THREAD_LIST, THREAD_NAME_SET},
        thread::{
            SortDirection, ThreadIdParams, ThreadListParams, ThreadNameSetParams, ThreadSortKey, ThreadSourceKind,
        },
    },
};

pub use self::params::read as read_params;
pub(crate) use self::print::Printer;
use crate::{
    attach::{Client, ClientError, Endpoint},
    cli::ClientCommand,
};

/// The client name sent to the server.
const NAME: &str = "codex-app-server-call";

/// Why a client subcommand failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// A usage error.
    #[error("{0}")]
    Usage(String),
    /// The request failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The server carried out the request without the intended effect.
    #[error("{0}")]
    Unsuccessful(String),
    /// The result cannot be written to stdout.
    #[error("failed to write to stdout: {0}")]
    Output(#[from] io::Error),
}

impl CallError {
    /// The exit code: 1 for a JSON-RPC error, 2 for a usage error, 69 (`EX_UNAVAILABLE` of sysexits.h) if there is no
    /// server.
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::Usage(_) => 2,
            Self::Client(ClientError::Attach(_) | ClientError::Gone) => 69,
            Self::Client(ClientError::Refused(_) | ClientError::Json(_)) | Self::Unsuccessful(_) | Self::Output(_) => 1,
        }
    }
}

/// Runs `command` on the server at `endpoint`.
///
/// # Errors
/// See [`CallError`].
pub async fn run(command: &ClientCommand, endpoint: &Endpoint, limits: &Limits) -> Result<(), CallError> {
    let params = match command {
        ClientCommand::Call { params, .. } => Some(read_params(params)?),
        _ => None,
    };
    let mut printer = Printer::of_stdout();
    let (mut client, _) = Client::connect(endpoint, NAME, limits).await?;
    match command {
        ClientCommand::Call { method, .. } => {
            let result = client.request(method, &params).await?;
            printer.json(result.text()).await?;
        }
        ClientCommand::Watch { thread, .. } => watch::run(&mut client, thread.as_deref(), &mut printer).await?,
        ClientCommand::Threads { archived, limit, .. } => {
            let threads = client.call(&THREAD_LIST, &latest(*archived, *limit)).await?;
            printer.text(&table::of(&threads.data)).await?;
        }
        ClientCommand::Rename { thread_id, name, .. } => {
            let params = ThreadNameSetParams { thread_id: thread_id.clone(), name: name.clone() };
            client.call(&THREAD_NAME_SET, &params).await?;
        }
        ClientCommand::Archive { thread_id, .. } => {
            client.call(&THREAD_ARCHIVE, &ThreadIdParams { thread_id: thread_id.clone() }).await?;
        }
    }
    client.close().await;
    Ok(())
}

/// Threads started by people: all sources but sub-agents.
fn latest(archived: bool, limit: u32) -> ThreadListParams {
    use ThreadSourceKind::{AppServer, Cli, Exec, Unknown, VsCode};
    ThreadListParams {
        limit: Some(limit),
        archived: Some(archived),
        sort_key: Some(ThreadSortKey::UpdatedAt),
        sort_direction: Some(SortDirection::Desc),
        source_kinds: Some(vec![Cli, VsCode, Exec, AppServer, Unknown]),
        ..ThreadListParams::default()
    }
}
