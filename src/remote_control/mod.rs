//! `remote-control`: a client of a running server, or a server in the foreground that prints the status of remote
//! control.

mod controllers;
mod foreground;
pub mod local;
mod pairing;
mod place;
mod qr;
mod relay;
mod screen;
mod text;
mod words;

use std::time::Duration;

use app_server_actors::protocol::{
    ServerNotification,
    calls::{REMOTE_CONTROL_DISABLE, REMOTE_CONTROL_ENABLE, REMOTE_CONTROL_STATUS_READ},
    client::{ResultText, ServerMessage, decode_server},
    remote::{RemoteControlEnableParams, RemoteControlStatus, RemoteControlStatusReadResponse},
};
use tokio::time::timeout;

pub use self::{foreground::run as foreground, relay::use_relay};
use crate::{
    attach::{CallError, Client, ClientError, Endpoint},
    call::Printer,
    cli::RemoteControlAction,
    settings::Settings,
};

/// The client name sent to the server.
const NAME: &str = "codex-app-server-remote-control";

/// How long `enable` waits for the backend before it prints the status.
const SETTLES_WITHIN: Duration = Duration::from_secs(10);

/// Runs `action` on the server at `endpoint`.
///
/// # Errors
/// See [`CallError`].
pub async fn run(
    action: &RemoteControlAction,
    endpoint: &Endpoint,
    settings: &Settings,
    json: bool,
) -> Result<(), CallError> {
    let mut printer = Printer::of_stdout();
    let (mut client, _) = Client::connect(endpoint, NAME, &settings.limits).await?;
    match action {
        RemoteControlAction::Pair { wait, no_wait, scopes, .. } => {
            let waits = *wait || (printer.is_terminal() && !json && !no_wait);
            let place = settings.remote_control.relay_page().map(place::Place::of);
            let wanted = pairing::Wanted { place, scopes: *scopes, json, waits };
            pairing::start(&mut client, &mut printer, wanted).await?;
        }
        RemoteControlAction::Status { .. } => {
            let reading = Reading::of(&mut client).await?;
            reading.print(&mut printer, json, text::status).await?;
            if !json && reading.status() == RemoteControlStatus::Connected {
                // The rest of the status is worth having also where the backend does not list them.
                if let Ok(controllers) = controllers::list(&mut client).await {
                    printer.text(&controllers::in_one_line(&controllers.data)).await?;
                }
            }
        }
        RemoteControlAction::Clients { .. } => controllers::print(&mut client, &mut printer, json).await?,
        RemoteControlAction::Revoke { client_id, .. } => {
            controllers::revoke(&mut client, client_id).await?;
            if !json {
                printer.text(&format!("The pairing with {client_id} has ended.\n")).await?;
            }
        }
        RemoteControlAction::Enable { ephemeral, .. } => {
            enable(&mut client, *ephemeral).await?;
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

/// Enables remote control. Where nobody is signed in, the error says what to do.
async fn enable(client: &mut Client, ephemeral: bool) -> Result<(), CallError> {
    match client.call(&REMOTE_CONTROL_ENABLE, &RemoteControlEnableParams { ephemeral }).await {
        Err(ClientError::Refused(refused)) if refused.message.contains("requires ChatGPT authentication") => {
            Err(CallError::Unsuccessful(format!("{refused}\n\n{}", text::SIGN_IN)))
        }
        enabled => Ok(enabled.map(drop)?),
    }
}

/// Waits until the backend is connected or has failed, for [`SETTLES_WITHIN`] at most.
async fn settled(client: &mut Client) -> Result<Reading, CallError> {
    let mut reading = Reading::of(client).await?;
    let settling = async {
        while reading.status() == RemoteControlStatus::Connecting {
            status_changed(client).await?;
            reading = Reading::of(client).await?;
        }
        Ok(())
    };
    // If it is still connecting then, that status is printed.
    timeout(SETTLES_WITHIN, settling).await.unwrap_or(Ok::<(), CallError>(()))?;
    Ok(reading)
}

/// Waits until the status has changed.
async fn status_changed(client: &mut Client) -> Result<(), ClientError> {
    loop {
        if let ServerMessage::Notification(ServerNotification::RemoteControlStatusChanged(_)) =
            decode_server(&client.next().await?)?
        {
            return Ok(());
        }
    }
}

/// The status as sent by the server, and decoded.
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

    /// Prints it as JSON, or as text.
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
