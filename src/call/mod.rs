//! The client subcommands: a single request, or all notifications of a server.

mod holder;
mod params;
mod pretty;
mod print;
mod question;
mod status;
mod stop;
mod table;
mod watch;

use app_server_actors::{
    limits::Limits,
    protocol::{
        calls::{SERVER_DIAGNOSTICS, THREAD_ARCHIVE, THREAD_LIST, THREAD_NAME_SET, THREAD_UNARCHIVE},
        thread::{
            SortDirection, ThreadIdParams, ThreadListParams, ThreadListResponse, ThreadNameSetParams, ThreadSortKey,
            ThreadSourceKind,
        },
    },
};

pub use self::params::read as read_params;
pub(crate) use self::print::Printer;
use self::question::Question;
use crate::{
    attach::{CallError, Client, ClientError, Endpoint, probe},
    cli::ClientCommand,
    logging,
};

/// The client name sent to the server.
const NAME: &str = "codex-app-server-call";

/// Runs `command` on the server at `endpoint`.
///
/// # Errors
/// See [`CallError`].
pub async fn run(command: &ClientCommand, endpoint: &Endpoint, limits: &Limits) -> Result<(), CallError> {
    let question = match command {
        ClientCommand::Call { method, params, .. } => Some(Question::of(method, params, endpoint)?),
        _ => None,
    };
    let mut printer = Printer::of_stdout();
    if let ClientCommand::Watch { thread, lines, reconnect, .. } = command {
        let printer = if *lines { printer.lines() } else { printer };
        return watch::run(endpoint, limits, thread.as_deref(), *reconnect, printer).await;
    }
    if let ClientCommand::Health { live, .. } = command {
        return health(endpoint, *live, &mut printer).await;
    }
    let (mut client, server) = Client::connect(endpoint, NAME, limits).await?;
    match command {
        ClientCommand::Call { .. } => {
            if let Some(question) = question {
                printer.json(question.ask(&mut client).await?.text()).await?;
            }
        }
        // Handled above.
        ClientCommand::Watch { .. } | ClientCommand::Health { .. } => {}
        ClientCommand::Threads { archived, limit, json, .. } => {
            let result = client.request(THREAD_LIST.method(), &latest(*archived, *limit)).await?;
            let threads: ThreadListResponse = result.read().map_err(ClientError::from)?;
            if *json {
                printer.json(result.text()).await?;
            } else {
                printer.text(&table::of(&threads.data)).await?;
            }
            if !json && threads.next_cursor.is_some() {
                let more = format!("There are more threads than {limit}; --limit N shows N of them.");
                logging::say(&more, &format!("{more}\n"));
            }
        }
        ClientCommand::Unarchive { thread_id, .. } => {
            client.call(&THREAD_UNARCHIVE, &ThreadIdParams { thread_id: thread_id.clone() }).await?;
        }
        ClientCommand::Status { json, .. } => {
            let result = client.request(SERVER_DIAGNOSTICS.method(), &()).await?;
            if *json {
                printer.json(result.text()).await?;
            } else {
                let diagnostics = result.read().map_err(ClientError::from)?;
                printer.text(&status::of(&diagnostics, &server)).await?;
            }
        }
        ClientCommand::Stop { .. } => return stop::stop(client, endpoint, &mut printer).await,
        ClientCommand::Upgrade { .. } => return stop::upgrade(client, endpoint, limits, &mut printer).await,
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

/// Asks as a probe does: `/readyz`, or `/healthz` for `live`.
async fn health(endpoint: &Endpoint, live: bool, printer: &mut Printer) -> Result<(), CallError> {
    let (path, said) = if live { ("/healthz", "alive") } else { ("/readyz", "ready") };
    match probe(endpoint, path).await.map_err(ClientError::from)? {
        200 => Ok(printer.text(&format!("The server is {said}.\n")).await?),
        status => Err(CallError::Unsuccessful(format!(
            "the server is not {said}: GET {path} is answered with {status}; it drains, or its log says why"
        ))),
    }
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
