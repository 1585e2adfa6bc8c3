//! `remote-control` on the command line: exit codes, text for people, JSON for programs.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::backend::Backend;
use crate::support::backend::faults::{Endpoint, Fault};
use crate::support::backend::http::Answer;
use crate::support::eventually;
use crate::support::home::Home;
use crate::support::process::{Collected, Ended, Launch, Process};
use crate::support::remote;
use crate::support::server::Server;
use crate::support::terminal::{self, on_terminal};

fn run(home: &Home, words: &[&str]) -> Ended {
    Launch::at(home).arg("remote-control").args(words).run()
}

/// The stdout of a run that must succeed.
fn output(home: &Home, words: &[&str]) -> String {
    let ended = run(home, words);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{words:?}");
    ended.stdout
}

fn status(home: &Home) -> Value {
    serde_json::from_str(&output(home, &["status", "--json"])).expect("JSON")
}

/// A backend, and a server that could be controlled but is not.
fn disabled() -> (Server, Backend) {
    let backend = Backend::start();
    (Server::unix(remote::plain_launch(&backend, &backend.home())), backend)
}

#[test]
fn pair_shows_a_code_that_a_person_can_type() {
    let (server, backend) = remote::shared();
    let home = server.process.home();
    assert_eq!(output(home, &["pair"]), "Pairing code: ABCD-0000\nExpires in 10 min\n");
    let pairing: Value = serde_json::from_str(&output(home, &["pair", "--json"])).expect("JSON");
    assert_eq!(pairing["manualPairingCode"], "ABCD-0001");
    assert_eq!(pairing["pairingCode"], "pairing-code-1");
    assert_eq!(backend.requests(Endpoint::Pair)[0].json(), json!({"manual_code": true}));
    backend.service(|service| service.pairings[1].claimed = true);
    let claimed = server.client().call("remoteControl/pairing/status", json!({"manualPairingCode": "ABCD-0001"}));
    assert_eq!(claimed, json!({"claimed": true}));
}

#[test]
fn pair_fits_a_terminal_and_waits_for_the_controller() {
    let (server, backend) = remote::shared();
    let (mut process, screen) = on_terminal(Launch::at(server.process.home()).args(&["remote-control", "pair"]));
    let shown = screen.wait_for("the code", |text| text.contains("Ctrl-C").then(|| text.to_owned()));
    let lines: Vec<&str> = shown.trim_end().lines().collect();
    assert!(lines.len() < usize::from(terminal::ROWS), "{} lines", lines.len());
    let code = lines.iter().position(|line| line.contains("Pairing code: ABCD-0000")).expect("the code");
    assert!(lines[..code].iter().any(|line| line.contains('▀')), "the drawing is above it");
    backend.add_listed_client(json!({"client_id": "c1", "display_name": "My phone"}));
    backend.service(|service| service.pairings[0].claimed = true);
    screen.wait_for("the controller", |text| text.contains("Paired with My phone.").then_some(()));
    assert_eq!(process.exit_code(), 0);

    let home = server.process.home();
    assert!(output(home, &["status"]).ends_with("Controllers:    My phone\n"));
    assert_eq!(output(home, &["clients"]), "ID  NAME\nc1  My phone\n");
    assert_eq!(output(home, &["revoke", "c1"]), "The pairing with c1 has ended.\n");
    assert!(output(home, &["clients"]).starts_with("No controller is paired."));
    assert_eq!(run(home, &["revoke", "c1"]).code, Some(1));
}

#[test]
fn pair_waits_into_a_pipe_when_it_is_told_to() {
    let (server, backend) = remote::shared();
    let mut process = Launch::at(server.process.home()).args(&["remote-control", "pair", "--wait"]).spawn();
    let shown = Collected::of(process.stdout.take().expect("a pipe"));
    shown.wait_for("the code", |text| text.contains("Expires in").then_some(()));
    backend.service(|service| service.pairings[0].claimed = true);
    assert_eq!(process.exit_code(), 0, "{}", process.stderr.text());
    assert!(shown.all().ends_with("Paired with a controller.\n"), "the backend lists none");
}

