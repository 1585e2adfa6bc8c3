//! Ends a server of this machine, or puts another one in its place.

use std::time::Duration;

use app_server_actors::{
    limits::Limits,
    protocol::{
        calls::SERVER_DIAGNOSTICS,
        diagnostics::{FailedUpgrade, ServerDiagnosticsResponse},
    },
};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{sleep, timeout};

use super::{NAME, Printer, holder};
use crate::attach::{CallError, Client, ClientError, Endpoint};

/// How long a server may take to finish its work: more than its default limits for that.
const PATIENCE: Duration = Duration::from_secs(90);

/// Pause between two questions whether an upgrade has failed.
const PAUSE: Duration = Duration::from_millis(300);

/// Tells the process of the server to end, and waits until it has closed this connection.
pub async fn stop(mut client: Client, endpoint: &Endpoint, printer: &mut Printer) -> Result<(), CallError> {
    let process = signal(&mut client, endpoint, Signal::TERM).await?;
    match timeout(PATIENCE, gone(client)).await {
        Ok(ended) => ended?,
        Err(_) => {
            let text =
                format!("the server (process {process}) is still finishing its work; the same again ends it at once");
            return Err(CallError::Unsuccessful(text));
        }
    }
    printer.text(&format!("The server (process {process}) has ended.\n")).await.map_err(Into::into)
}

/// Tells the process of the server to hand its sockets over, and waits until the next one answers.
pub async fn upgrade(
    mut client: Client,
    endpoint: &Endpoint,
    limits: &Limits,
    printer: &mut Printer,
) -> Result<(), CallError> {
    let failed = client.call(&SERVER_DIAGNOSTICS, &()).await?.failed_upgrade;
    let process = signal(&mut client, endpoint, Signal::USR2).await?;
    let next = async {
        loop {
            sleep(PAUSE).await;
            match client.call(&SERVER_DIAGNOSTICS, &()).await {
                Ok(server) if server.failed_upgrade != failed => return Ok(Answerer::Same(server.failed_upgrade)),
                Ok(_) => {}
                Err(ClientError::Gone) => break,
                Err(error) => return Err(error),
            }
        }
        let Ok((mut client, _)) = Client::connect(endpoint, NAME, limits).await else { return Ok(Answerer::Nobody) };
        let next = client.call(&SERVER_DIAGNOSTICS, &()).await;
        client.close().await;
        // The same one still answers while it ends.
        let next = next.ok().filter(|next| next.process.id != process);
        Ok::<_, ClientError>(next.map_or(Answerer::Nobody, |next| Answerer::Next(Box::new(next))))
    };
    let goes_on = |reason: &str| CallError::Unsuccessful(format!("the server (process {process}) goes on: {reason}"));
    match timeout(PATIENCE, next).await {
        Ok(Ok(Answerer::Next(next))) => {
            let text = format!(
                "The server (process {process}) has handed over to process {}, version {}.\n",
                next.process.id, next.version
            );
            printer.text(&text).await.map_err(Into::into)
        }
        Ok(Ok(Answerer::Same(failed))) => Err(goes_on(&failed.unwrap_or_default().reason)),
        Ok(Ok(Answerer::Nobody)) => {
            let text =
                format!("the server (process {process}) has ended, and no other one has taken over; start it again");
            Err(CallError::Unsuccessful(text))
        }
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(goes_on("the next one has not taken over in time; its log says why")),
    }
}

/// Who answers after the sockets were to be handed over.
enum Answerer {
    /// The next server.
    Next(Box<ServerDiagnosticsResponse>),
    /// The same one, and why.
    Same(Option<FailedUpgrade>),
    /// The server has ended, and there is no other one.
    Nobody,
}

/// Signals the process of the server: its id.
async fn signal(client: &mut Client, endpoint: &Endpoint, signal: Signal) -> Result<u32, CallError> {
    let Endpoint::Unix(socket) = endpoint else {
        let text = "this works for servers on a Unix socket of this machine; signal another one where it runs";
        return Err(CallError::Usage(text.to_owned()));
    };
    let process = client.call(&SERVER_DIAGNOSTICS, &()).await?.process.id;
    if !holder::listens(process, socket) {
        let text = format!(
            "the server says that it is process {process}, but here that is another one: it runs in a container, or under \
             another user; signal it there"
        );
        return Err(CallError::Unsuccessful(text));
    }
    let number = i32::try_from(process).ok().and_then(Pid::from_raw);
    let signalled = number.ok_or(rustix::io::Errno::SRCH).and_then(|number| kill_process(number, signal));
    let refused = |error| CallError::Unsuccessful(format!("the process {process} cannot be told: {error}"));
    signalled.map_err(refused).map(|()| process)
}

/// Returns when the server has closed the connection.
async fn gone(mut client: Client) -> Result<(), ClientError> {
    loop {
        match client.next().await {
            Err(ClientError::Gone) => return Ok(()),
            Err(error) => return Err(error),
            Ok(_) => {}
        }
    }
}
