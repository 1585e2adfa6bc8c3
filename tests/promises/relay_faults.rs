//! Cut cables, a relay that is started again, and phones that flood, stall or talk nonsense.

use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::home::Home;
use crate::support::relay::cable::Cable;
use crate::support::relay::phone::Phone;
use crate::support::relay::{Device, Machine, Relay};

fn echo_home() -> Home {
    Home::with_config("model_provider = \"echo\"\n")
}

fn initialize() -> Value {
    let client = json!({"clientInfo": {"name": "phone", "version": "1"}, "capabilities": {"experimentalApi": true}});
    json!({"id": 1, "method": "initialize", "params": client})
}

fn loaded(id: u64) -> Value {
    json!({"id": id, "method": "thread/loaded/list", "params": {}})
}

fn connected(relay: &Relay, device: &Device) -> bool {
    let view: Value = serde_json::from_str(&relay.as_device(device, "GET", "/api/device").body).expect("JSON");
    view["machines"][0]["machine"]["state"] == "connected"
}

#[test]
fn each_request_is_answered_once_whatever_is_cut() {
    let relay = Relay::start();
    let cable = Cable::to(relay.address);
    let mut machine = relay.machine_at(&echo_home(), &relay.account("home"), cable.address);
    let device = relay.pair(&mut machine);
    let mut phone = Phone::open(&relay, &device);
    phone.say(&initialize());
    phone.next_of("server_message");
    let mut answered = Vec::new();
    let mut heard = 0;
    for round in 0..6_u64 {
        let seq = round + 2;
        phone.say_as(seq, &loaded(100 + round));
        // Alternately the machine's cable and the phone's socket.
        if round % 2 == 0 {
            cable.cut();
            eventually("the machine is back", || connected(&relay, &device));
        } else {
            phone = phone.again(&relay, &device);
            assert_eq!(phone.welcome["resumed"], true);
        }
        // What was refused meanwhile is said again; what was taken is not taken twice.
        phone.say_as(seq, &loaded(100 + round));
        loop {
            let Ok(message) = phone.next() else { panic!("the stream ended") };
            if message["type"] == "refused" {
                phone.say_as(seq, &loaded(100 + round));
            }
            let Some(number) = message["seq_id"].as_u64().filter(|_| message["type"] == "server_message") else {
                continue;
            };
            if number > heard {
                heard = number;
                answered.extend(message["message"]["id"].as_u64());
            }
            phone.acknowledge(number);
            if message["message"]["id"] == 100 + round {
                break;
            }
        }
    }
    assert_eq!(answered, (100..106).collect::<Vec<_>>());
}

#[test]
fn a_relay_that_is_started_again_knows_its_machines_and_devices() {
    let home = Home::new();
    let (address, token, device, mut machine) = {
        let relay = Relay::start_in(&home, "http://127.0.0.1:0", &[]);
        let token = relay.account("home");
        let mut machine = relay.machine_at(&echo_home(), &token, relay.address);
        let device = relay.pair(&mut machine);
        (relay.address, token, device, machine)
    };
    let relay = Relay::start_in(&home, &format!("http://{address}"), &[]);
    eventually("the machine is back", || connected(&relay, &device));
    let mut phone = Phone::open(&relay, &device).client();
    phone.initialize();
    let listed = machine.client.call("remoteControl/client/list", json!({"environmentId": device.environment}));
    assert_eq!(listed["data"][0]["clientId"], json!(device.client_id));
    assert!(!relay.token(&["list"]).contains(&token));
}

#[test]
fn a_machine_that_starts_anew_ends_the_streams_that_it_has_lost() {
    let relay = Relay::start();
    let (home, token) = (echo_home(), relay.account("home"));
    let mut machine = relay.machine_at(&home, &token, relay.address);
    let device = relay.pair(&mut machine);
    let mut phone = Phone::open(&relay, &device);
    phone.say(&initialize());
    phone.next_of("server_message");
    machine.server.process.kill();
    drop(machine);
    let _machine: Machine = relay.machine_at(&home, &token, relay.address);
    assert_eq!(phone.closed(), Some(4000), "nothing is lost in silence");
    let mut again = phone.again(&relay, &device);
    assert_eq!(again.welcome["resumed"], false);
    again.say(&initialize());
    again.next_of("server_message");
}

#[test]
fn a_phone_that_acknowledges_nothing_costs_the_others_nothing() {
    let relay = Relay::start();
    let mut machine = relay.machine(&relay.account("home"));
    let [slow, good] = [relay.pair(&mut machine), relay.pair(&mut machine)];
    let mut stalled = Phone::open(&relay, &slow);
    stalled.say(&initialize());
    for id in 2..1000 {
        stalled.say(&loaded(id));
    }
    let mut phone = Phone::open(&relay, &good).client();
    phone.initialize();
    for _ in 0..50 {
        phone.call("thread/loaded/list", json!({}));
    }
}

#[test]
fn what_is_no_envelope_ends_only_the_phone_that_sends_it() {
    let relay = Relay::start();
    let mut machine = relay.machine(&relay.account("home"));
    let device = relay.pair(&mut machine);
    let mut good = Phone::open(&relay, &device).client();
    good.initialize();
    for wrong in [
        "nonsense",
        "{}",
        r#"{"type":"client_message","client_id":"","message":{}}"#,
        r#"{"type":"news","client_id":""}"#,
    ] {
        let mut phone = Phone::open(&relay, &device);
        phone.send_text(wrong);
        assert_eq!(phone.closed(), Some(1008), "{wrong}");
    }
    let mut phone = Phone::open(&relay, &device);
    phone.send_text(&"x".repeat(2 * 1024 * 1024));
    assert_eq!(phone.closed(), Some(1009));
    good.call("thread/loaded/list", json!({}));
}

#[test]
fn wrong_tokens_and_wrong_ways_are_refused_with_a_reason() {
    let relay = Relay::start();
    let base = "/wham/remote/control/server";
    let body = json!({"name": "n", "os": "linux", "arch": "x", "app_server_version": "1", "installation_id": "i"});
    let wrong = [("Authorization", "Bearer wrong"), ("chatgpt-account-id", "acc")];
    assert_eq!(relay.request("POST", &format!("{base}/enroll"), &wrong, &body).status, 401);
    assert_eq!(relay.request("POST", &format!("{base}/enroll"), &[], &body).status, 401);
    assert_eq!(relay.request("POST", &format!("{base}/pair"), &wrong, &json!({"manual_code": true})).status, 401);
    assert_eq!(relay.request("POST", &format!("{base}/enroll"), &wrong, &json!({"name": 1})).status, 400);
    assert_eq!(relay.request("GET", "/api/device", &[], &Value::Null).status, 401);
    assert_eq!(relay.request("GET", "/api/device?token=x", &[], &Value::Null).status, 401);
    assert_eq!(relay.request("GET", "/nowhere", &[], &Value::Null).status, 404);
    let answer = relay.request("GET", "/", &[], &Value::Null);
    assert_eq!(answer.status, 200);
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
}
