//! The words of a device that speaks end to end: shown at this machine, and confirmed by a person.

use std::{
    io::{BufRead as _, IsTerminal as _},
    time::Duration,
};

use app_server_actors::protocol::{
    calls::REMOTE_CONTROL_PAIRING_CONFIRM,
    raw::RawParams,
    remote::{PairingConfirmParams, PairingDevice, PairingDeviceState, PairingStatusResponse},
};
use rustix::termios::{QueueSelector, tcflush};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use crate::{
    attach::{CallError, Client, ClientError},
    call::Printer,
    terminal::shown_in_one_line,
};

/// Pause between two questions whether the code was used.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(1);

/// How long a device that has used the code may take to come and show its words, and a person to compare them.
const DECIDED_WITHIN: Duration = Duration::from_secs(300);

/// Waits until the code in `params` was used, and where devices have to speak end to end, until one was accepted. It asks a
/// person where the words have to be compared, and prints them in any case. With `json` each device is one line of JSON.
/// Returns the device, if it speaks end to end.
///
/// # Errors
/// The code has expired after `left`, or the device was refused.
pub async fn wait(
    client: &mut Client,
    printer: &mut Printer,
    params: &RawParams,
    left: Duration,
    json: bool,
) -> Result<Option<PairingDevice>, CallError> {
    let mut deadline = Instant::now() + left;
    let mut claimed = false;
    let mut shown: Option<PairingDevice> = None;
    let mut answers: Option<mpsc::Receiver<String>> = None;
    while Instant::now() < deadline {
        let result = client.request("remoteControl/pairing/status", params).await?;
        let status: PairingStatusResponse = result.read().map_err(ClientError::from)?;
        if status.claimed && !status.end_to_end {
            return Ok(None);
        }
        if status.claimed && !claimed {
            (claimed, deadline) = (true, Instant::now() + DECIDED_WITHIN);
        }
        if let Some(device) = status.device.filter(|device| shown.as_ref() != Some(device)) {
            match device.state {
                PairingDeviceState::Refused => {
                    return Err(CallError::Unsuccessful("the device was refused; nothing is paired".to_owned()));
                }
                PairingDeviceState::Accepted => {
                    if shown.is_none() && !json {
                        printer.text(&told(&device)).await?;
                    }
                    return Ok(Some(device));
                }
                PairingDeviceState::Waiting => {
                    if json {
                        printer.json(&serde_json::to_string(&device).map_err(ClientError::from)?).await?;
                    } else {
                        printer.text(&question(&device)).await?;
                    }
                    let typed = answers.get_or_insert_with(lines);
                    // What was typed before is no answer to this.
                    while typed.try_recv().is_ok() {}
                    shown = Some(device);
                }
            }
        }
        let (Some(lines), Some(device)) = (&mut answers, &shown) else {
            sleep(BETWEEN_QUESTIONS).await;
            continue;
        };
        let answer = tokio::select! {
            line = lines.recv() => line.unwrap_or_default(),
            () = sleep(BETWEEN_QUESTIONS) => continue,
        };
        let accept = matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
        let (client_id, words) = (device.client_id.clone(), device.words.clone());
        match client.call(&REMOTE_CONTROL_PAIRING_CONFIRM, &PairingConfirmParams { client_id, words, accept }).await {
            // It has connected again meanwhile: its words are other ones, which are asked about next.
            Err(ClientError::Refused(refused)) if !json => printer.text(&format!("{refused}\n")).await?,
            done => drop(done?),
        }
    }
    let text = match claimed {
        false => "the code has expired, and no controller has used it; ask for another one",
        true => {
            "the code was used, but no device was confirmed; if that was not you, revoke it (`remote-control clients`)"
        }
    };
    Err(CallError::Unsuccessful(text.to_owned()))
}

/// What a person types, on a thread of its own, because reading a terminal blocks. It ends with the process.
fn lines() -> mpsc::Receiver<String> {
    if std::io::stdin().is_terminal()
        && let Err(error) = tcflush(std::io::stdin(), QueueSelector::IFlush)
    {
        log::debug!("what was typed before cannot be dropped: {error}");
    }
    let (typed, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if typed.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

fn named(device: &PairingDevice) -> String {
    let name = device.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&device.client_id);
    format!("“{}”", shown_in_one_line(name))
}

fn question(device: &PairingDevice) -> String {
    format!(
        "\n{} wants to be paired. It would be allowed: {}.\n\n    {}\n\nAre these the words on the phone? [y/N] ",
        named(device),
        device.scopes,
        shown_in_one_line(&device.words)
    )
}

fn told(device: &PairingDevice) -> String {
    format!("{} is encrypted end to end. Its words: {}\n", named(device), shown_in_one_line(&device.words))
}

#[cfg(test)]
mod tests {
    use app_server_actors::protocol::scope::{Scope, Scopes};

    use super::*;

    #[test]
    fn a_name_gives_no_orders_to_a_terminal_and_the_question_says_what_is_allowed() {
        let device = PairingDevice {
            client_id: "cl_1".to_owned(),
            name: Some("a\x1b[2Jphone".to_owned()),
            words: "able acid acorn amber".to_owned(),
            scopes: Scopes::from_iter([Scope::Observe]),
            state: PairingDeviceState::Waiting,
        };
        let text = question(&device);
        assert!(text.contains("a\\u{1b}[2Jphone") && text.contains("allowed: observe."), "{text}");
        assert!(text.contains("    able acid acorn amber\n"), "{text}");
    }
}