#[test]
fn pair_says_what_to_do_when_there_is_no_code() {
    let (server, backend) = disabled();
    let home = server.process.home();
    let ended = run(home, &["pair"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    let expected = "Error: remote control pairing requires remote control to be enabled (code -32600)\n\n\
                    Enable it first: codex-app-server remote-control enable\n";
    assert_eq!(ended.stderr, expected);

    backend.fail_always(Endpoint::Enroll, Fault::Answer(Answer::status(403).text("use a second factor")));
    assert_eq!(run(home, &["enable", "--ephemeral"]).code, Some(1));
    let ended = run(home, &["pair"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("The last attempt to connect failed: "), "{ended:?}");
    assert!(ended.stderr.ends_with("use a second factor\n"), "{ended:?}");
}

#[test]
fn when_nothing_answers_it_is_exit_code_69() {
    let home = Home::new();
    let commands = [&["pair"][..], &["status"], &["enable"], &["stop"], &["disable"], &["clients"], &["revoke", "id"]];
    // Each waits a moment for a server that may just be starting; together they wait once.
    let running = commands.map(|words| Launch::at(&home).arg("remote-control").args(words).spawn());
    for running in running {
        let ended = running.ended();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(69), ""), "{ended:?}");
    }
    assert_eq!(run(&home, &["no-such-word"]).code, Some(2));
}

#[test]
fn status_says_how_it_stands_and_why_it_does_not_work() {
    let (server, backend) = disabled();
    let home = server.process.home();
    let name = status(home)["serverName"].as_str().expect("a name").to_owned();
    assert_eq!(output(home, &["status"]), format!("Remote control: disabled\nMachine:        {name}\n"));

    backend.fail_always(Endpoint::Socket, Fault::Answer(Answer::status(409).text("somebody else is connected")));
    assert_eq!(run(home, &["enable"]).code, Some(1));
    let text = output(home, &["status"]);
    assert!(text.starts_with("Remote control: not connected, trying again\n"), "{text}");
    assert!(text.contains("Environment:    env_1\n") && text.contains("409"), "{text}");
    assert!(status(home)["lastError"].as_str().is_some_and(|error| error.contains("409")));

    backend.heal();
    backend.wait_for_host(1);
    let connected = format!(
        "Remote control: connected\nMachine:        {name}\nEnvironment:    env_1\nControllers:    none is paired\n"
    );
    eventually("the status is connected", || output(home, &["status"]) == connected);
}

#[test]
fn what_is_enabled_or_stopped_is_remembered_unless_it_is_ephemeral() {
    let backend = Backend::start();
    let home = backend.home();
    let start = || Server::unix(remote::plain_launch(&backend, &home));
    let restarted = |server: Server| {
        drop(server);
        start()
    };
    let name = |home: &Home| status(home)["serverName"].as_str().expect("a name").to_owned();

    let mut server = start();
    let available = format!("This machine is available for remote control as {}.\n", name(&home));
    assert_eq!(output(&home, &["stop"]), "Remote control is not running.\n");
    assert_eq!(output(&home, &["enable", "--ephemeral"]), available);
    server = restarted(server);
    assert_eq!(status(&home)["status"], "disabled");

    assert_eq!(output(&home, &["enable"]), available);
    server = restarted(server);
    eventually("it is enabled again", || status(&home)["status"] == "connected");
    assert_eq!(output(&home, &["stop", "--ephemeral"]), "Remote control stopped.\n");
    server = restarted(server);
    eventually("it is enabled again", || status(&home)["status"] == "connected");

    assert_eq!(output(&home, &["disable"]), "Remote control stopped.\n");
    server = restarted(server);
    assert_eq!(status(&home)["status"], "disabled");
    drop(server);
}

/// `remote-control` in the foreground, and what it says.
fn foreground(backend: &Backend, home: &Home, words: &[&str]) -> (Process, Collected) {
    let mut process = remote::plain_launch(backend, home).arg("remote-control").args(words).spawn();
    let stdout = Collected::of(process.stdout.take().expect("a pipe"));
    (process, stdout)
}

fn wait_for(stdout: &Collected, word: &str) {
    stdout.wait_for(word, |text| text.contains(word).then_some(()));
}

#[test]
fn alone_it_serves_in_the_foreground_until_it_is_told_to_end() {
    let backend = Backend::start();
    let home = backend.home();
    let (mut process, stdout) = foreground(&backend, &home, &[]);
    wait_for(&stdout, "This machine is available for remote control as ");
    backend.controller().initialize();
    backend.fail(Endpoint::Socket, Fault::Answer(Answer::status(500).text("out of order")));
    backend.cut();
    wait_for(&stdout, "Not connected, trying again: ");
    backend.wait_for_host(2);
    assert_eq!(output(&home, &["pair"]), "Pairing code: ABCD-0000\nExpires in 10 min\n");
    process.signal(Signal::INT);
    assert_eq!(process.exit_code(), 0, "{}", process.stderr.text());
    assert!(stdout.all().contains("out of order"), "{}", stdout.all());
    assert!(!home.control_socket().exists());
}

#[test]
fn beside_a_running_server_it_lends_it_remote_control() {
    let (server, backend) = disabled();
    let home = server.process.home();
    let (mut process, stdout) = foreground(&backend, home, &[]);
    wait_for(&stdout, "This machine is available for remote control as ");
    process.signal(Signal::INT);
    assert_eq!(process.exit_code(), 0);
    assert!(stdout.all().ends_with("\nRemote control stopped.\n"), "{}", stdout.all());
    assert_eq!(status(home)["status"], "disabled");

    output(home, &["enable", "--ephemeral"]);
    let (mut process, stdout) = foreground(&backend, home, &[]);
    wait_for(&stdout, "This machine is available for remote control as ");
    process.signal(Signal::INT);
    assert_eq!(process.exit_code(), 0);
    assert!(stdout.all().ends_with("\nRemote control stays enabled, as it was.\n"), "{}", stdout.all());
    assert_eq!(status(home)["status"], "connected");
}

#[test]
fn programs_get_a_line_of_json_for_each_change() {
    let backend = Backend::start();
    let home = backend.home();
    let (mut process, stdout) = foreground(&backend, &home, &["--json"]);
    wait_for(&stdout, "\"connected\"");
    process.signal(Signal::TERM);
    assert_eq!(process.exit_code(), 0);
    let text = stdout.all();
    let states: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let connected = states.iter().find(|state| state["status"] == "connected").expect("it was connected");
    assert_eq!(connected["environmentId"], "env_1", "{text}");
}
