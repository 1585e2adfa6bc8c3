//! Remote control is enabled as last requested by a client, temporarily or durably.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::backend::Backend;
use crate::support::backend::faults::{Endpoint, Fault};
use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

/// In `home`, coming back quickly after a failure.
fn launch(backend: &Backend, home: &Home) -> Launch {
    Launch::at(home)
        .env("CODEX_REFRESH_TOKEN_URL_OVERRIDE", &backend.token_url())
        .setting("remote_control.backoff_first_milliseconds", 10)
        .setting("remote_control.backoff_most_milliseconds", 40)
        .setting("remote_control.retry_jitter_milliseconds", 1)
        .setting("remote_control.account_check_milliseconds", 20)
}

/// Waits until the client is told of `status`.
fn told(client: &mut Client, status: &str) -> Value {
    loop {
        let state = client.next_notification("remoteControl/status/changed");
        if state["status"] == status {
            return state;
        }
    }
}

fn status(client: &mut Client) -> Value {
    client.call("remoteControl/status/read", json!({}))
}

#[test]
fn every_client_is_told_of_every_change_even_without_experimental_api() {
    let backend = Backend::start();
    let server = Server::unix(launch(&backend, &backend.home()));
    let mut asking = server.client();
    let mut watching = server.connect();
    watching.initialize_with(json!({}));
    assert_eq!(told(&mut watching, "disabled")["environmentId"], Value::Null);
    let enabled = asking.call("remoteControl/enable", Value::Null);
    assert_eq!(enabled["environmentId"], "env_1", "{enabled}");
    assert_eq!(told(&mut watching, "connected")["environmentId"], "env_1");
    assert_eq!(status(&mut asking)["status"], "connected");
    let late = told(&mut server.client(), "connected");
    assert_eq!(late["serverName"], enabled["serverName"]);
    let disabled = asking.call("remoteControl/disable", json!({"ephemeral": false}));
    assert_eq!((&disabled["status"], &disabled["environmentId"]), (&json!("disabled"), &Value::Null));
    told(&mut watching, "disabled");
    let refused = watching.refusal("remoteControl/status/read", Value::Null);
    assert_eq!(refused.message, "remoteControl/status/read requires experimentalApi capability");
}

#[test]
fn a_lasting_wish_outlives_the_process_and_a_passing_one_does_not() {
    let backend = Backend::start();
    let home = backend.home();
    let server = Server::unix(launch(&backend, &home));
    server.client().call("remoteControl/enable", json!({"ephemeral": true}));
    backend.wait_for_host(1);
    drop(server);

    let server = Server::unix(launch(&backend, &home));
    assert_eq!(status(&mut server.client())["status"], "disabled");
    server.client().call("remoteControl/enable", json!({}));
    backend.wait_for_host(2);
    server.process.signal(Signal::KILL);
    drop(server);

    let server = Server::unix(launch(&backend, &home));
    backend.wait_for_host(3);
    server.client().call("remoteControl/disable", json!({"ephemeral": true}));
    drop(server);

    let server = Server::unix(launch(&backend, &home));
    backend.wait_for_host(4);
    server.client().call("remoteControl/disable", json!({}));
    server.process.signal(Signal::KILL);
    drop(server);

    let server = Server::unix(launch(&backend, &home));
    let mut client = server.client();
    assert_eq!(status(&mut client)["status"], "disabled");
    assert_eq!(backend.requests(Endpoint::Enroll).len(), 1, "one enrollment serves them all");
}

#[test]
fn a_disable_interrupts_a_wait_for_a_backend_that_hangs() {
    let backend = Backend::start();
    backend.fail_always(Endpoint::Enroll, Fault::Hang);
    let server = Server::unix(launch(&backend, &backend.home()));
    let mut client = server.client();
    assert_eq!(client.call("remoteControl/enable", json!({"ephemeral": true}))["status"], "connecting");
    backend.wait_for_requests(Endpoint::Enroll, 1);
    assert_eq!(status(&mut client)["status"], "connecting", "answered while the backend is not");
    assert_eq!(client.call("remoteControl/disable", json!({"ephemeral": true}))["status"], "disabled");
}

#[test]
fn a_sign_out_ends_it_until_somebody_enables_it_again() {
    let backend = Backend::start();
    let home = backend.home();
    let server = Server::unix(launch(&backend, &home));
    let mut client = server.client();
    client.call("remoteControl/enable", json!({}));
    told(&mut client, "connected");
    std::fs::remove_file(home.join("auth.json")).expect("signed in");
    assert_eq!(told(&mut client, "disabled")["environmentId"], Value::Null);
    let refused = client.refusal("remoteControl/enable", json!({}));
    assert_eq!((refused.code, refused.message.as_str()), (-32600, "remote control requires ChatGPT authentication"));
    backend.account().sign_in(&home);
    assert_eq!(client.call("remoteControl/enable", json!({}))["environmentId"], "env_1", "the enrollment was kept");
    told(&mut client, "connected");
}

#[test]
fn params_are_read_as_the_reference_program_reads_them() {
    let backend = Backend::start();
    let server = Server::unix(launch(&backend, &backend.home()));
    let mut client = server.client();
    let mut refused = |method: &str, params: &str| {
        let answer = client.exchange(&format!(r#"{{"id":"p","method":"{method}"{params}}}"#));
        answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    };
    let text = refused("remoteControl/status/read", r#","params":{"a":1}"#);
    assert_eq!(text, "Invalid request: invalid type: map, expected unit");
    for method in ["pairing/start", "pairing/status", "client/list", "client/revoke"] {
        assert_eq!(refused(&format!("remoteControl/{method}"), ""), "Invalid request: missing field `params`");
    }
    let text = refused("remoteControl/enable", r#","params":{"ephemeral":1}"#);
    assert_eq!(text, "Invalid request: invalid type: integer `1`, expected a boolean");
    assert!(backend.requests(Endpoint::Enroll).is_empty());
}
