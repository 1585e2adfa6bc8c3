//! Prints a pairing code, for typing and for scanning, and waits until it was used.

use std::{collections::BTreeSet, time::Duration};

use app_server_actors::{
    clock::Clock,
    protocol::{
        calls::REMOTE_CONTROL_PAIRING_START,
        client::Refused,
        raw::RawParams,
        remote::{PairingStartParams, PairingStartResponse, PairingStatusResponse},
        scope::Scopes,
    },
};
use tokio::time::{Instant, sleep};

use super::{Reading, controllers, qr, text};
use crate::{
    attach::{CallError, Client, ClientError},
    call::Printer,
    signals::{Signals, Wish},
    terminal::shown_in_one_line,
};

/// Pause between two questions whether the code was used.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(1);

/// Lines below the QR code, the line of the shell's next prompt included.
const LINES_BELOW: usize = 5;

/// What is wanted of a pairing.
pub(super) struct Wanted<'a> {
    /// The page for the phone, with a relay of our own.
    pub page: Option<&'a str>,
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
    Wanted { page, scopes, json, waits }: Wanted<'_>,
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
        let (rows, columns) = size_of_terminal();
        printer.page(&drawn(&pairing, page, left, (rows, columns), waits)).await?;
    } else {
        printer.text(&plain(&pairing, page, left)).await?;
    }
    if !waits {
        return Ok(());
    }
    let known = ids(client).await;
    let name = tokio::select! {
        used = wait(client, &pairing, left) => {
            used?;
            new_controller(client, &known).await
        }
        () = signals.stop() => return Ok(()),
    };
    if json { Ok(()) } else { Ok(printer.text(&format!("Paired with {name}.\n")).await?) }
}

/// Waits until a controller has used the code.
async fn wait(client: &mut Client, pairing: &PairingStartResponse, left: i64) -> Result<(), CallError> {
    let (member, code) = match &pairing.manual_pairing_code {
        Some(code) => ("manualPairingCode", code),
        None => ("pairingCode", &pairing.pairing_code),
    };
    let params = RawParams::from_texts([(member, code.as_str())]).map_err(ClientError::from)?;
    let deadline = Instant::now() + Duration::from_secs(left.try_into().unwrap_or(0));
    while Instant::now() < deadline {
        let status = client.request("remoteControl/pairing/status", &params).await?;
        if status.read::<PairingStatusResponse>().map_err(ClientError::from)?.claimed {
            return Ok(());
        }
        sleep(BETWEEN_QUESTIONS).await;
    }
    Err(CallError::Unsuccessful("the code has expired, and no controller has used it; ask for another one".to_owned()))
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

fn plain(pairing: &PairingStartResponse, page: Option<&str>, left: i64) -> String {
    let code = pairing.manual_pairing_code.as_deref().unwrap_or(&pairing.pairing_code);
    let page = page.map(|page| format!("Page for the phone: {page}/\n")).unwrap_or_default();
    format!("{page}Pairing code: {code}\nExpires in {}\n", duration(left))
}

/// Rows and columns; those of the smallest usual terminal if it does not say.
fn size_of_terminal() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok().filter(|size| size.ws_row > 0 && size.ws_col > 0);
    size.map_or((24, 80), |size| (usize::from(size.ws_row), usize::from(size.ws_col)))
}

/// For a terminal: the QR code if there is room for it, and below it, where the eye is, the code that is typed. With a relay of
/// our own, the QR code leads a phone's camera to its page, behind a `#`, so that no server on the way sees the code.
fn drawn(
    pairing: &PairingStartResponse,
    page_name: Option<&str>,
    left: i64,
    (rows, columns): (usize, usize),
    waits: bool,
) -> String {
    let scanned = page_name.map(|page| format!("{page}/#{}", pairing.pairing_code));
    let scanned = scanned.as_deref().unwrap_or(&pairing.pairing_code);
    let drawing = qr::draw(scanned, rows.saturating_sub(LINES_BELOW), columns);
    let how = if drawing.is_some() { "Type or scan it" } else { "Type it" };
    let mut page = drawing.unwrap_or_default();
    let code = shown_in_one_line(pairing.manual_pairing_code.as_deref().unwrap_or(&pairing.pairing_code));
    page += &format!("\nPairing code: {code}\n");
    let where_to =
        page_name.map_or_else(|| "in your controller".to_owned(), |page| format!("at {page}/ on your phone"));
    page += &format!("{how} {where_to}. It expires in {}.\n", duration(left));
    if waits {
        page += "Waiting for the controller; Ctrl-C ends the waiting.\n";
    }
    page
}

fn duration(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ ..120 => format!("{seconds} s"),
        seconds => format!("{} min", (seconds + 59) / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairing(manual: Option<&str>) -> PairingStartResponse {
        PairingStartResponse {
            pairing_code: "a-long-code-for-cameras".to_owned(),
            manual_pairing_code: manual.map(str::to_owned),
            environment_id: "env_1".to_owned(),
            expires_at: 0,
            expires_in_seconds: None,
        }
    }

    #[test]
    fn programs_get_the_code_that_is_typed_if_there_is_one() {
        assert_eq!(plain(&pairing(Some("ABCD-1234")), None, 599), "Pairing code: ABCD-1234\nExpires in 10 min\n");
        assert_eq!(plain(&pairing(None), None, 59), "Pairing code: a-long-code-for-cameras\nExpires in 59 s\n");
    }

    #[test]
    fn a_code_gives_no_orders_to_a_terminal() {
        let page = drawn(&pairing(Some("AB\x1b[2J\u{9b}\u{202e}\nCD")), None, 60, (24, 80), false);
        assert!(page.contains("Pairing code: AB\\u{1b}[2J\\u{9b}\\u{202e} CD\n"), "{page}");
    }

    #[test]
    fn the_code_stands_below_the_drawing_and_all_of_it_fits_the_terminal() {
        for (rows, columns, has_drawing) in [(24, 80, true), (50, 200, true), (12, 80, false), (24, 20, false)] {
            let page = drawn(&pairing(Some("ABCD-1234")), None, -5, (rows, columns), true);
            let lines: Vec<&str> = page.lines().collect();
            assert!(lines.len() < rows, "{} lines of {rows}", lines.len());
            let code = lines.iter().position(|line| *line == "Pairing code: ABCD-1234").expect("the code");
            assert_eq!(page.contains('█') || page.contains('▀'), has_drawing, "{rows} x {columns}");
            assert_eq!(page.contains("scan"), has_drawing);
            assert!(lines[code + 1].ends_with("It expires in 0 s."), "{page}");
        }
    }
}
