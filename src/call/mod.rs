//! A client on the command line: one request, or everything that the server tells.

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

/// The name under which the server sees these clients.
const NAME: &str = "codex-app-server-call";

/// Why a client ended without a result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// No answer, or an error.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The server did what it was asked for, to no avail.
    #[error("{0}")]
    Unsuccessful(String),
    /// The result cannot be written.
    #[error("failed to write to stdout: {0}")]
    Output(#[from] io::Error),
}

impl CallError {
    /// The exit code of the process: 1 for a JSON-RPC error, 2 for a wrong command line, 69 (`EX_UNAVAILABLE` of
    /// sysexits.h) where nothing answers.
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::Usage(_) => 2,
            Self::Client(ClientError::Attach(_) | ClientError::Gone) => 69,
            Self::Client(ClientError::Refused(_) | ClientError::Json(_)) | Self::Unsuccessful(_) | Self::Output(_) => 1,
        }
    }
}

/// Does what `command` says at the server of `endpoint`.
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

/// The threads that a person knows of: those that no agent has spawned.
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
