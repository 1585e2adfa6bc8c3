//! The end of the server while remote streams are served.

use std::time::Duration;

use serde_json::json;

use super::*;

/// The actors' part of the shutdown.
async fn end(test: &Test) {
    test.hub.drain().await;
    test.hub.close_connections(SOON).await;
    test.link.send(SendRest).await.unwrap();
    test.link.send(HangUp).await.unwrap();
}

#[actix_rt::test]
async fn what_was_said_before_the_end_is_sent_before_the_socket_drops() {
    let test = Test::start(roomy(), RemoteLinkLimits { stream_pipe_bytes: 16, ..wide() }).await;
    let mut wire = test.connect().await;
    wire.initialize("c").await;
    wire.answer("c", 0).await;
    wire.message("c", 2, json!({"id": 1, "method": "thread/start", "params": {}})).await;
    let thread = wire.answer("c", 1).await["result"]["thread"]["id"].take();
    let params = json!({"threadId": thread, "name": "n".repeat(100_000)});
    wire.message("c", 3, json!({"id": 2, "method": "thread/name/set", "params": params})).await;
    wire.answer("c", 2).await;
    // Said together with the answer; its many bytes are still on their way through a pipe of sixteen.
    timeout(SOON, end(&test)).await.expect("it ends");
    let mut told = false;
    while let Some(envelope) = wire.envelope_or_end().await {
        told |= envelope["message"]["method"] == "thread/name/updated";
    }
    assert!(told);
}

#[actix_rt::test]
async fn a_stream_that_rests_holds_up_the_end_no_longer_than_its_time() {
    let limits = RemoteLinkLimits { stream_retained_envelopes: 2, ..wide() };
    let test = Test::start(roomy(), limits).await;
    let mut wire = test.connect().await;
    wire.initialize("c").await;
    for seq in 2..=31 {
        wire.message("c", seq, json!({"id": seq, "method": "thread/loaded/list"})).await;
    }
    for _ in 0..2 {
        wire.envelope().await;
    }
    let ended = timeout(Duration::from_millis(200), end(&test)).await;
    assert!(ended.is_err(), "somebody is still to be told something");
    drop(wire);
    timeout(SOON, test.link.send(SendRest)).await.expect("without a socket there is no way to").unwrap();
}

#[actix_rt::test]
async fn no_stream_begins_when_the_server_ends() {
    let test = Test::start(roomy(), wide()).await;
    let mut wire = test.connect().await;
    test.link.send(SendRest).await.unwrap();
    wire.initialize("c").await;
    assert_eq!(wire.answer("c", 0).await["error"]["code"], -32001);
}
