//! Prints a pairing code, for typing and for scanning, and waits until it was used.

use std::{collections::BTreeSet, time::Duration};

use super::{Reading, controllers, qr, text, words};
use crate::{
    attach::{CallError, Client, ClientError},
    call::Printer,
    signals::{Signals, Wish},
    terminal::shown_in_one_line,
};
use app_server_actors::{
    clock::Clock,
    protocol::{
        calls::REMOTE_CONTROL_PAIRING_START,
        client::Refused,
        raw::RawParams,
        remote::{PairingDevice, PairingEndToEnd, PairingStartParams, PairingStartResponse},
        scope::Scopes,
    },
};

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
    let scanned = match page_name {
        Some(page) => links(page, pairing),
        None => vec![pairing.pairing_code.clone()],
    };
    let drawing = scanned.iter().find_map(|it| qr::draw(it, rows.saturating_sub(LINES_BELOW), columns));
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

/// The links for a camera, the best one first. Behind the `#` stand the code, the key of this machine and the one-time secret.
/// The shorter one, for small terminals, has the code for typing, and no key: the phone asks for that, and the secret proves
/// it.
fn links(page: &str, pairing: &PairingStartResponse) -> Vec<String> {
    let code = &pairing.pairing_code;
    let Some(PairingEndToEnd { key, secret }) = &pairing.end_to_end else { return vec![format!("{page}/#{code}")] };
    let short = pairing.manual_pairing_code.as_ref().map(|code| format!("{page}/#{code}..{secret}"));
    [format!("{page}/#{code}.{key}.{secret}")].into_iter().chain(short).collect()
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
            end_to_end: None,
        }
    }

    #[test]
    fn a_link_for_a_camera_carries_the_key_and_the_secret_behind_the_code() {
        let mut pairing = pairing(Some("BCDF-GHJK"));
        assert_eq!(links("https://r", &pairing), ["https://r/#a-long-code-for-cameras"]);
        pairing.end_to_end = Some(PairingEndToEnd { key: "K".to_owned(), secret: "S".to_owned() });
        assert_eq!(links("https://r", &pairing), ["https://r/#a-long-code-for-cameras.K.S", "https://r/#BCDF-GHJK..S"]);
    }

    #[test]
    fn the_shorter_link_still_fits_the_smallest_terminal() {
        let mut pairing = pairing(Some("BCDF-GHJK"));
        let (key, secret) = ("k".repeat(43), "s".repeat(22));
        pairing.end_to_end = Some(PairingEndToEnd { key, secret });
        let page = drawn(&pairing, Some("http://192.168.178.100:8390"), 60, (24, 80), true);
        assert!(page.contains("scan") && page.lines().count() < 24, "{page}");
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
