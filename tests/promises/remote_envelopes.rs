//! Envelopes between backend and host: segments, duplicates, and invalid ones (spec: remote control 6 and 8).

use serde_json::json;

use crate::support::remote;

#[test]
fn requests_and_answers_may_come_in_chunks() {
    let (_server, backend) = remote::shared();
    let mut phone = backend.controller();
    phone.set_chunk_bytes(10);
    phone.initialize();
    let thread = phone.call("thread/start", json!({}))["thread"]["id"].take();
    phone.set_chunk_bytes(100_000);
    let name = "ä\"\\\u{1f980}x".repeat(100_000);
    phone.call("thread/name/set", json!({"threadId": thread, "name": name}));
    assert!(phone.call("thread/read", json!({"threadId": thread}))["thread"]["name"] == name);
    assert!(phone.chunks() >= 18, "twice a megabyte in {} chunks", phone.chunks());
}

#[test]
fn a_message_whose_chunks_do_not_fit_is_dropped_and_may_be_sent_again() {
    let (_server, backend) = remote::shared();
    let mut phone = backend.controller();
    phone.initialize();
    let text = json!({"id": "chunked", "method": "thread/loaded/list", "params": {}}).to_string();
    let seq_id = phone.next_seq_id();
    let chunks = phone.sender().chunks(seq_id, &text, 10);
    // One is missing; then one has another size; then all is well.
    for chunk in chunks.iter().enumerate().filter(|(at, _)| *at != 1).map(|(_, chunk)| chunk) {
        phone.send_envelope(chunk.clone());
    }
    let mut wrong = chunks.clone();
    wrong[2].message_size_bytes = Some(1);
    wrong.into_iter().for_each(|chunk| phone.send_envelope(chunk));
    chunks.into_iter().for_each(|chunk| phone.send_envelope(chunk));
    assert_eq!(phone.next_answer()["id"], "chunked");
    phone.expect_silence();
}

#[test]
fn an_envelope_that_comes_twice_counts_once() {
    let (_server, backend) = remote::shared();
    let mut phone = backend.controller();
    phone.initialize();
    let message = json!({"id": "twin", "method": "thread/loaded/list", "params": {}});
    let envelope = phone.sender().message(phone.next_seq_id(), &message);
    phone.send_envelope(envelope.clone());
    phone.send_envelope(envelope);
    assert_eq!(phone.next_answer()["id"], "twin");
    phone.expect_silence();
}

#[test]
fn what_is_no_envelope_is_ignored_and_the_link_stays() {
    let (_server, backend) = remote::shared();
    let mut phone = backend.controller();
    phone.initialize();
    let texts = [
        "garbage",
        "[]",
        "{}",
        r#"{"type":"client_message"}"#,
        r#"{"type":"no_such_type","client_id":"x","stream_id":"y"}"#,
        r#"{"type":"client_message","client_id":"x","stream_id":"y","seq_id":"one","message":{}}"#,
        r#"{"type":"client_message","client_id":"x","stream_id":"","seq_id":1,"message":{"id":1,"method":"initialize"}}"#,
        r#"{"type":"client_message","client_id":"x","stream_id":"y","seq_id":1,"message":3}"#,
        r#"{"type":"ack","client_id":"x"}"#,
        r#"{"type":"client_closed","client_id":"nobody","stream_id":"nothing"}"#,
    ];
    for text in texts {
        backend.send_text(text);
    }
    // An empty binary frame.
    backend.send_bytes(&[0x82, 0]);
    phone.expect_silence();
    assert_eq!(backend.connections(), 1);
}

#[test]
fn a_controller_without_a_stream_id_gets_one() {
    let (_server, backend) = remote::shared();
    let mut old = backend.controller_of("old-phone", None);
    old.initialize();
    old.call("thread/loaded/list", json!({}));
    assert_eq!(old.ping(), "active");
    let mut new = backend.controller_of("old-phone", Some("named"));
    new.initialize();
    old.close();
    assert_eq!(old.ping(), "unknown");
    new.call("thread/loaded/list", json!({}));
}
