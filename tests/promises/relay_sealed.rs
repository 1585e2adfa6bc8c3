//! Phones and machines that speak end to end, through a relay of the real binary that is listened to.

use std::io::{BufRead as _, BufReader, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::agent::ended;
use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::relay::phone::Phone;
use crate::support::relay::sealed::{Keys, Pairing, Sealed, Sealing, bytes, claimed, connect, paired, stream};
use crate::support::relay::tap::Tap;
use crate::support::relay::{Device, Machine, Relay};

fn home(relay: &Relay) -> Machine {
    machine(relay, "relay")
}

/// Everything that goes to this relay and comes from it is listened to.
fn tapped() -> (Relay, Tap) {
    let mut relay = Relay::start();
    let tap = Tap::to(relay.address);
    relay.address = tap.address;
    (relay, tap)
}

fn machine(relay: &Relay, end_to_end: &str) -> Machine {
    let home = Home::with_config("model_provider = \"echo\"\n");
    relay.machine_with(&home, &relay.account("home"), relay.address, end_to_end)
}

fn turn(phone: &mut Client) {
    let cwd = Home::new();
    std::fs::create_dir(cwd.join("folder-of-secrets")).expect("a folder");
    let params = json!({"cwd": cwd.join("folder-of-secrets")});
    let thread = phone.call("thread/start", params)["thread"]["id"].take();
    let input = json!([{"type": "text", "text": "what nobody may read"}]);
    phone.call("turn/start", json!({"threadId": thread, "input": input}));
    assert_eq!(ended(phone), "completed");
    let read = phone.call("thread/read", json!({"threadId": thread, "includeTurns": true}));
    assert!(read.to_string().contains("You said: what nobody may read"), "{read}");
}

/// What a reader of the relay would look for.
const WORDS: [&str; 5] = ["turn/start", "what nobody may read", "folder-of-secrets", "You said", "thread/started"];

#[test]
fn whoever_reads_everything_that_passes_the_relay_reads_nothing_of_what_is_said() {
    let (relay, tap) = tapped();
    let mut machine = machine(&relay, "relay");
    let (device, keys) = paired(&relay, &mut machine, json!({}));
    turn(&mut connect(&relay, &device, &keys));
    assert!(tap.heard("\"endToEnd\":\"sealed\""), "it has heard something");
    for words in WORDS {
        assert!(!tap.heard(words), "{words} can be read");
    }
}

#[test]
fn without_end_to_end_it_reads_everything() {
    let (relay, tap) = tapped();
    let mut machine = machine(&relay, "off");
    let device = relay.pair(&mut machine);
    let mut phone = Phone::open(&relay, &device).client();
    phone.initialize();
    turn(&mut phone);
    for words in WORDS {
        assert!(tap.heard(words), "{words} was not heard");
    }
}

#[test]
fn a_phone_that_speaks_plainly_is_told_why_it_is_refused() {
    let relay = Relay::start();
    let mut machine = home(&relay);
    let (device, _) = claimed(&relay, &mut machine, json!({}));
    let mut phone = Phone::open(&relay, &device).client();
    let refused = phone.refusal("initialize", json!({"clientInfo": {"name": "phone", "version": "1"}}));
    assert!(refused.message.contains("encrypted end to end"), "{refused:?}");
}

#[test]
fn what_a_device_may_do_was_written_down_by_the_machine() {
    let relay = Relay::start();
    let mut machine = home(&relay);
    let (device, keys) = paired(&relay, &mut machine, json!({"scopes": ["observe"]}));
    let mut watcher = connect(&relay, &device, &keys);
    watcher.call("thread/loaded/list", json!({}));
    let refused = watcher.refusal("thread/start", json!({}));
    assert!(refused.message.contains("converse"), "{refused:?}");
}

/// A phone on which a code was typed, and which waits for a person at the machine.
struct Typed {
    device: Device,
    keys: Keys,
    phone: Sealed<Phone>,
    code: String,
}

impl Typed {
    fn at(relay: &Relay, machine: &mut Machine) -> Self {
        let (device, pairing) = claimed(relay, machine, json!({"manualCode": true}));
        let code = pairing["manualPairingCode"].as_str().expect("a code").to_owned();
        let keys = Keys::of(&device, &pairing);
        let phone = Phone::open(relay, &device);
        let name = stream(&phone);
        let (phone, said) = Sealed::pair(phone, &keys, &name, Pairing::Code(&code));
        assert_eq!(said, json!({"pairing": "waiting"}));
        Self { device, keys, phone, code }
    }
}

#[test]
fn a_code_that_was_typed_pairs_nobody_before_a_person_has_compared_the_words() {
    let relay = Relay::start();
    let mut machine = home(&relay);
    let Typed { device, keys, mut phone, code } = Typed::at(&relay, &mut machine);
    let status = machine.client.call("remoteControl/pairing/status", json!({"manualPairingCode": code}));
    let shown = &status["device"];
    assert_eq!((&shown["words"], &shown["state"]), (&json!(phone.words()), &json!("waiting")), "{status}");
    let confirm = |words: &str| json!({"clientId": device.client_id, "words": words, "accept": true});
    let wrong = machine.client.refusal("remoteControl/pairing/confirm", confirm("able able able able"));
    assert!(wrong.message.contains("no device with these words"), "{wrong:?}");
    machine.client.call("remoteControl/pairing/confirm", confirm(phone.words()));
    assert_eq!(phone.said(), json!({"pairing": "accepted"}));
    let mut phone = phone.client();
    phone.initialize();
    phone.call("thread/loaded/list", json!({}));
    connect(&relay, &device, &keys);
}

#[test]
fn a_device_that_a_person_refuses_gets_nothing() {
    let relay = Relay::start();
    let mut machine = home(&relay);
    let Typed { device, mut phone, code, .. } = Typed::at(&relay, &mut machine);
    let refuse = json!({"clientId": device.client_id, "words": phone.words(), "accept": false});
    machine.client.call("remoteControl/pairing/confirm", refuse);
    assert_eq!(phone.said()["reason"], "refused");
    let status = machine.client.call("remoteControl/pairing/status", json!({"manualPairingCode": code}));
    assert_eq!(status["device"]["state"], "refused");
}

#[test]
fn devices_are_known_after_a_restart_and_the_revoked_ones_are_not() {
    let relay = Relay::start();
    let home = Home::with_config("model_provider = \"echo\"\n");
    let token = relay.account("home");
    let mut machine = relay.machine_with(&home, &token, relay.address, "relay");
    let (kept, keys) = paired(&relay, &mut machine, json!({}));
    let (gone, lost) = paired(&relay, &mut machine, json!({}));
    let revoke = json!({"environmentId": gone.environment, "clientId": gone.client_id});
    machine.client.call("remoteControl/client/revoke", revoke);
    drop(machine);
    let _machine = relay.machine_with(&home, &token, relay.address, "relay");
    connect(&relay, &kept, &keys).call("thread/loaded/list", json!({}));
    let mut line = Phone::open(&relay, &kept);
    let name = stream(&line);
    // The revoked one, as a relay would bring it that has not heard of that.
    let (_, greeting) = Sealing::greeting(&Keys { own: lost.own, ..keys }, &name, None);
    line.say(&greeting);
    let told = line.next_of("server_message");
    assert_eq!(told["message"]["reason"], "unknownDevice", "{told}");
}

#[test]
fn a_device_keeps_its_key_when_it_gets_another_name_and_loses_it_when_it_is_revoked() {
    let relay = Relay::start();
    let mut machine = home(&relay);
    let (device, keys) = paired(&relay, &mut machine, json!({}));
    let path = format!("/api/machines/{}/{}", device.environment, device.client_id);
    let bearer = format!("Bearer {}", device.token);
    let name = json!({"name": "kitchen"});
    assert_eq!(relay.request("PATCH", &path, &[("Authorization", &bearer)], &name).status, 204);
    let listed = machine.client.call("remoteControl/client/list", json!({"environmentId": device.environment}));
    assert_eq!(listed["data"][0]["displayName"], "kitchen", "{listed}");
    let mut phone = connect(&relay, &device, &keys);
    phone.call("thread/loaded/list", json!({}));
    let status = Launch::at(relay.process.home()).args(&["relay", "status", "--json"]).run();
    let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
    let seen = &status["machines"][0];
    assert_eq!((&seen["machine"]["state"], &seen["devices"]), (&json!("connected"), &json!(1)), "{status}");
    let revoke = json!({"environmentId": device.environment, "clientId": device.client_id});
    machine.client.call("remoteControl/client/revoke", revoke);
    assert_eq!(phone.closed(), Some(4003));
    assert_eq!(relay.as_device(&device, "GET", "/api/device").status, 401);
}

#[test]
fn pictures_go_through_the_encryption_as_words_do() {
    let relay = Relay::start();
    let mut machine = home(&relay);
    let (device, keys) = paired(&relay, &mut machine, json!({}));
    let mut phone = connect(&relay, &device, &keys);
    let thread = phone.call("thread/start", json!({}))["thread"]["id"].take();
    // As many and as large ones as the page sends.
    let url = |fill: &str| format!("data:image/jpeg;base64,{}", fill.repeat(450_000));
    let input = ["A", "B", "C", "D"].map(|fill| json!({"type": "image", "url": url(fill)}));
    phone.call("turn/start", json!({"threadId": thread, "input": input}));
    assert_eq!(ended(&mut phone), "completed");
    let read = phone.call("thread/read", json!({"threadId": thread, "includeTurns": true}));
    let content = &read["thread"]["turns"][0]["items"][0]["content"];
    assert!(*content == json!(input), "{} bytes are not those that were sent", content.to_string().len());
}

#[test]
fn a_secret_is_good_once() {
    let relay = Relay::start();
    let mut machine = home(&relay);
    let (device, pairing) = claimed(&relay, &mut machine, json!({}));
    let keys = Keys::of(&device, &pairing);
    let secret = bytes(&pairing["endToEnd"]["secret"]);
    for expected in [json!({"pairing": "accepted"}), json!(null)] {
        let phone = Phone::open(&relay, &device);
        let name = stream(&phone);
        if expected.is_null() {
            let (_, greeting) = Sealing::greeting(&keys, &name, Some(Pairing::Secret(&secret)));
            let mut phone = phone;
            phone.say(&greeting);
            let told = phone.next_of("server_message");
            assert_eq!(told["message"]["reason"], "noPairing", "{told}");
        } else {
            assert_eq!(Sealed::pair(phone, &keys, &name, Pairing::Secret(&secret)).1, expected);
        }
    }
}

#[test]
fn at_the_command_line_a_person_is_asked_whether_the_words_are_the_same() {
    for (answer, outcome) in [("y", json!({"pairing": "accepted"})), ("n", Value::Null)] {
        let relay = Relay::start();
        let machine = home(&relay);
        let launch = Launch::at(machine.server.process.home()).args(&["remote-control", "pair", "--wait"]);
        let mut pair = launch.spawn();
        let mut lines = BufReader::new(pair.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
        let code = lines.find_map(|line| line.strip_prefix("Pairing code: ").map(str::to_owned)).expect("a code");
        let device = relay.pair_by(&code);
        let mut phone = Phone::open(&relay, &device);
        phone.say(&json!({"endToEnd": "ask"}));
        let key = phone.next_of("server_message")["message"]["key"].take();
        let machine_key = STANDARD.decode(key.as_str().expect("a key")).expect("base64");
        let keys = Keys::new(&device.environment, &device.client_id, machine_key.try_into().expect("32 bytes"));
        let name = stream(&phone);
        let (mut phone, _) = Sealed::pair(phone, &keys, &name, Pairing::Code(&code));
        let words = phone.words().to_owned();
        lines.find(|line| line.trim() == words).expect("the words");
        writeln!(pair.stdin.as_mut().expect("a pipe"), "{answer}").expect("it reads");
        let said = phone.said();
        if outcome.is_null() {
            assert_eq!(said["reason"], "refused", "{said}");
            assert_eq!(pair.exit_code(), 1);
        } else {
            assert_eq!(said, outcome);
            assert!(lines.any(|line| line.ends_with("Paired with a phone.")), "it says so");
            assert_eq!(pair.exit_code(), 0);
        }
    }
}
