//! Pairing with a machine through a relay, what a device may do, and the end of it.

use serde_json::{Value, json};

use crate::support::process::Launch;
use crate::support::relay::phone::Phone;
use crate::support::relay::{Device, Machine, Relay};
use crate::support::server::Server;

fn home() -> (Relay, Machine) {
    let relay = Relay::start();
    let token = relay.account("home");
    let machine = relay.machine(&token);
    (relay, machine)
}

#[test]
fn a_code_is_good_once_however_it_is_typed() {
    let (relay, mut machine) = home();
    let code = machine.code();
    let typed = code.to_lowercase().replace('-', " ");
    assert_eq!(relay.claim(&typed).status, 200);
    let status = machine.client.call("remoteControl/pairing/status", json!({"manualPairingCode": code}));
    assert_eq!(status, json!({"claimed": true}));
    let again = relay.claim(&code);
    assert_eq!(again.status, 404, "{}", again.body);
    assert!(again.body.contains("ask for a new one"), "{}", again.body);
}

#[test]
fn a_code_for_scanning_is_good_too() {
    let (relay, mut machine) = home();
    let pairing = machine.client.call("remoteControl/pairing/start", json!({}));
    assert_eq!(pairing["manualPairingCode"], Value::Null);
    assert_eq!(relay.claim(pairing["pairingCode"].as_str().expect("a code")).status, 200);
}

#[test]
fn wrong_guesses_burn_the_code_that_they_are_aimed_at() {
    let relay = Relay::start_with(&[("relay.failed_attempts_burst", "100")]);
    let mut machine = relay.machine(&relay.account("home"));
    let code = machine.code();
    let last = if code.ends_with('B') { 'C' } else { 'B' };
    let wrong = format!("{}{last}", &code[..code.len() - 1]);
    let other = machine.code();
    for _ in 0..5 {
        assert_eq!(relay.claim(&wrong).status, 404);
    }
    assert_eq!(relay.claim(&code).status, 404, "five tries have burnt it");
    if other[..3] != code[..3] {
        assert_eq!(relay.claim(&other).status, 200, "and no other one");
    }
}

#[test]
fn codes_are_tried_at_a_limited_rate() {
    let (relay, mut machine) = home();
    let code = machine.code();
    for _ in 0..10 {
        assert_eq!(relay.claim("BCDF-GHJK").status, 404);
    }
    let limited = relay.claim(&code);
    assert_eq!(limited.status, 429, "even the right one is not looked at");
    assert!(limited.header("retry-after").is_some());
}

#[test]
fn nothing_that_was_given_out_stands_in_the_database_or_comes_out_again() {
    let (relay, mut machine) = home();
    let code = machine.code();
    let device = relay.pair(&mut machine);
    let bytes: Vec<u8> =
        relay.process.home().everything().iter().filter_map(|path| std::fs::read(path).ok()).flatten().collect();
    let code = code.replace('-', "");
    for secret in [code.as_str(), &device.token] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} is kept");
    }
    assert!(!relay.token(&["list"]).contains(&device.token));
}

#[test]
fn a_revoked_device_loses_its_streams_at_once_at_both_ends() {
    let (relay, mut machine) = home();
    let devices = [relay.pair(&mut machine), relay.pair(&mut machine)];
    let [mut stolen, kept] = devices.each_ref().map(|device| Phone::open(&relay, device));
    let mut kept = kept.client();
    kept.initialize();
    let [gone, other] = devices;
    let listed = machine.client.call("remoteControl/client/list", json!({"environmentId": gone.environment}));
    assert_eq!(listed["data"].as_array().expect("a list").len(), 2, "{listed}");
    assert!(listed["data"][0]["lastSeenAt"].is_i64(), "{listed}");
    let revoke = json!({"environmentId": gone.environment, "clientId": gone.client_id});
    machine.client.call("remoteControl/client/revoke", revoke);
    assert_eq!(stolen.closed(), Some(4003));
    assert_eq!(relay.as_device(&gone, "GET", "/api/device").status, 401);
    kept.call("thread/loaded/list", json!({}));
    assert_eq!(relay.as_device(&other, "GET", "/api/device").status, 200);
}

#[test]
fn a_device_can_end_its_own_pairing_and_no_other() {
    let (relay, mut machine) = home();
    let [one, other] = [relay.pair(&mut machine), relay.pair(&mut machine)];
    let path = |device: &Device| format!("/api/machines/{}/{}", device.environment, device.client_id);
    assert_eq!(relay.as_device(&one, "DELETE", &path(&other)).status, 404);
    assert_eq!(relay.as_device(&one, "DELETE", &path(&one)).status, 204);
    assert_eq!(relay.as_device(&one, "GET", "/api/device").status, 401);
    assert_eq!(relay.as_device(&other, "GET", "/api/device").status, 200);
}

