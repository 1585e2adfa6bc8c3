//! Phones that are away are told that a machine waits for a person, by a push without any content.

use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::support::agent::{COMMAND_APPROVAL, decide, ended};
use crate::support::client::Client;
use crate::support::eventually;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::relay::phone::Phone;
use crate::support::relay::push_service::PushService;
use crate::support::relay::sealed::{connect, paired};
use crate::support::relay::tap::Tap;
use crate::support::relay::{Device, Machine, Relay};

struct Scene {
    service: PushService,
    relay: Relay,
    machine: Machine,
}

/// A relay with a key, that may tell a service on loopback.
fn scene(settings: &[(&str, &str)]) -> Scene {
    let home = Home::new();
    let made = Launch::at(&home).args(&["relay", "push-keys"]).run();
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let (service, certificate) = PushService::start(&home);
    let launch = Launch::at(&home).env("SSL_CERT_FILE", &certificate).setting("relay.push_anywhere", true);
    let launch = settings.iter().fold(launch, |launch, (name, value)| launch.setting(name, value));
    let relay = Relay::start_by(launch, "http://127.0.0.1:0");
    let machine = relay.machine(&relay.account("home"));
    Scene { service, relay, machine }
}

fn subscribe(relay: &Relay, device: &Device, endpoint: &str) -> u16 {
    let bearer = format!("Bearer {}", device.token);
    relay.request("PUT", "/api/push", &[("Authorization", &bearer)], &json!({"endpoint": endpoint})).status
}

fn push(relay: &Relay, device: &Device) -> Value {
    let view: Value = serde_json::from_str(&relay.as_device(device, "GET", "/api/device").body).expect("JSON");
    view["push"].clone()
}

/// A command on the machine waits for an approval.
fn ask(client: &mut Client) -> Value {
    let thread = client.call("thread/start", json!({"approvalPolicy": "untrusted"}))["thread"]["id"].clone();
    let input = json!([{"type": "text", "text": "run: touch approved.txt"}]);
    client.call("turn/start", json!({"threadId": thread, "input": input}));
    client.next_notification_message(COMMAND_APPROVAL)
}

#[test]
fn a_phone_that_is_away_is_told_without_a_word_of_what_and_one_that_is_here_is_not() {
    let Scene { service, relay, mut machine } = scene(&[("relay.push_contact", "\"mailto:me@example.com\"")]);
    let [away, here] = [relay.pair(&mut machine), relay.pair(&mut machine)];
    assert_eq!(subscribe(&relay, &away, &service.endpoint("away")), 204);
    assert_eq!(subscribe(&relay, &here, &service.endpoint("here")), 204);
    assert_eq!(push(&relay, &away)["on"], true);
    let _phone = Phone::open(&relay, &here);
    let request = ask(&mut machine.client);
    let told = service.next();
    assert_eq!((told.path.as_str(), told.header("content-length")), ("/away", "0"));
    assert_eq!(told.header("ttl"), "3600");
    for (name, _) in &told.headers {
        let known = ["host", "connection", "authorization", "ttl", "urgency", "content-length"];
        assert!(known.contains(&name.as_str()), "{name}");
    }
    let (token, key) =
        told.header("authorization").strip_prefix("vapid t=").and_then(|it| it.split_once(", k=")).expect("VAPID");
    assert_eq!(push(&relay, &away)["key"], json!(key));
    let (signed, signature) = token.rsplit_once('.').expect("a JWT");
    let decoded = |text| URL_SAFE_NO_PAD.decode(text).expect("base64");
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, decoded(key));
    public.verify(signed.as_bytes(), &decoded(signature)).expect("it is signed by the key");
    let claims: Value = serde_json::from_slice(&decoded(signed.split_once('.').expect("claims").1)).expect("JSON");
    assert_eq!(claims["aud"], json!(format!("https://{}", service.address)));
    assert_eq!(claims["sub"], "mailto:me@example.com");
    // The turn ends at once: that is too soon for another push.
    decide(&mut machine.client, &request, json!("accept"));
    assert_eq!(ended(&mut machine.client), "completed");
    assert_eq!(push(&relay, &away)["on"], true);
    assert!(service.rest().is_empty());
}

