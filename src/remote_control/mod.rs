//! `remote-control`: a client of a running server on the command line, or a server in the foreground that tells people
//! how it stands with remote control.

mod foreground;
mod pairing;
mod text;

use std::time::Duration;

use app_server_actors::{
    limits::Limits,
    protocol::{
        ServerNotification,
        calls::{REMOTE_CONTROL_DISABLE, REMOTE_CONTROL_ENABLE, REMOTE_CONTROL_STATUS_READ},
        client::{ResultText, ServerMessage, decode_server},
        remote::{RemoteControlEnableParams, RemoteControlStatus, RemoteControlStatusReadResponse},
    },
};
use tokio::time::timeout;

pub use self::foreground::run as foreground;
use crate::{
    attach::{Client, ClientError, Endpoint},
    call::{CallError, Printer},
    cli::RemoteControlAction,
};

/// The name under which the server sees these clients.
const NAME: &str = "codex-app-server-remote-control";

/// How long `enable` waits for the backend before it says how far it is.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);

/// Does what `action` says at the server of `endpoint`.
///
/// # Errors
/// See [`CallError`].
pub async fn run(
    action: &RemoteControlAction,
    endpoint: &Endpoint,
    limits: &Limits,
    json: bool,
) -> Result<(), CallError> {
    let mut printer = Printer::of_stdout();
    let (mut client, _) = Client::connect(endpoint, NAME, limits).await?;
    match action {
        RemoteControlAction::Pair { .. } => pairing::start(&mut client, &mut printer, json).await?,
        RemoteControlAction::Status { .. } => {
            let reading = Reading::of(&mut client).await?;
            reading.print(&mut printer, json, text::status).await?;
        }
        RemoteControlAction::Enable { ephemeral, .. } => {
            client.call(&REMOTE_CONTROL_ENABLE, &RemoteControlEnableParams { ephemeral: *ephemeral }).await?;
            let reading = settled(&mut client).await?;
            let errored = reading.status() == RemoteControlStatus::Errored;
            if json || !errored {
                reading.print(&mut printer, json, text::told).await?;
            }
            if errored {
                return Err(CallError::Unsuccessful(text::enabled_in_vain(&reading.read)));
            }
        }
        RemoteControlAction::Stop { ephemeral, .. } => {
            let before = Reading::of(&mut client).await?.status();
            client.call(&REMOTE_CONTROL_DISABLE, &RemoteControlEnableParams { ephemeral: *ephemeral }).await?;
            let reading = Reading::of(&mut client).await?;
            reading.print(&mut printer, json, |_| text::stopped(before)).await?;
        }
    }
    client.close().await;
    Ok(())
}

/// Waits until the connection with the backend is there or has failed, [`SETTLES_WITHIN`] at most.
async fn settled(client: &mut Client) -> Result<Reading, CallError> {
    let mut reading = Reading::of(client).await?;
    let settling = async {
        while reading.status() == RemoteControlStatus::Connecting {
            status_changed(client).await?;
            reading = Reading::of(client).await?;
        }
        Ok(())
    };
    // Whoever is still connecting then is shown as that.
    timeout(SETTLES_WITHIN, settling).await.unwrap_or(Ok::<(), CallError>(()))?;
    Ok(reading)
}

/// Waits until the server says that something has changed.
async fn status_changed(client: &mut Client) -> Result<(), ClientError> {
    loop {
        if let ServerMessage::Notification(ServerNotification::RemoteControlStatusChanged(_)) =
            decode_server(&client.next().await?)?
        {
            return Ok(());
        }
    }
}

/// How it stands, as the server wrote it and as it was read.
struct Reading {
    result: ResultText,
    read: RemoteControlStatusReadResponse,
}

impl Reading {
    async fn of(client: &mut Client) -> Result<Self, ClientError> {
        let result = client.request(REMOTE_CONTROL_STATUS_READ.method(), &()).await?;
        let read = result.read()?;
        Ok(Self { result, read })
    }

    fn status(&self) -> RemoteControlStatus {
        self.read.state.status
    }

    /// Shows it as JSON, or to people in the words of `text`.
    async fn print(
        &self,
        printer: &mut Printer,
        json: bool,
        text: impl FnOnce(&RemoteControlStatusReadResponse) -> String,
    ) -> Result<(), CallError> {
        let printed = if json { printer.json(self.result.text()).await } else { printer.text(&text(&self.read)).await };
        Ok(printed?)
    }
}
