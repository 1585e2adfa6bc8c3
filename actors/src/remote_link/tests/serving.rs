use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use actix_http::ws::{Frame, Message};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::{Instant, pause};

use super::*;

#[actix_rt::test]
async fn a_controller_is_served_like_any_client() {
    let test = Test::start(cramped(), wide()).await;
    let mut wire = test.connect().await;
    wire.initialize("c").await;
    let answer = wire.answer("c", 0).await;
    assert!(answer["result"]["userAgent"].is_string(), "{answer}");
    wire.message("c", 2, json!({"id": 1, "method": "thread/start", "params": {}})).await;
    let started = wire.taken(|envelope| envelope["message"]["method"] == "thread/started").await;
    assert!(started["message"]["emittedAtMs"].is_i64(), "{started}");
    wire.message("c", 3, json!({"id": 2, "method": "no/such"})).await;
    assert_eq!(wire.answer("c", 2).await["error"]["code"], -32601);
}

#[actix_rt::test]
async fn a_message_may_have_several_lines_and_come_with_anything_around_it() {
    let test = Test::start(cramped(), wide()).await;
    let mut wire = test.connect().await;
    wire.send_raw(Message::Binary(Bytes::from_static(b"\x00"))).await;
    wire.send_raw(Message::Text("nonsense".into())).await;
    let text = "{\"type\":\"client_message\",\"client_id\":\"c\",\"stream_id\":\"s\",\"message\":{\n\"id\":0,\r\n\"method\":\n\"no/such\"}}";
    wire.initialize("c").await;
    wire.answer("c", 0).await;
    wire.send_raw(Message::Text(text.into())).await;
    assert_eq!(wire.answer("c", 0).await["error"]["code"], -32601);
}

#[actix_rt::test]
async fn sixty_four_controllers_are_served_at_once() {
    let test = Test::start(roomy(), wide()).await;
    let mut wire = test.connect().await;
    let names: Vec<String> = (0..64).map(|number| format!("c{number}")).collect();
    for name in &names {
        wire.initialize(name).await;
    }
    const REQUESTS: u64 = 20;
    for id in 1..=REQUESTS {
        for name in &names {
            wire.message(name, id + 1, json!({"id": id, "method": "thread/loaded/list"})).await;
        }
    }
    let mut answered = HashMap::<String, BTreeSet<u64>>::new();
    for _ in 0..64 * (REQUESTS + 1) {
        let envelope = wire.any_answer().await;
        assert!(envelope["message"].get("result").is_some(), "{envelope}");
        let answered = answered.entry(envelope["client_id"].as_str().unwrap().to_owned()).or_default();
        assert!(answered.insert(envelope["message"]["id"].as_u64().unwrap()), "once: {envelope}");
    }
    assert_eq!(answered.len(), 64);
    assert!(answered.values().all(|ids| ids.len() as u64 == REQUESTS + 1));
}

#[actix_rt::test]
async fn who_acknowledges_nothing_stops_nobody_else() {
    let test = Test::start(roomy(), RemoteLinkLimits { stream_retained_envelopes: 4, ..wide() }).await;
    let mut wire = test.connect().await;
    wire.initialize("silent").await;
    wire.initialize("lively").await;
    for seq in 2..40 {
        wire.message("silent", seq, json!({"id": seq, "method": "thread/loaded/list"})).await;
    }
    let mut unacknowledged = Vec::new();
    for seq in 2..40 {
        wire.message("lively", seq, json!({"id": seq, "method": "thread/loaded/list"})).await;
        loop {
            let envelope = wire.envelope().await;
            if envelope["client_id"] == "silent" {
                unacknowledged.push(envelope);
                continue;
            }
            wire.ack(&envelope).await;
            if envelope["message"]["id"] == seq {
                break;
            }
        }
    }
    let is_silents = |envelope: &Value| envelope["client_id"] == "silent";
    while unacknowledged.len() < 4 {
        unacknowledged.push(wire.seen(is_silents).await);
    }
    assert_eq!(unacknowledged.len(), 4);
    // And it goes on where it stopped.
    wire.ack(&unacknowledged[3]).await;
    assert_eq!(wire.seen(is_silents).await["seq_id"], 5);
}

#[actix_rt::test]
async fn the_backend_is_pinged_every_ten_seconds_and_dropped_without_a_pong_for_sixty() {
    let mut test = Test::start(cramped(), RemoteLinkLimits::small()).await;
    let mut wire = test.connect().await;
    pause();
    let started = Instant::now();
    let mut pings = 0;
    while let Some(frame) = wire.frame().await {
        assert!(matches!(&frame, Frame::Ping(payload) if payload.is_empty()), "{frame:?}");
        pings += 1;
        // Other traffic does not count.
        wire.send(&json!({"type": "ack", "client_id": "c"})).await;
        if pings == 1 {
            wire.send_raw(Message::Pong(Bytes::new())).await;
        }
    }
    assert!(test.lost().await.contains("no pong"));
    assert!((6..=7).contains(&pings), "{pings}");
    assert!((Duration::from_secs(69)..Duration::from_secs(72)).contains(&started.elapsed()));
}

#[actix_rt::test]
async fn the_backends_pings_are_answered() {
    let test = Test::start(cramped(), RemoteLinkLimits::small()).await;
    let mut wire = test.connect().await;
    wire.send_raw(Message::Ping(Bytes::from_static(b"x"))).await;
    assert!(matches!(wire.frame().await, Some(Frame::Pong(payload)) if payload == "x"));
}

#[actix_rt::test]
async fn a_frame_over_the_limit_costs_the_socket_and_not_the_streams() {
    let mut test = Test::start(cramped(), RemoteLinkLimits { frame_bytes: 1000, ..RemoteLinkLimits::small() }).await;
    let mut wire = test.connect().await;
    wire.initialize("c").await;
    wire.answer("c", 0).await;
    wire.send_raw(Message::Text("x".repeat(1001).into())).await;
    wire.dropped().await;
    test.lost().await;
    let mut wire = test.connect().await;
    wire.message("c", 2, json!({"id": 1, "method": "thread/loaded/list"})).await;
    assert!(wire.answer("c", 1).await.get("result").is_some());
}

#[actix_rt::test]
async fn a_controller_that_sends_faster_than_it_is_served_is_slowed_or_refused_alone() {
    let limits = RemoteLinkLimits { stream_inbound_messages: 1, stream_pipe_bytes: 64, ..wide() };
    let test = Test::start(Limits { connection_in_flight_requests: 1, ..roomy() }, limits).await;
    let mut wire = test.connect().await;
    wire.initialize("flood").await;
    wire.answer("flood", 0).await;
    wire.initialize("polite").await;
    wire.answer("polite", 0).await;
    for seq in 2..100 {
        wire.message("flood", seq, json!({"id": seq, "method": "thread/loaded/list"})).await;
    }
    wire.message("polite", 2, json!({"id": 1, "method": "thread/loaded/list"})).await;
    let (mut answered, mut refused, mut polite) = (BTreeSet::new(), 0, false);
    while answered.len() < 98 || !polite {
        let envelope = wire.any_answer().await;
        if envelope["client_id"] == "polite" {
            assert!(envelope["message"].get("result").is_some());
            polite = true;
            continue;
        }
        assert!(answered.insert(envelope["message"]["id"].as_u64().unwrap()), "once: {envelope}");
        refused += usize::from(envelope["message"]["error"]["code"] == -32001);
    }
    assert!(refused > 0, "a queue of one cannot hold them");
}