#[test]
fn a_machine_whose_phones_encrypt_end_to_end_tells_the_relay_no_more_than_that_it_waits() {
    let Scene { service, mut relay, machine: plain } = scene(&[("relay.push_pause_seconds", "0")]);
    drop(plain);
    let tap = Tap::to(relay.address);
    relay.address = tap.address;
    let home = Home::with_config("model_provider = \"echo\"\n");
    let mut machine = relay.machine_with(&home, &relay.account("sealed"), tap.address, "relay");
    let (away, _) = paired(&relay, &mut machine, json!({}));
    let (here, keys) = paired(&relay, &mut machine, json!({}));
    assert_eq!(subscribe(&relay, &away, &service.endpoint("away")), 204);
    let mut phone = connect(&relay, &here, &keys);
    let request = ask(&mut phone);
    let told = service.next();
    assert_eq!((told.path.as_str(), told.header("content-length")), ("/away", "0"));
    decide(&mut phone, &request, json!("decline"));
    ended(&mut phone);
    assert_eq!(service.next().path, "/away");
    assert!(tap.heard("\"endToEnd\":\"sealed\""), "it has heard something");
    for words in ["approved.txt", "turn/start", "thread/status/changed", COMMAND_APPROVAL] {
        assert!(!tap.heard(words), "{words} can be read");
    }
}

#[test]
fn a_question_and_the_end_of_a_turn_are_told() {
    let Scene { service, relay, mut machine } = scene(&[("relay.push_pause_seconds", "0")]);
    let away = relay.pair(&mut machine);
    subscribe(&relay, &away, &service.endpoint("away"));
    let request = ask(&mut machine.client);
    service.next();
    decide(&mut machine.client, &request, json!("decline"));
    ended(&mut machine.client);
    service.next();
    let bearer = format!("Bearer {}", away.token);
    let off = relay.request("DELETE", "/api/push", &[("Authorization", &bearer)], &Value::Null);
    assert_eq!((off.status, &push(&relay, &away)["on"]), (204, &json!(false)));
}

#[test]
fn a_subscription_that_has_ended_is_forgotten_and_a_redirect_leads_nowhere() {
    let Scene { service, relay, mut machine } = scene(&[("relay.push_pause_seconds", "0")]);
    let away = relay.pair(&mut machine);
    subscribe(&relay, &away, &service.endpoint("away"));
    service.answer(Some("307 Temporary Redirect\r\nLocation: /elsewhere"));
    let request = ask(&mut machine.client);
    assert_eq!(service.next().path, "/away");
    service.answer(Some("410 Gone"));
    decide(&mut machine.client, &request, json!("decline"));
    ended(&mut machine.client);
    assert_eq!(service.next().path, "/away");
    eventually("it is forgotten", || push(&relay, &away)["on"] == false);
    assert!(service.rest().is_empty());
}

#[test]
fn a_service_that_never_answers_delays_nobody_for_long() {
    let settings = [("relay.push_pause_seconds", "0"), ("relay.push_at_once", "1"), ("relay.push_seconds", "1")];
    let Scene { service, relay, mut machine } = scene(&settings);
    let devices = [relay.pair(&mut machine), relay.pair(&mut machine)];
    for device in &devices {
        subscribe(&relay, device, &service.endpoint(&device.client_id));
    }
    service.answer(None);
    ask(&mut machine.client);
    let told = [service.next().path, service.next().path];
    for device in &devices {
        assert!(told.contains(&format!("/{}", device.client_id)), "{told:?}");
    }
    let mut phone = Phone::open(&relay, &devices[0]).client();
    phone.initialize();
}

#[test]
fn a_phone_cannot_have_the_relay_knock_at_any_door() {
    let home = Home::new();
    for _ in 0..2 {
        let made = Launch::at(&home).args(&["relay", "push-keys"]).run();
        assert!(made.stdout.contains("Public key: "), "{}", made.stderr);
    }
    let mode = std::fs::metadata(home.join("relay/push-key.pem")).expect("a key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let relay = Relay::start_in(&home, "http://127.0.0.1:0", &[]);
    let mut machine = relay.machine(&relay.account("home"));
    let device = relay.pair(&mut machine);
    for wrong in [
        "https://127.0.0.1:1/x",
        "https://[::ffff:192.168.0.1]/x",
        "https://localhost/x",
        "http://push.example.com/x",
        "file:///etc/passwd",
        "nonsense",
    ] {
        assert_eq!(subscribe(&relay, &device, wrong), 400, "{wrong}");
    }
    assert_eq!(subscribe(&relay, &device, &format!("https://push.example.com/{}", "x".repeat(3000))), 400);
    assert_eq!(subscribe(&relay, &device, "https://push.example.com/x"), 204);
    let stranger = Device { token: "wrong".to_owned(), ..device };
    assert_eq!(subscribe(&relay, &stranger, "https://push.example.com/x"), 401);
}

#[test]
fn a_relay_without_a_key_tells_nobody() {
    let relay = Relay::start();
    let mut machine = relay.machine(&relay.account("home"));
    let device = relay.pair(&mut machine);
    assert_eq!(push(&relay, &device), json!({"key": null, "on": false}));
    assert_eq!(subscribe(&relay, &device, "https://push.example.com/x"), 404);
}
