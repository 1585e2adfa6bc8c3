//! The controllers that are paired with this machine.

use app_server_actors::protocol::{
    calls::{REMOTE_CONTROL_CLIENT_LIST, REMOTE_CONTROL_CLIENT_REVOKE},
    client::ResultText,
    remote::{
        RemoteControlClient, RemoteControlClientsListParams, RemoteControlClientsListResponse,
        RemoteControlClientsRevokeParams, SortOrder,
    },
};

use super::{Reading, text};
use crate::{
    attach::{CallError, Client, ClientError},
    call::Printer,
    terminal::shown_in_one_line,
};

/// Most controllers that are listed: as many as the backend gives at once.
const MOST: u32 = 100;

/// The controllers, the last one that was paired first.
///
/// # Errors
/// The machine is not known to the backend, or the backend refuses.
pub async fn list(client: &mut Client) -> Result<RemoteControlClientsListResponse, CallError> {
    Ok(ask(client).await?.read().map_err(ClientError::from)?)
}

async fn ask(client: &mut Client) -> Result<ResultText, CallError> {
    let environment_id = environment(client).await?;
    let params = RemoteControlClientsListParams {
        environment_id,
        cursor: None,
        limit: Some(MOST),
        order: Some(SortOrder::Desc),
    };
    Ok(client.request(REMOTE_CONTROL_CLIENT_LIST.method(), &params).await?)
}

/// Prints all controllers.
///
/// # Errors
/// As for [`list`].
pub async fn print(client: &mut Client, printer: &mut Printer, json: bool) -> Result<(), CallError> {
    let result = ask(client).await?;
    if json {
        return Ok(printer.json(result.text()).await?);
    }
    let controllers: RemoteControlClientsListResponse = result.read().map_err(ClientError::from)?;
    Ok(printer.text(&table(&controllers.data)).await?)
}

/// Ends the pairing with the controller `client_id`.
///
/// # Errors
/// As for [`list`], or there is no such controller.
pub async fn revoke(client: &mut Client, client_id: &str) -> Result<(), CallError> {
    let environment_id = environment(client).await?;
    let params = RemoteControlClientsRevokeParams { environment_id, client_id: client_id.to_owned() };
    Ok(client.call(&REMOTE_CONTROL_CLIENT_REVOKE, &params).await.map(drop)?)
}

async fn environment(client: &mut Client) -> Result<String, CallError> {
    let reading = Reading::of(client).await?;
    let nowhere = || {
        let advice = text::advice(&reading.read).unwrap_or_else(|| "Wait until it is connected.".to_owned());
        CallError::Unsuccessful(format!("this machine has no controllers, because it is not connected.\n\n{advice}"))
    };
    reading.read.state.environment_id.clone().ok_or_else(nowhere)
}

/// What people call a controller.
pub fn name(controller: &RemoteControlClient) -> String {
    let name = controller.display_name.as_deref().filter(|name| !name.is_empty());
    shown_in_one_line(name.unwrap_or(&controller.client_id))
}

/// The line of the status.
pub fn in_one_line(controllers: &[RemoteControlClient]) -> String {
    let names: Vec<String> = controllers.iter().map(name).collect();
    let names = if names.is_empty() { "none is paired".to_owned() } else { names.join(", ") };
    format!("{:<16}{names}\n", "Controllers:")
}

fn table(controllers: &[RemoteControlClient]) -> String {
    if controllers.is_empty() {
        return "No controller is paired. Pair one with: codex-app-server remote-control pair\n".to_owned();
    }
    let width = controllers.iter().map(|it| it.client_id.chars().count()).max().unwrap_or(0);
    controllers.iter().fold(format!("{:<width$}  NAME\n", "ID"), |text, it| {
        let device = [&it.device_type, &it.platform].into_iter().flatten().cloned().collect::<Vec<_>>().join(", ");
        let device = if device.is_empty() { device } else { format!(" ({})", shown_in_one_line(&device)) };
        text + &format!("{:<width$}  {}{device}\n", shown_in_one_line(&it.client_id), name(it))
    })
}
