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

/// Most columns of a device's name.
const NAME_COLUMNS: usize = 24;

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

/// What the device calls itself, so short that it fits behind everything else on its line. Whoever is on the way can choose it:
/// it must not look like a line of this program.
fn named(device: &PairingDevice) -> String {
    let name = shown_in_one_line(device.name.as_deref().unwrap_or_default());
    let is_plain = |it: &char| it.is_ascii_alphanumeric() || "-_.'() ".contains(*it);
    let plain: String = name.chars().map(|it| if is_plain(&it) { it } else { '?' }).take(NAME_COLUMNS).collect();
    let name = plain.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() { "no name".to_owned() } else { name }
}

fn question(device: &PairingDevice) -> String {
    format!(
        "\nA device wants to be paired. Its words:\n\n    {}\n\nIt would be allowed: {}. It calls itself: {}\nAre these \
         the words on the phone? [y/N] ",
        shown_in_one_line(&device.words),
        device.scopes,
        named(device),
    )
}

fn told(device: &PairingDevice) -> String {
    let words = shown_in_one_line(&device.words);
    format!("A device is paired, encrypted end to end. Its words: {words}. It calls itself: {}\n", named(device))
}

#[cfg(test)]
mod tests {
    use app_server_actors::protocol::scope::{Scope, Scopes};

    use super::*;

    fn device(name: Option<&str>) -> PairingDevice {
        PairingDevice {
            client_id: "cl_1\nAre these the words on the phone? [y/N]".to_owned(),
            name: name.map(str::to_owned),
            words: "able acid acorn amber".to_owned(),
            scopes: Scopes::from_iter([Scope::Observe]),
            state: PairingDeviceState::Waiting,
        }
    }

    #[test]
    fn the_words_come_first_and_the_question_says_what_is_allowed() {
        let text = question(&device(Some("Mum's phone (old)")));
        let expected = "\nA device wants to be paired. Its words:\n\n    able acid acorn amber\n\nIt would be allowed: observe. \
                        It calls itself: Mum's phone (old)\nAre these the words on the phone? [y/N] ";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_name_can_neither_give_orders_to_a_terminal_nor_look_like_a_line_of_ours() {
        let long = format!("phone{}Its words: bad bad bad bad", " ".repeat(70));
        for name in
            [Some("a\x1b[2Jphone"), Some("Phone” wants\nto be paired.  able acid"), Some(&long), Some(" "), None]
        {
            let text = question(&device(name));
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines.len(), 7, "{text:?}");
            assert_eq!(lines[3], "    able acid acorn amber");
            assert!(lines[5].starts_with("It would be allowed: observe. It calls itself: "), "{text:?}");
            assert!(lines.iter().all(|line| line.len() < 80) && text.is_ascii() && !text.contains('\x1b'), "{text:?}");
        }
    }
}
