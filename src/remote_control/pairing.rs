//! Prints a pairing code, for typing and for scanning.

use app_server_actors::{
    clock::Clock,
    protocol::{
        calls::REMOTE_CONTROL_PAIRING_START,
        client::Refused,
        remote::{PairingStartParams, PairingStartResponse},
    },
};
use qrcode::{QrCode, render::unicode::Dense1x2};

use super::{Reading, text};
use crate::{
    attach::{CallError, Client, ClientError},
    call::Printer,
    terminal::shown_in_one_line,
};

/// Black on white, whatever the terminal's colours are, because scanners need dark modules.
const PAPER: &str = "\x1b[30;107m";
const PLAIN: &str = "\x1b[0m";

/// Requests a code and prints it.
pub(super) async fn start(client: &mut Client, printer: &mut Printer, json: bool) -> Result<(), CallError> {
    let params = PairingStartParams { manual_code: true };
    let result = match client.request(REMOTE_CONTROL_PAIRING_START.method(), &params).await {
        Err(ClientError::Refused(refused)) => return Err(with_advice(client, refused).await),
        answered => answered?,
    };
    if json {
        return Ok(printer.json(result.text()).await?);
    }
    let pairing: PairingStartResponse = result.read().map_err(ClientError::from)?;
    let by_our_clock = || pairing.expires_at - Clock::system().unix_ms() / 1000;
    let left = pairing.expires_in_seconds.unwrap_or_else(by_our_clock);
    if printer.is_terminal() {
        return Ok(printer.page(&drawn(&pairing, left)).await?);
    }
    Ok(printer.text(&plain(&pairing, left)).await?)
}

/// The refusal alone does not explain the cause.
async fn with_advice(client: &mut Client, refused: Refused) -> CallError {
    match Reading::of(client).await.ok().and_then(|now| text::advice(&now.read)) {
        Some(advice) => CallError::Unsuccessful(format!("{refused}\n\n{advice}")),
        None => CallError::Client(refused.into()),
    }
}

fn plain(pairing: &PairingStartResponse, left: i64) -> String {
    let code = pairing.manual_pairing_code.as_deref().unwrap_or(&pairing.pairing_code);
    format!("Pairing code: {code}\nExpires in {}\n", duration(left))
}

/// For a terminal: the code in a frame and as a QR code.
fn drawn(pairing: &PairingStartResponse, left: i64) -> String {
    let mut page = String::new();
    if let Some(code) = &pairing.manual_pairing_code {
        let code = shown_in_one_line(code);
        let bar = "═".repeat(code.chars().count() + 6);
        page += &format!("\n  ╔{bar}╗\n  ║   {code}   ║\n  ╚{bar}╝\n\n");
    }
    // A code that is too long for a QR code can still be typed.
    if let Ok(code) = QrCode::new(&pairing.pairing_code) {
        for line in code.render::<Dense1x2>().build().lines() {
            page += &format!("{PAPER}{line}{PLAIN}\n");
        }
        page += "\n";
    }
    page += &format!("Type or scan the code in your controller. It expires in {}.\n", duration(left));
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
        assert_eq!(plain(&pairing(Some("ABCD-1234")), 599), "Pairing code: ABCD-1234\nExpires in 10 min\n");
        assert_eq!(plain(&pairing(None), 59), "Pairing code: a-long-code-for-cameras\nExpires in 59 s\n");
    }

    #[test]
    fn a_code_gives_no_orders_to_a_terminal() {
        let page = drawn(&pairing(Some("AB\x1b[2J\u{9b}\u{202e}\nCD")), 60);
        assert!(page.contains("║   AB\\u{1b}[2J\\u{9b}\\u{202e} CD   ║"), "{page}");
    }

    #[test]
    fn a_terminal_gets_a_frame_and_a_square_of_blocks() {
        let page = drawn(&pairing(Some("ABCD-1234")), -5);
        assert!(page.contains("║   ABCD-1234   ║") && page.ends_with("It expires in 0 s.\n"), "{page}");
        let lines: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix(PAPER)?.strip_suffix(PLAIN)).collect();
        let width = lines[0].chars().count();
        assert_eq!(lines.len(), width.div_ceil(2), "two rows a line");
        assert!(lines.iter().all(|line| line.chars().count() == width));
    }
}
