//! Ends a server of this machine, or puts another one in its place.

use std::time::Duration;

use app_server_actors::{limits::Limits, protocol::calls::SERVER_DIAGNOSTICS};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{sleep, timeout};

use super::{NAME, Printer};
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
                Ok(server) if server.failed_upgrade != failed => return Ok(Err(server.failed_upgrade)),
                Ok(_) => {}
                Err(ClientError::Gone) => break,
                Err(error) => return Err(error),
            }
        }
        let (mut client, _) = Client::connect(endpoint, NAME, limits).await?;
        let next = client.call(&SERVER_DIAGNOSTICS, &()).await?;
        client.close().await;
        Ok::<_, ClientError>(Ok(next))
    };
    let goes_on = |reason: &str| CallError::Unsuccessful(format!("the server (process {process}) goes on: {reason}"));
    match timeout(PATIENCE, next).await {
        Ok(Ok(Ok(next))) => {
            let text = format!(
                "The server (process {process}) has handed over to process {}, version {}.\n",
                next.process.id, next.version
            );
            printer.text(&text).await.map_err(Into::into)
        }
        Ok(Ok(Err(failed))) => Err(goes_on(&failed.unwrap_or_default().reason)),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(goes_on("the next one has not taken over in time; its log says why")),
    }
}

/// Signals the process of the server: its id.
async fn signal(client: &mut Client, endpoint: &Endpoint, signal: Signal) -> Result<u32, CallError> {
    if !matches!(endpoint, Endpoint::Unix(_)) {
        let text = "this works for servers on a Unix socket of this machine; signal another one where it runs";
        return Err(CallError::Usage(text.to_owned()));
    }
    let process = client.call(&SERVER_DIAGNOSTICS, &()).await?.process.id;
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
