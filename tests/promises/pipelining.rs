//! Many requests at once, and large ones, are each answered exactly once (law 2).

use std::collections::HashSet;

use serde_json::json;

use crate::support::transports::{over_every_transport, over_every_wire};

#[test]
fn a_thousand_pipelined_requests_are_each_answered_once() {
    over_every_wire(|server| {
        let mut client = server.client();
        let mut waiting: HashSet<i64> =
            (0..1_000).map(|_| client.send_request("thread/loaded/list", json!({}))).collect();
        while !waiting.is_empty() {
            let answer = client.next_answer();
            assert!(answer.get("error").is_none(), "{answer}");
            let id = answer["id"].as_i64().expect("our ids are numbers");
            assert!(waiting.remove(&id), "{id} was answered twice");
        }
        client.expect_silence();
    });
}

#[test]
fn requests_and_garbage_in_one_stream_are_all_answered() {
    over_every_wire(|server| {
        let mut client = server.client();
        // Fewer malformed messages than a connection may send.
        for _ in 0..50 {
            client.send_raw(r#"{"id":"good","method":"thread/loaded/list","params":{}}"#);
            client.send_raw("garbage");
            client.send_raw(r#"{"id":"unknown","method":"no/such/method","params":{}}"#);
        }
        let answers: Vec<_> = (0..150).map(|_| client.next_answer()).collect();
        let count = |id: serde_json::Value| answers.iter().filter(|answer| answer["id"] == id).count();
        assert_eq!([count(json!("good")), count(json!(null)), count(json!("unknown"))], [50, 50, 50]);
        client.expect_silence();
    });
}

#[test]
fn one_thread_sees_its_requests_in_their_order() {
    over_every_transport(|server| {
        let mut client = server.client();
        let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
        for n in 0..50 {
            client.send_request("thread/name/set", json!({"threadId": thread, "name": format!("name {n}")}));
        }
        let last = client.call("thread/read", json!({"threadId": thread}));
        assert_eq!(last["thread"]["name"], "name 49");
        for n in 0..50 {
            assert_eq!(client.next_notification("thread/name/updated")["threadName"], format!("name {n}"));
        }
    });
}

#[test]
fn a_string_of_a_mebibyte_arrives_whole() {
    over_every_transport(|server| {
        let mut client = server.client();
        let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
        let name = "ä\"\\\u{1f980}x".repeat(1024 * 1024 / 9);
        client.call("thread/name/set", json!({"threadId": thread, "name": name}));
        assert!(client.next_notification("thread/name/updated")["threadName"] == name);
        assert!(client.call("thread/read", json!({"threadId": thread}))["thread"]["name"] == name);
    });
}
