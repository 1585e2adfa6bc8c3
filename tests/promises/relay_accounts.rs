//! The accounts of a relay are strictly apart.

use serde_json::{Value, json};

use crate::support::relay::Relay;
use crate::support::relay::phone::Phone;

/// An account id stands before the dot of its token.
fn id(token: &str) -> &str {
    token.split_once('.').expect("an id").0
}

#[test]
fn no_token_opens_what_belongs_to_another_account() {
    let relay = Relay::start();
    let tokens = [relay.account("one"), relay.account("two")];
    let mut machines = tokens.each_ref().map(|token| relay.machine(token));
    let mut devices = Vec::new();
    for machine in &mut machines {
        devices.push(relay.pair(machine));
    }
    // Whose token, whose account named, whose environment: only what belongs together is answered.
    for (token_of, token) in tokens.iter().enumerate() {
        for (named, account) in tokens.iter().enumerate() {
            for (owner, device) in devices.iter().enumerate() {
                let bearer = format!("Bearer {token}");
                let headers = [("Authorization", bearer.as_str()), ("chatgpt-account-id", id(account))];
                let clients = format!("/wham/remote/control/environments/{}/clients", device.environment);
                let listed = relay.request("GET", &clients, &headers, &Value::Null).status;
                let expected = match (token_of == named, named == owner) {
                    (true, true) => 200,
                    (true, false) => 404,
                    (false, _) => 401,
                };
                assert_eq!(listed, expected, "list: {token_of} {named} {owner}");
                if expected != 200 {
                    let client = format!("{clients}/{}", device.client_id);
                    assert_eq!(relay.request("DELETE", &client, &headers, &Value::Null).status, expected);
                }
            }
        }
    }
    for (owner, device) in devices.iter().enumerate() {
        for (asked, other) in devices.iter().enumerate() {
            let path = format!("/api/machines/{}/{}", other.environment, other.client_id);
            if asked != owner {
                assert_eq!(relay.as_device(device, "DELETE", &path).status, 404);
            }
        }
        let view: Value = serde_json::from_str(&relay.as_device(device, "GET", "/api/device").body).expect("JSON");
        let machines = view["machines"].as_array().expect("a list");
        assert_eq!((machines.len(), &machines[0]["environmentId"]), (1, &json!(device.environment)));
    }
}

#[test]
fn a_stream_of_another_phone_cannot_be_taken_over_by_its_name() {
    let relay = Relay::start();
    let mut machine = relay.machine(&relay.account("home"));
    let [victim, thief] = [relay.pair(&mut machine), relay.pair(&mut machine)];
    let watched = Phone::open(&relay, &victim);
    let stolen = watched.again(&relay, &thief);
    assert_eq!(stolen.welcome["resumed"], false);
    assert_ne!(stolen.welcome["stream_id"], watched.welcome["stream_id"]);
    assert_ne!(stolen.welcome["client_id"], watched.welcome["client_id"]);
    let mut watched = watched.client();
    watched.initialize();
}

#[test]
fn several_machines_of_one_account_are_told_apart() {
    let relay = Relay::start();
    let token = relay.account("home");
    let [mut desk, mut server] = [relay.machine(&token), relay.machine(&token)];
    let [at_desk, at_server] = [relay.pair(&mut desk), relay.pair(&mut server)];
    assert_ne!(at_desk.environment, at_server.environment);
    for (device, machine) in [(&at_desk, &mut desk), (&at_server, &mut server)] {
        let mut phone = Phone::open(&relay, device).client();
        phone.initialize();
        let thread = phone.call("thread/start", json!({}))["thread"]["id"].clone();
        let loaded = machine.client.call("thread/loaded/list", json!({}));
        assert!(loaded["data"].as_array().expect("a list").contains(&thread), "{loaded}");
    }
}

#[test]
fn an_account_that_is_removed_is_cut_while_the_relay_runs() {
    let relay = Relay::start_with(&[("relay.check_seconds", "1")]);
    let token = relay.account("home");
    let mut machine = relay.machine(&token);
    let device = relay.pair(&mut machine);
    let mut phone = Phone::open(&relay, &device);
    assert!(relay.token(&["list"]).contains("home"));
    relay.token(&["remove", "home"]);
    assert_eq!(phone.closed(), Some(4003));
    assert_eq!(
        relay.as_device(&device, "GET", "/api/device").status,
        200,
        "the device is nobody's, and controls nothing"
    );
    let view: Value = serde_json::from_str(&relay.as_device(&device, "GET", "/api/device").body).expect("JSON");
    assert_eq!(view["machines"], json!([]));
    while machine.client.call("remoteControl/status/read", Value::Null)["status"] != "errored" {
        machine.client.next_notification("remoteControl/status/changed");
    }
}
