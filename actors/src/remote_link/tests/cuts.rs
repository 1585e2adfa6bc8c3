use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::backend::header;
use super::*;
use crate::limits::Seconds;

#[actix_rt::test]
async fn a_lost_socket_is_told_once_and_the_next_one_goes_on_where_it_stopped() {
    let mut test = Test::start(cramped(), RemoteLinkLimits::small()).await;
    let mut wire = test.connect().await;
    assert_eq!(header(&wire.head, "x-codex-subscribe-cursor"), None);
    wire.initialize("c").await;
    let first = wire.envelope().await;
    wire.half().await;
    drop(wire);
    test.lost().await;
    let mut wire = test.connect().await;
    assert_eq!(header(&wire.head, "x-codex-subscribe-cursor"), Some("c-1"));
    assert_eq!(wire.envelope().await, first, "it was not acknowledged");
    wire.ack(&first).await;
    wire.message("c", 2, json!({"id": 1, "method": "thread/loaded/list"})).await;
    assert!(wire.answer("c", 1).await.get("result").is_some());
    assert!(test.lost.try_recv().is_err());
}

#[actix_rt::test]
async fn what_is_hung_up_is_not_lost_and_its_streams_live_on() {
    let mut test = Test::start(cramped(), RemoteLinkLimits::small()).await;
    let mut wire = test.connect().await;
    wire.initialize("c").await;
    wire.answer("c", 0).await;
    wire.message("c", 2, json!({"id": 1, "method": "thread/loaded/list"})).await;
    let answered = |envelope: &Value| envelope["message"]["id"] == 1 && envelope["message"].get("result").is_some();
    wire.seen(answered).await;
    test.link.send(HangUp).await.unwrap();
    wire.dropped().await;
    let mut wire = test.connect().await;
    // It was not acknowledged.
    wire.seen(answered).await;
    wire.message("c", 3, json!({"id": 2, "method": "thread/loaded/list"})).await;
    wire.taken(|envelope| envelope["message"]["id"] == 2).await;
    assert!(test.lost.try_recv().is_err());
}

#[actix_rt::test]
async fn the_end_of_the_login_ends_the_streams_and_forgets_the_cursor() {
    let mut test = Test::start(cramped(), RemoteLinkLimits::small()).await;
    let mut wire = test.connect().await;
    wire.initialize("c").await;
    wire.envelope().await;
    test.link.send(EndSession).await.unwrap();
    wire.dropped().await;
    let mut wire = test.connect().await;
    assert_eq!(header(&wire.head, "x-codex-subscribe-cursor"), None);
    wire.send(&json!({"type": "ping", "client_id": "c", "stream_id": "s"})).await;
    let pong = wire.envelope().await;
    assert_eq!((&pong["status"], &pong["seq_id"]), (&json!("unknown"), &json!(1)));
    assert!(test.lost.try_recv().is_err());
}

#[actix_rt::test]
async fn initialize_again_on_a_live_stream_is_answered() {
    let test = Test::start(roomy(), wide()).await;
    let mut wire = test.connect().await;
    for _ in 0..5 {
        wire.initialize("c").await;
        assert!(wire.answer("c", 0).await.get("result").is_some());
    }
}

/// So many requests are asked while the link is cut so often.
async fn cut_while_asking(requests: u64, cuts: u64) {
    let mut test = Test::start(roomy(), wide()).await;
    let mut wire = test.connect().await;
    wire.initialize("c").await;
    wire.answer("c", 0).await;
    let (mut asked, mut cut) = (0, 0);
    // By number, as a controller tells what it has seen before.
    let mut seen = BTreeMap::<u64, Value>::new();
    let mut answered = 0;
    while answered < requests {
        // No more than the stream takes at once.
        while asked < requests && asked < answered + 100 {
            asked += 1;
            wire.message("c", asked + 1, json!({"id": asked, "method": "thread/loaded/list"})).await;
        }
        let envelope = wire.envelope().await;
        let seq = envelope["seq_id"].as_u64().unwrap();
        let id = envelope["message"]["id"].clone();
        match seen.insert(seq, id.clone()) {
            Some(known) => assert_eq!(known, id, "what comes again is the same"),
            None => answered += u64::from(id.is_u64()),
        }
        // Every tenth acknowledgement stays away, so that there is something to send again.
        if !seq.is_multiple_of(10) {
            wire.ack(&envelope).await;
        }
        if answered > (cut + 1) * requests / (cuts + 1) {
            cut += 1;
            drop(wire);
            test.lost().await;
            wire = test.connect().await;
            // What was on its way when the link was cut comes again, as the backend sees by the cursor.
            let cursor = header(&wire.head, "x-codex-subscribe-cursor").unwrap();
            asked = cursor.strip_prefix("c-").unwrap().parse::<u64>().unwrap() - 1;
        }
    }
    assert_eq!(cut, cuts);
    let last = *seen.keys().next_back().unwrap();
    assert!(seen.keys().copied().eq(*seen.keys().next().unwrap()..=last), "no number is left out");
    // Not by number: the server answers what it was asked together in the order in which it is done.
    let mut ids: Vec<u64> = seen.values().filter_map(Value::as_u64).collect();
    ids.sort_unstable();
    assert!(ids.iter().copied().eq(1..=requests), "each once: {ids:?}");
}

/// `REMOTE_LINK_MESSAGES` asks for another number.
#[actix_rt::test]
async fn a_link_that_is_cut_a_hundred_times_loses_no_message_and_doubles_none() {
    let messages = std::env::var("REMOTE_LINK_MESSAGES").ok().and_then(|number| number.parse().ok());
    cut_while_asking(messages.unwrap_or(10_000), 100).await;
}

#[actix_rt::test]
async fn a_stream_lives_through_a_backend_that_is_away_for_longer_than_a_client_may_stand_still() {
    let limits = RemoteLinkLimits { stream_retained_envelopes: 4, stream_pipe_bytes: 64, ..wide() };
    let mut test = Test::start(Limits { outbound_stall_seconds: Seconds(1), ..roomy() }, limits).await;
    let mut wire = test.connect().await;
    wire.initialize("c").await;
    wire.answer("c", 0).await;
    // More than the link keeps, so that the rest stands still in the connection.
    ask_thirty(&mut wire).await;
    wire.envelope().await;
    drop(wire);
    test.lost().await;
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(60)).await;
    tokio::time::resume();
    let mut wire = test.connect().await;
    // What was on its way is gone with the socket; what the link has seen it does not take again.
    ask_thirty(&mut wire).await;
    for id in 2..=31 {
        assert!(wire.answer("c", id).await.get("result").is_some());
    }
}

/// The requests 2 to 31.
async fn ask_thirty(wire: &mut Wire) {
    for seq in 2..=31 {
        wire.message("c", seq, json!({"id": seq, "method": "thread/loaded/list"})).await;
    }
}
