//! Remote control according to the command line and the environment.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::backend::Backend;
use crate::support::backend::faults::Endpoint;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

#[test]
fn without_a_listener_remote_control_is_the_way_in() {
    let backend = Backend::start();
    let mut process = Launch::at(&backend.home()).args(&["--listen", "off", "--remote-control"]).spawn();
    backend.wait_for_host(1);
    process.signal(Signal::TERM);
    assert_eq!(process.exit_code(), 0);

    let ended = Launch::at(&backend.home()).args(&["--listen", "off"]).run();
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.starts_with("Error: no transport configured: with `--listen off` "), "{ended:?}");
}

#[test]
fn a_backend_that_nobody_vouches_for_ends_the_start() {
    for (url, reason) in [
        ("https://evilchatgpt.com/x", "expected HTTPS URL"),
        ("https://chatgpt.com.evil.com/x", "expected HTTPS URL"),
        ("http://chatgpt.com/x", "expected HTTPS URL"),
        ("https://chatgpt.com:99999/x", "invalid port number"),
    ] {
        let home = Home::with_config(&format!("chatgpt_base_url = \"{url}\"\n"));
        let ended = Launch::at(&home).args(&["--listen", "unix://", "--remote-control"]).run();
        assert_eq!(ended.code, Some(78), "{url}");
        let start = format!("Error: invalid remote control URL `{url}`");
        assert!(ended.stderr.starts_with(&start) && ended.stderr.contains(reason), "{}", ended.stderr);
    }
    let home = Home::with_config("chatgpt_base_url = \"https://evilchatgpt.com/x\"\n");
    let server = Server::unix(Launch::at(&home));
    assert_eq!(server.client().call("remoteControl/status/read", Value::Null)["status"], "disabled");
}

#[test]
fn the_daemon_manager_can_say_no_to_what_was_remembered() {
    let backend = Backend::start();
    let home = backend.home();
    let server = Server::unix(Launch::at(&home));
    server.client().call("remoteControl/enable", json!({}));
    drop(server);
    let before = backend.connections();
    let server = Server::unix(Launch::at(&home).env("CODEX_INTERNAL_APP_SERVER_REMOTE_CONTROL_DISABLED", "1"));
    let mut client = server.client();
    assert_eq!(client.next_notification("remoteControl/status/changed")["status"], "disabled");
    assert_eq!(client.call("remoteControl/enable", json!({"ephemeral": true}))["status"], "connecting");
    backend.wait_for_host(before + 1);
}

#[test]
fn on_stdio_nothing_is_dialled_before_the_first_client_has_a_name() {
    let backend = Backend::start();
    let server = Server::stdio(Launch::at(&backend.home()).arg("--remote-control"));
    let mut client = server.connect();
    let refused = client.refusal("thread/loaded/list", json!({}));
    assert_eq!(refused.message, "Not initialized");
    assert!(backend.requests(Endpoint::Enroll).is_empty());
    client.initialize();
    let request = backend.wait_for_requests(Endpoint::Enroll, 1).remove(0);
    assert_eq!(request.header("originator"), Some("promises"));
    backend.wait_for_host(1);
}
