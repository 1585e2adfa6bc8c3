//! `remote-control` without an action: this machine is available until Ctrl-C, and changes of the status are printed.

use std::{error::Error, path::Path};

use app_server_actors::{
    limits::Limits,
    protocol::{
        calls::REMOTE_CONTROL_DISABLE,
        remote::{RemoteControlEnableParams, RemoteControlStatus},
    },
};

use super::{NAME, Reading, enable, status_changed, text};
use crate::{
    attach::{AttachError, CallError, Client, ClientError, Endpoint},
    call::Printer,
    cli::Arguments,
    listen::{ListenUrl, control_socket},
    serve::serve,
    settings::Settings,
    signals::{Signals, Wish},
    succession::Succession,
};

/// Remote control is enabled only until it ends, and not remembered.
const EPHEMERAL: RemoteControlEnableParams = RemoteControlEnableParams { ephemeral: true };

/// Enables remote control in the server on the control socket. If none is running, this process becomes a server. A server
/// that runs already does not know a relay that was chosen just now (`is_new_relay`).
///
/// # Errors
/// The server cannot start, or the running one refuses.
pub async fn run(
    mut arguments: Arguments,
    codex_home: &Path,
    settings: Settings,
    is_new_relay: bool,
    json: bool,
) -> Result<(), Box<dyn Error>> {
    let socket = control_socket(codex_home);
    let endpoint = Endpoint::Unix(socket.clone());
    let limits = settings.limits.clone();
    match Client::connect_now(&endpoint, NAME, &limits).await {
        Ok((client, _)) if is_new_relay => {
            client.close().await;
            let text = "app-server.toml is written, but the running server has read it before; run `codex-app-server upgrade`, \
                        then `codex-app-server remote-control`";
            Err(CallError::Unsuccessful(text.to_owned()).into())
        }
        Ok((client, _)) => Ok(lend(client, json).await?),
        Err(ClientError::Attach(AttachError::Unreachable { .. })) => {
            arguments.listen = vec![ListenUrl::Unix(socket)];
            arguments.remote_control = true;
            let telling = tell_own(&endpoint, &limits, json);
            serve(&arguments, codex_home, settings, Succession::default(), telling).await
        }
        Err(error) => Err(CallError::from(error).into()),
    }
}

/// Prints the status of the server in this process.
async fn tell_own(endpoint: &Endpoint, limits: &Limits, json: bool) {
    let told = async {
        let (mut client, _) = Client::connect(endpoint, NAME, limits).await?;
        tell(&mut client, &mut Printer::of_stdout(), json).await
    };
    match told.await {
        // The server keeps serving its controllers even if nothing reads the output, and reports its own end.
        Ok(()) | Err(CallError::Client(ClientError::Gone)) => {}
        Err(error) => log::warn!("the status of remote control is not shown any more: {error}"),
    }
}

/// Enables remote control in another server until Ctrl-C. If it was enabled already, it stays enabled.
async fn lend(mut client: Client, json: bool) -> Result<(), CallError> {
    let mut signals = Signals::install(Wish::Stop)?;
    let mut printer = Printer::of_stdout();
    let was_enabled = Reading::of(&mut client).await?.status() != RemoteControlStatus::Disabled;
    if !was_enabled {
        enable(&mut client, EPHEMERAL.ephemeral).await?;
    }
    tokio::select! {
        told = tell(&mut client, &mut printer, json) => told?,
        () = signals.stop() => {}
    }
    if !was_enabled {
        client.call(&REMOTE_CONTROL_DISABLE, &EPHEMERAL).await?;
    }
    if !json {
        let done = if was_enabled { "Remote control stays enabled, as it was." } else { "Remote control stopped." };
        // If stdout is closed, nothing is printed.
        let _ = printer.text(&format!("{done}\n")).await;
    }
    client.close().await;
    Ok(())
}

/// Prints the status whenever it changes, until stdout is closed.
pub(super) async fn tell(client: &mut Client, printer: &mut Printer, json: bool) -> Result<(), CallError> {
    let mut shown = None;
    loop {
        let reading = Reading::of(client).await?;
        // The text may be the same although another member has changed.
        let words = if json { reading.result.text().to_owned() } else { text::told(&reading.read) };
        if shown.as_ref() != Some(&words) {
            let printed = if json { printer.json(&words).await } else { printer.text(&words).await };
            if printed.is_err() {
                return Ok(());
            }
            shown = Some(words);
        }
        tokio::select! {
            changed = status_changed(client) => changed?,
            () = printer.unread() => return Ok(()),
        }
    }
}