#[test]
fn a_device_gets_another_name_by_itself_by_its_account_and_by_a_device_that_may_do_everything() {
    let (relay, mut machine) = home();
    let [one, other] = [relay.pair(&mut machine), relay.pair(&mut machine)];
    let all = json!({"manualCode": true, "scopes": ["observe", "converse", "files", "admin"]});
    let pairing = machine.client.call("remoteControl/pairing/start", all);
    let admin = relay.pair_by(pairing["manualPairingCode"].as_str().expect("a code"));
    let rename = |by: &Device, whose: &Device, name: &str| {
        let path = format!("/api/machines/{}/{}", whose.environment, whose.client_id);
        let bearer = format!("Bearer {}", by.token);
        relay.request("PATCH", &path, &[("Authorization", &bearer)], &json!({"name": name})).status
    };
    let mut names = || {
        let listed = machine.client.call("remoteControl/client/list", json!({"environmentId": one.environment}));
        let listed = listed["data"].as_array().expect("a list").clone();
        let name = |device: &Device| {
            let its = listed.iter().find(|it| it["clientId"] == json!(device.client_id)).expect("it is listed");
            its["displayName"].clone()
        };
        (name(&one), name(&other))
    };
    assert_eq!(names(), (json!("a phone"), json!("a phone")));
    assert_eq!(rename(&one, &one, "  kitchen\u{1b}[2J "), 204);
    assert_eq!(rename(&one, &other, "mine"), 404, "it is another's");
    assert_eq!(rename(&one, &one, &"x".repeat(129)), 400);
    assert_eq!(rename(&admin, &other, "desk"), 204);
    assert_eq!(names(), (json!("kitchen\u{1b}[2J"), json!("desk")));
    let shown = Launch::at(machine.server.process.home()).args(&["remote-control", "clients"]).run();
    assert!(shown.stdout.contains("kitchen\\u{1b}[2J"), "a name gives no orders to a terminal: {}", shown.stdout);
    assert_eq!(rename(&one, &one, " "), 204);
    assert_eq!(names().0, Value::Null);
    let stranger =
        Device { token: "wrong".to_owned(), environment: one.environment.clone(), client_id: one.client_id.clone() };
    assert_eq!(rename(&stranger, &one, "mine"), 401);
}

#[test]
fn a_device_may_observe_and_converse_unless_more_was_said_at_pairing() {
    let (relay, mut machine) = home();
    let device = relay.pair(&mut machine);
    let phone = Phone::open(&relay, &device);
    assert_eq!(phone.welcome["scopes"], json!(["observe", "converse"]));
    let mut phone = phone.client();
    phone.initialize();
    phone.call("thread/loaded/list", json!({}));
    let refused = phone.refusal("command/exec", json!({"command": ["true"]}));
    assert!(refused.message.contains("admin"), "{refused:?}");

    let more = json!({"manualCode": true, "scopes": ["observe"]});
    let pairing = machine.client.call("remoteControl/pairing/start", more);
    let watcher = relay.pair_by(pairing["manualPairingCode"].as_str().expect("a code"));
    let mut watcher = Phone::open(&relay, &watcher).client();
    watcher.initialize();
    watcher.call("thread/loaded/list", json!({}));
    let refused = watcher.refusal("thread/start", json!({}));
    assert!(refused.message.contains("converse"), "{refused:?}");
}

#[test]
fn the_token_of_a_device_is_replaced_when_it_is_old() {
    let relay =
        Relay::start_with(&[("relay.device_token_seconds", "1"), ("relay.device_token_overlap_seconds", "600")]);
    let mut machine = relay.machine(&relay.account("home"));
    let device = relay.pair(&mut machine);
    let mut cookie = None;
    crate::support::eventually("the token is replaced", || {
        cookie = relay.as_device(&device, "GET", "/api/device").header("set-cookie").map(str::to_owned);
        cookie.is_some()
    });
    let token = cookie.expect("a cookie").split(['=', ';']).nth(1).expect("a value").to_owned();
    let renewed = Device { token: crate::support::secrets::used(&token), ..device };
    assert_eq!(relay.as_device(&renewed, "GET", "/api/device").status, 200);
}

#[test]
fn a_page_of_another_origin_gets_nothing() {
    let (relay, mut machine) = home();
    let device = relay.pair(&mut machine);
    let cookie = format!("relay-device={}", device.token);
    let own = format!("http://{}", "localhost");
    for (origin, expected) in [(own.as_str(), 200), ("http://evil.example", 403), ("null", 403)] {
        let headers = [("Cookie", cookie.as_str()), ("Origin", origin)];
        assert_eq!(relay.request("GET", "/api/device", &headers, &Value::Null).status, expected, "{origin}");
    }
    let path = format!("/api/machines/{}/{}", device.environment, device.client_id);
    let by_cookie = [("Cookie", cookie.as_str())];
    assert_eq!(
        relay.request("DELETE", &path, &by_cookie, &Value::Null).status,
        403,
        "a change must say where it comes from"
    );
    let host = [("Host", "evil.example")];
    assert_eq!(relay.request("GET", "/", &host, &Value::Null).status, 400, "two hosts");
}

#[test]
fn a_server_that_runs_already_is_not_asked_for_a_relay_that_it_does_not_know() {
    let relay = Relay::start();
    let server = Server::unix(Launch::new());
    server.client().call("thread/start", json!({}));
    let home = server.process.home();
    let token = home.join("token");
    std::fs::write(&token, relay.account("home")).expect("a file");
    let words = ["remote-control", "--relay", &relay.url(), "--token-file", token.to_str().expect("a name")];
    let ended = Launch::at(home).args(&words).run();
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    assert!(ended.stderr.contains("codex-app-server upgrade"), "{}", ended.stderr);
    let settings = std::fs::read_to_string(home.join("app-server.toml")).expect("it was written");
    assert!(settings.contains(&relay.url()), "{settings}");
}
