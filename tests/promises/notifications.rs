//! Notifications have time stamps, and a client receives none that it opted out of (spec: local transports 7.1, 8).

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::support::transports::{over_every_shared_transport, over_every_transport};

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(now.as_millis()).expect("a clock before the year 292 million")
}

#[test]
fn a_notification_carries_the_time_beside_method_and_params() {
    over_every_transport(|server| {
        let mut client = server.client();
        let before = now_ms();
        let thread = client.call("thread/start", json!({}))["thread"].take();
        let message = client.next_notification_message("thread/started");
        let members: Vec<&String> = message.as_object().expect("an object").keys().collect();
        assert_eq!(members, ["emittedAtMs", "method", "params"]);
        let time = message["emittedAtMs"].as_i64().expect("milliseconds");
        assert!((before..=now_ms()).contains(&time), "{time} is not now");
        assert_eq!(message["params"], json!({"thread": thread}), "the notification shows what the answer showed");
    });
}

#[test]
fn a_notification_that_was_opted_out_of_is_not_sent() {
    over_every_transport(|server| {
        let mut client = server.connect();
        let unwanted = json!(["thread/name/updated", "no/such/notification", "remoteControl/status/changed"]);
        client.initialize_with(json!({"optOutNotificationMethods": unwanted}));
        let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
        client.next_notification("thread/started");
        client.call("thread/name/set", json!({"threadId": thread, "name": "quiet"}));
        client.expect_silence();
        client.call("thread/archive", json!({"threadId": thread}));
        client.next_notification("thread/archived");
    });
}

#[test]
fn an_opt_out_holds_for_one_connection_only() {
    over_every_shared_transport(|server| {
        let mut listening = server.client();
        let mut deaf = server.connect();
        deaf.initialize_with(json!({"optOutNotificationMethods": ["thread/started"]}));
        deaf.call("thread/start", json!({}));
        listening.next_notification("thread/started");
        deaf.expect_silence();
    });
}

#[test]
fn an_opt_out_names_a_method_exactly() {
    over_every_transport(|server| {
        let mut client = server.connect();
        client.initialize_with(json!({"optOutNotificationMethods": ["thread/", "thread/*", "Thread/Started", ""]}));
        client.call("thread/start", json!({}));
        client.next_notification("thread/started");
    });
}
