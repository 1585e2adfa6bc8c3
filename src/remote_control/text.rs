//! Texts about remote control.

use app_server_actors::protocol::remote::{RemoteControlStatus, RemoteControlStatusReadResponse};

use crate::terminal::shown_in_one_line;

/// The complete status, one line per fact.
pub(super) fn status(now: &RemoteControlStatusReadResponse) -> String {
    let state = &now.state;
    let mut text = row("Remote control", word(state.status)) + &row("Machine", &state.server_name);
    if let Some(environment) = &state.environment_id {
        text += &row("Environment", environment);
    }
    if let Some(error) = &now.last_error {
        text += &row("Last error", error);
    }
    text
}

fn row(name: &str, value: &str) -> String {
    format!("{:<16}{}\n", format!("{name}:"), shown_in_one_line(value))
}

/// The changed status, in one line.
pub(super) fn told(now: &RemoteControlStatusReadResponse) -> String {
    let name = shown_in_one_line(&now.state.server_name);
    match now.state.status {
        RemoteControlStatus::Disabled => "Remote control is disabled.\n".to_owned(),
        RemoteControlStatus::Connecting => "Connecting…\n".to_owned(),
        RemoteControlStatus::Connected => format!("This machine is available for remote control as {name}.\n"),
        RemoteControlStatus::Errored => format!("Not connected, trying again: {}\n", reason(now)),
    }
}

/// The effect of `stop`, given the status `before`.
pub(super) fn stopped(before: RemoteControlStatus) -> String {
    match before {
        RemoteControlStatus::Disabled => "Remote control is not running.\n".to_owned(),
        _ => "Remote control stopped.\n".to_owned(),
    }
}

/// Why enabling failed.
pub(super) fn enabled_in_vain(now: &RemoteControlStatusReadResponse) -> String {
    let name = shown_in_one_line(&now.state.server_name);
    format!("remote control is enabled on {name}, but the connection failed: {}", reason(now))
}

/// What to do where nobody is signed in with ChatGPT.
pub(super) const SIGN_IN: &str =
    "Sign in with ChatGPT first: run `codex login` with the same CODEX_HOME. The server needs no restart.";

/// What to do if there is no code, given the status `now`.
pub(super) fn advice(now: &RemoteControlStatusReadResponse) -> Option<String> {
    match now.state.status {
        RemoteControlStatus::Disabled => Some("Enable it first: codex-app-server remote-control enable".to_owned()),
        RemoteControlStatus::Errored => Some(format!("The last attempt to connect failed: {}", reason(now))),
        RemoteControlStatus::Connecting | RemoteControlStatus::Connected => None,
    }
}

fn reason(now: &RemoteControlStatusReadResponse) -> String {
    now.last_error.as_deref().map_or_else(|| "the server gives no reason".to_owned(), shown_in_one_line)
}

fn word(status: RemoteControlStatus) -> &'static str {
    match status {
        RemoteControlStatus::Disabled => "disabled",
        RemoteControlStatus::Connecting => "connecting",
        RemoteControlStatus::Connected => "connected",
        RemoteControlStatus::Errored => "not connected, trying again",
    }
}

#[cfg(test)]
mod tests {
    use app_server_actors::protocol::remote::RemoteControlState;

    use super::*;

    fn errored(last_error: Option<&str>) -> RemoteControlStatusReadResponse {
        let state = RemoteControlState {
            status: RemoteControlStatus::Errored,
            server_name: "desk\x1b[2J".to_owned(),
            installation_id: "i".to_owned(),
            environment_id: Some("env_1".to_owned()),
        };
        RemoteControlStatusReadResponse { state, last_error: last_error.map(str::to_owned) }
    }

    #[test]
    fn an_error_is_told_in_one_line_without_orders_to_the_terminal() {
        let now = errored(Some("HTTP 403,\nbody: \u{9b}2J"));
        assert_eq!(told(&now), "Not connected, trying again: HTTP 403, body: \\u{9b}2J\n");
        let lines =
            "Remote control: not connected, trying again\nMachine:        desk\\u{1b}[2J\nEnvironment:    env_1\n";
        assert_eq!(status(&now), format!("{lines}Last error:     HTTP 403, body: \\u{{9b}}2J\n"));
        assert!(told(&errored(None)).ends_with("the server gives no reason\n"));
    }
}
