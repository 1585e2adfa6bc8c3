//! Requests about remote control, and secrets that are never revealed (spec: remote control 12).

use serde_json::{Value, json};

use crate::support::backend::account::{secret, sign_in_with_api_key};
use crate::support::backend::faults::{Endpoint, Fault};
use crate::support::backend::http::Answer;
use crate::support::backend::{Backend, account};
use crate::support::eventually;
use crate::support::home::Home;
use crate::support::remote;
use crate::support::secrets;
use crate::support::server::Server;

fn disabled(backend: &Backend, home: &Home) -> Server {
    Server::unix(remote::plain_launch(backend, home))
}

#[test]
fn a_code_is_given_out_claimed_and_expires_in_unix_seconds() {
    let (server, backend) = remote::shared();
    let mut client = server.client();
    let started = client.call("remoteControl/pairing/start", json!({}));
    assert_eq!((&started["pairingCode"], &started["manualPairingCode"]), (&json!("pairing-code-0"), &Value::Null));
    assert_eq!(started["environmentId"], "env_1");
    let left = started["expiresAt"].as_i64().expect("seconds") - secrets::now();
    assert!((590..=600).contains(&left), "{left}");
    assert!((590..=600).contains(&started["expiresInSeconds"].as_i64().expect("seconds")), "{started}");
    let by_code = json!({"pairingCode": "pairing-code-0"});
    assert_eq!(client.call("remoteControl/pairing/status", by_code.clone()), json!({"claimed": false}));
    backend.service(|service| service.pairings[0].claimed = true);
    assert_eq!(client.call("remoteControl/pairing/status", by_code), json!({"claimed": true}));
    assert_eq!(client.refusal("remoteControl/pairing/status", json!({"pairingCode": "no such code"})).code, -32600);
    assert!(started.get("serverId").is_none(), "{started}");
}

#[test]
fn controllers_are_listed_page_by_page_and_revoked() {
    let backend = Backend::start();
    let server = disabled(&backend, &backend.home());
    for (id, seen) in [("phone 1", Some(account::timestamp(-60))), ("tablet/2", None), ("web", None)] {
        backend.add_listed_client(json!({"client_id": id, "display_name": id, "last_seen_at": seen}));
    }
    let mut client = server.client();
    let list = |client: &mut crate::support::client::Client, more: Value| {
        let mut params = json!({"environmentId": "e/../ x"});
        params.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
        client.call("remoteControl/client/list", params)
    };
    let first = list(&mut client, json!({"limit": 2, "order": "asc"}));
    assert_eq!(first["data"][0]["clientId"], "phone 1");
    let seen = first["data"][0]["lastSeenAt"].as_i64().expect("seconds");
    assert!((0..=70).contains(&(secrets::now() - seen)), "{seen}");
    assert_eq!(first["data"][1]["lastSeenAt"], Value::Null);
    let second = list(&mut client, json!({"limit": 2, "cursor": first["nextCursor"]}));
    assert_eq!((&second["data"][0]["clientId"], &second["nextCursor"]), (&json!("web"), &Value::Null));
    let asked = backend.requests(Endpoint::Clients);
    assert!(asked[0].path.ends_with("/environments/e%2F..%2F%20x/clients"), "{}", asked[0].path);

    let revoke = json!({"environmentId": "env", "clientId": "web"});
    assert_eq!(client.call("remoteControl/client/revoke", revoke.clone()), json!({}));
    assert_eq!(client.refusal("remoteControl/client/revoke", revoke).code, -32600);
}

#[test]
fn the_status_says_why_it_is_errored_without_the_secrets_in_it() {
    let backend = Backend::start();
    let leaked = secret("leaked");
    let body = json!({"detail": "no second factor", "remote_control_token": leaked});
    backend.fail_always(Endpoint::Enroll, Fault::Answer(Answer::status(403).json(&body)));
    let server = Server::unix(remote::launch(&backend, &backend.home()));
    let mut client = server.client();
    let mut status = Value::Null;
    eventually("the status says why", || {
        status = client.call("remoteControl/status/read", Value::Null);
        status["lastError"].is_string()
    });
    assert_eq!(status["status"], "errored");
    let error = status["lastError"].as_str().expect("text");
    assert!(error.starts_with("remote control server enrollment failed at `http://127.0.0.1:"), "{error}");
    assert!(error.contains("HTTP 403 Forbidden") && error.contains("no second factor"), "{error}");
    assert!(error.contains("<redacted>") && !error.contains(&leaked), "{error}");

    backend.heal();
    backend.wait_for_host(1);
    eventually("the reason is gone", || {
        client.call("remoteControl/status/read", Value::Null).get("lastError").is_none()
    });
}

