//! Prints a pairing code, for typing and for scanning, and waits until it was used.

use std::{collections::BTreeSet, time::Duration};

use app_server_actors::{
    clock::Clock,
    protocol::{
        calls::REMOTE_CONTROL_PAIRING_START,
        client::Refused,
        raw::RawParams,
        remote::{PairingDevice, PairingStartParams, PairingStartResponse},
        scope::Scopes,
    },
};

use super::{Reading, controllers, place::Place, screen, text, words};
use crate::{
    attach::{CallError, Client, ClientError},
    call::Printer,
    signals::{Signals, Wish},
};

/// What is wanted of a pairing.
pub(super) struct Wanted {
    /// The page for the phone, with a relay of our own.
    pub place: Option<Place>,
    /// What the controller may do, if it was said.
    pub scopes: Option<Scopes>,
    /// The result as JSON.
    pub json: bool,
    /// Wait until the code is used.
    pub waits: bool,
}

/// Requests a code and prints it. If it `waits`, it ends when a controller has used the code, when the code has
/// expired, or with a signal.
pub(super) async fn start(
    client: &mut Client,
    printer: &mut Printer,
    Wanted { place, scopes, json, waits }: Wanted,
) -> Result<(), CallError> {
    let mut signals = Signals::install(Wish::Stop)?;
    let params = PairingStartParams { manual_code: true, scopes };
    let result = match client.request(REMOTE_CONTROL_PAIRING_START.method(), &params).await {
        Err(ClientError::Refused(refused)) => return Err(with_advice(client, refused).await),
        answered => answered?,
    };
    let pairing: PairingStartResponse = result.read().map_err(ClientError::from)?;
    let by_our_clock = || pairing.expires_at - Clock::system().unix_ms() / 1000;
    let left = pairing.expires_in_seconds.unwrap_or_else(by_our_clock);
    if json {
        printer.json(result.text()).await?;
    } else if printer.is_terminal() {
        printer.page(&screen::drawn(&pairing, place.as_ref(), left, size_of_terminal(), waits)).await?;
    } else {
        printer.text(&screen::plain(&pairing, place.as_ref(), left)).await?;
    }
    if !waits {
        return Ok(());
    }
    let known = ids(client).await;
    let name = tokio::select! {
        used = wait(client, printer, &pairing, left, json) => match used? {
            Some(device) => device.name.unwrap_or(device.client_id),
            None => new_controller(client, &known).await,
        },
        () = signals.stop() => return Ok(()),
    };
    if json { Ok(()) } else { Ok(printer.text(&format!("Paired with {name}.\n")).await?) }
}

/// Waits until a controller has used the code.
async fn wait(
    client: &mut Client,
    printer: &mut Printer,
    pairing: &PairingStartResponse,
    left: i64,
    json: bool,
) -> Result<Option<PairingDevice>, CallError> {
    let (member, code) = match &pairing.manual_pairing_code {
        Some(code) => ("manualPairingCode", code),
        None => ("pairingCode", &pairing.pairing_code),
    };
    let params = RawParams::from_texts([(member, code.as_str())]).map_err(ClientError::from)?;
    words::wait(client, printer, &params, Duration::from_secs(left.try_into().unwrap_or(0)), json).await
}

/// The ids of the controllers; none if the backend does not say.
async fn ids(client: &mut Client) -> BTreeSet<String> {
    let listed = controllers::list(client).await.map(|listed| listed.data).unwrap_or_default();
    listed.into_iter().map(|controller| controller.client_id).collect()
}

async fn new_controller(client: &mut Client, known: &BTreeSet<String>) -> String {
    let listed = controllers::list(client).await.map(|listed| listed.data).unwrap_or_default();
    let new = listed.iter().find(|controller| !known.contains(&controller.client_id)).or(listed.first());
    new.map_or_else(|| "a controller".to_owned(), controllers::name)
}

/// The refusal alone does not explain the cause.
async fn with_advice(client: &mut Client, refused: Refused) -> CallError {
    match Reading::of(client).await.ok().and_then(|now| text::advice(&now.read)) {
        Some(advice) => CallError::Unsuccessful(format!("{refused}\n\n{advice}")),
        None => CallError::Client(refused.into()),
    }
}

/// Rows and columns; those of the smallest usual terminal if it does not say.
fn size_of_terminal() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok().filter(|size| size.ws_row > 0 && size.ws_col > 0);
    size.map_or((24, 80), |size| (usize::from(size.ws_row), usize::from(size.ws_col)))
}
