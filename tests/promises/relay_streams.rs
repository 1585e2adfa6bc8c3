//! Phones and machines through a relay of the real binary: turns, approvals, and what happens when somebody is away.

use serde_json::{Value, json};

use crate::support::agent::{COMMAND_APPROVAL, decide, ended};
use crate::support::relay::Relay;
use crate::support::relay::phone::Phone;

fn thread(client: &mut crate::support::client::Client, params: Value) -> String {
    client.call("thread/start", params)["thread"]["id"].as_str().expect("an id").to_owned()
}

fn say(client: &mut crate::support::client::Client, thread: &str, text: &str) {
    client.call("turn/start", json!({"threadId": thread, "input": [{"type": "text", "text": text}]}));
}

#[test]
fn a_phone_without_any_account_watches_a_turn_and_approves_a_command() {
    let relay = Relay::start();
    let mut machine = relay.machine(&relay.account("home"));
    let device = relay.pair(&mut machine);
    let mut phone = Phone::open(&relay, &device).client();
    phone.initialize();
    let id = thread(&mut phone, json!({"approvalPolicy": "untrusted"}));
    say(&mut phone, &id, "run: touch approved.txt");
    let request = phone.next_notification_message(COMMAND_APPROVAL);
    assert!(request["params"]["command"].as_str().expect("a command").contains("touch approved.txt"), "{request}");
    decide(&mut phone, &request, json!("accept"));
    assert_eq!(ended(&mut phone), "completed");
    // Local clients share the thread.
    let read = machine.client.call("thread/read", json!({"threadId": id, "includeTurns": true}));
    assert!(read.to_string().contains("touch approved.txt"), "{read}");
}

#[test]
fn a_question_that_was_answered_on_the_phone_is_resolved_everywhere() {
    let relay = Relay::start();
    let mut machine = relay.machine(&relay.account("home"));
    let device = relay.pair(&mut machine);
    let mut phone = Phone::open(&relay, &device).client();
    phone.initialize();
    let id = thread(&mut phone, json!({"approvalPolicy": "untrusted"}));
    machine.client.call("thread/resume", json!({"threadId": id}));
    say(&mut phone, &id, "run: touch approved.txt");
    let request = phone.next_notification_message(COMMAND_APPROVAL);
    machine.client.next_notification_message(COMMAND_APPROVAL);
    decide(&mut phone, &request, json!("decline"));
    assert_eq!(machine.client.next_notification("serverRequest/resolved")["threadId"], json!(id));
}

#[test]
fn a_long_answer_comes_in_segments_and_a_long_message_goes_in_one_piece() {
    let relay = Relay::start();
    let mut machine = relay.machine(&relay.account("home"));
    let device = relay.pair(&mut machine);
    let mut phone = Phone::open(&relay, &device).client();
    phone.initialize();
    let id = thread(&mut phone, json!({}));
    let words = "slow: 0\n".to_owned() + &"x".repeat(400_000);
    say(&mut phone, &id, &words);
    assert_eq!(ended(&mut phone), "completed");
    let read = phone.call("thread/read", json!({"threadId": id, "includeTurns": true}));
    assert!(read.to_string().len() > 800_000);
}

#[test]
fn a_phone_that_loses_signal_comes_back_and_misses_nothing() {
    let relay = Relay::start();
    let mut machine = relay.machine(&relay.account("home"));
    let device = relay.pair(&mut machine);
    let mut phone = Phone::open(&relay, &device);
    let client = json!({"clientInfo": {"name": "phone", "version": "1"}, "capabilities": {"experimentalApi": true}});
    phone.say(&json!({"id": 1, "method": "initialize", "params": client}));
    phone.next_of("server_message");
    phone.say(&json!({"id": 2, "method": "thread/loaded/list", "params": {}}));
    // It goes before it has read or acknowledged the answer.
    let mut again = phone.again(&relay, &device);
    assert_eq!((&again.welcome["resumed"], &again.welcome["seq_id"]), (&json!(true), &json!(2)), "{}", again.welcome);
    let mut seqs = Vec::new();
    loop {
        let message = again.next_of("server_message");
        seqs.push(message["seq_id"].as_u64().expect("a number"));
        if message["message"]["id"] == 2 {
            break;
        }
    }
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "everything since the beginning, in order");
    assert_eq!(phone.closed(), Some(4001), "another socket took its place");
    // What is said again is not taken again.
    again.say_as(2, &json!({"id": 2, "method": "thread/loaded/list", "params": {}}));
    again.say_as(3, &json!({"id": 3, "method": "thread/loaded/list", "params": {}}));
    // News may come first.
    let mut answers = std::iter::repeat_with(|| again.next_of("server_message")["message"]["id"].take());
    assert_eq!(answers.find(|id| !id.is_null()), Some(json!(3)));
}

#[test]
fn the_state_of_a_machine_is_honest() {
    let relay = Relay::start();
    let mut machine = relay.machine(&relay.account("home"));
    let device = relay.pair(&mut machine);
    let mut phone = Phone::open(&relay, &device);
    let state = |relay: &Relay| {
        let answer = relay.as_device(&device, "GET", "/api/device");
        let view: Value = serde_json::from_str(&answer.body).expect("JSON");
        view["machines"][0]["machine"]["state"].clone()
    };
    crate::support::eventually("it is connected", || state(&relay) == "connected");
    machine.server.process.kill();
    loop {
        if phone.next_of("machine")["machine"]["state"] == "asleep" {
            break;
        }
    }
    assert_eq!(state(&relay), "asleep");
    phone.say(&json!({"id": 1, "method": "initialize"}));
    let refused = phone.next_of("refused");
    assert_eq!((&refused["seq_id"], &refused["code"]), (&json!(1), &json!(-32001)));
}
