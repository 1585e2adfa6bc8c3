//! The client subcommands: a single request, or all notifications of a server.

mod params;
mod pretty;
mod print;
mod table;
mod watch;

use app_server_actors::{
    limits::Limits,
    protocol::{
        calls::{THREAD_ARCHIVE, THREAD_LIST, THREAD_NAME_SET},
        scope::Scope,
        thread::{
            SortDirection, ThreadIdParams, ThreadListParams, ThreadNameSetParams, ThreadSortKey, ThreadSourceKind,
        },
    },
};

pub use self::params::read as read_params;
pub(crate) use self::print::Printer;
use crate::{
    attach::{CallError, Client, Endpoint},
    cli::ClientCommand,
};

/// The client name sent to the server.
const NAME: &str = "codex-app-server-call";

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
    let (mut client, server) = Client::connect(endpoint, NAME, limits).await?;
    match command {
        ClientCommand::Call { method, .. } => {
            let result = client.request(method, &params).await?;
            printer.json(result.text()).await?;
        }
        ClientCommand::Watch { .. } if !server.scopes.include(Scope::Observe) => {
            return Err(CallError::Unsuccessful(watch::blind(server.scopes)));
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
