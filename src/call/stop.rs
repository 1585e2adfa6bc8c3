//! Ends a server of this machine.

use std::time::Duration;

use app_server_actors::protocol::calls::SERVER_DIAGNOSTICS;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::timeout;

use super::Printer;
use crate::attach::{CallError, Client, ClientError, Endpoint};

/// How long a server may take to finish its work: more than its default limits for that.
const PATIENCE: Duration = Duration::from_secs(90);

/// Tells the process of the server to end, and waits until it has closed this connection.
pub async fn run(mut client: Client, endpoint: &Endpoint, printer: &mut Printer) -> Result<(), CallError> {
    if !matches!(endpoint, Endpoint::Unix(_)) {
        let text = "stop ends servers on a Unix socket of this machine; end another one where it runs";
        return Err(CallError::Usage(text.to_owned()));
    }
    let process = client.call(&SERVER_DIAGNOSTICS, &()).await?.process.id;
    let number = i32::try_from(process).ok().and_then(Pid::from_raw);
    let signalled = number.ok_or(rustix::io::Errno::SRCH).and_then(|number| kill_process(number, Signal::TERM));
    signalled
        .map_err(|error| CallError::Unsuccessful(format!("the process {process} cannot be told to end: {error}")))?;
    let gone = async {
        loop {
            match client.next().await {
                Err(ClientError::Gone) => return Ok(()),
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
    };
    match timeout(PATIENCE, gone).await {
        Ok(ended) => ended?,
        Err(_) => {
            let text =
                format!("the server (process {process}) is still finishing its work; the same again ends it at once");
            return Err(CallError::Unsuccessful(text));
        }
    }
    printer.text(&format!("The server (process {process}) has ended.\n")).await.map_err(Into::into)
}