#[test]
fn who_is_not_signed_in_is_told_so() {
    let backend = Backend::start();
    let home = backend.home();
    std::fs::remove_file(home.join("auth.json")).expect("it is there");
    let server = disabled(&backend, &home);
    let mut client = server.client();
    let enable = |client: &mut crate::support::client::Client| {
        let error = client.refusal("remoteControl/enable", json!({}));
        (error.code, error.message)
    };
    assert_eq!(enable(&mut client), (-32600, "remote control requires ChatGPT authentication".to_owned()));
    sign_in_with_api_key(&home);
    let expected = "remote control requires ChatGPT authentication; API key auth is not supported";
    assert_eq!(enable(&mut client), (-32600, expected.to_owned()));
    backend.account().sign_in_without_account_id(&home);
    let expected = "remote control enrollment is waiting for a ChatGPT account id";
    assert_eq!(enable(&mut client), (-32603, expected.to_owned()));
    assert_eq!(backend.requests(Endpoint::Enroll).len(), 0);
    backend.account().sign_in(&home);
    assert_eq!(client.call("remoteControl/enable", json!({}))["environmentId"], "env_1");
    backend.wait_for_host(1);
}

#[test]
fn an_account_whose_token_has_expired_is_renewed_once() {
    let backend = Backend::start();
    let home = backend.home();
    // The backend has another access token than `auth.json`, but still takes its refresh token.
    backend.service(|service| {
        let refresh_token = service.account.refresh_token.clone();
        service.account.renew();
        service.account.refresh_token = refresh_token;
    });
    let _server = Server::unix(remote::launch(&backend, &home));
    backend.wait_for_host(1);
    assert_eq!(backend.requests(Endpoint::Token).len(), 1);
    let request = backend.requests(Endpoint::Token)[0].json();
    assert_eq!(
        (&request["grant_type"], &request["refresh_reason"]),
        (&json!("refresh_token"), &json!("unauthorized_recovery"))
    );
    let auth = std::fs::read_to_string(home.join("auth.json")).expect("it is there");
    assert!(auth.contains(&backend.account().access_token), "the new token is kept for every program of this home");
}

#[test]
fn the_streams_of_a_revoked_controller_end_whatever_the_backend_does() {
    for fault in [Fault::Hang, Fault::status(500)] {
        let (server, backend) = remote::shared();
        let mut client = server.client();
        let (mut stolen, mut other) = (backend.controller_of("stolen", Some("s")), backend.controller());
        stolen.initialize();
        other.initialize();
        backend.fail_always(Endpoint::Revoke, fault);
        let params = json!({"environmentId": "env_1", "clientId": "stolen"});
        client.send_request("remoteControl/client/revoke", params);
        backend.wait_for_requests(Endpoint::Revoke, 1);
        // By now its stream has ended; what it does on it is for nobody.
        stolen.notify("initialized");
        let refused = backend.controller_of("stolen", Some("another")).refusal("initialize", json!({}));
        assert!(refused.message.contains("the backend has not confirmed that yet"), "{refused:?}");
        other.call("thread/loaded/list", json!({}));

        backend.heal();
        // What the backend has not confirmed stays revoked.
        client.call("remoteControl/pairing/start", json!({}));
        backend.controller_of("stolen", Some("third")).refusal("initialize", json!({}));
    }
}

#[test]
fn a_controller_that_is_paired_again_is_let_in_again() {
    let (server, backend) = remote::shared();
    let mut client = server.client();
    backend.add_listed_client(json!({"client_id": "phone"}));
    backend.controller_of("phone", Some("s")).initialize();
    client.call("remoteControl/client/revoke", json!({"environmentId": "env_1", "clientId": "phone"}));
    let refused = backend.controller_of("phone", Some("t")).refusal("initialize", json!({}));
    assert_eq!(refused.message, "this controller was revoked; pair it again");
    client.call("remoteControl/pairing/start", json!({}));
    backend.controller_of("phone", Some("u")).initialize();
}
