//! A request id is a string or a signed 64-bit integer, and is returned as it was sent (spec: local transports 7.1).

use serde_json::{Value, json};

use crate::support::transports::{over_every_shared_transport, over_every_transport, over_every_wire};

#[test]
fn every_usable_id_is_echoed_in_its_own_type() {
    over_every_transport(|server| {
        let mut client = server.client();
        let ids = [
            json!("startup-thread-start-1"),
            json!(""),
            json!("7"),
            json!("id with \"quotes\", \\ and \u{1f980}"),
            json!(7),
            json!(0),
            json!(-1),
            json!(i64::MAX),
            json!(i64::MIN),
        ];
        for id in ids {
            let answer = client.exchange(&json!({"id": id, "method": "thread/loaded/list", "params": {}}).to_string());
            assert_eq!((&answer["id"], answer.get("error")), (&id, None), "{answer}");
        }
    });
}

#[test]
fn an_unusable_id_is_refused_with_a_null_id() {
    over_every_wire(|server| {
        let mut client = server.client();
        for id in ["null", "1.5", "1.0", "1e3", "true", "{}", "[]", "9223372036854775808", "-9223372036854775809"] {
            let answer = client.exchange(&format!(r#"{{"id":{id},"method":"thread/loaded/list","params":{{}}}}"#));
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(-32600)), "{id}: {answer}");
        }
        client.call("thread/loaded/list", json!({}));
    });
}

#[test]
fn two_requests_with_the_same_id_are_both_answered() {
    over_every_transport(|server| {
        let mut client = server.client();
        let request = r#"{"id":"twin","method":"thread/loaded/list","params":{}}"#;
        client.send_raw(request);
        client.send_raw(request);
        for _ in 0..2 {
            assert_eq!(client.next_answer()["id"], "twin");
        }
        client.expect_silence();
    });
}

#[test]
fn the_same_id_on_two_connections_belongs_to_two_requests() {
    over_every_shared_transport(|server| {
        let mut clients = [server.client(), server.client()];
        for (client, ephemeral) in clients.iter_mut().zip([true, false]) {
            let request = json!({"id": "mine", "method": "thread/start", "params": {"ephemeral": ephemeral}});
            client.send_raw(&request.to_string());
        }
        for (client, ephemeral) in clients.iter_mut().zip([true, false]) {
            let answer = client.next_answer();
            assert_eq!(answer["id"], "mine");
            assert_eq!(answer["result"]["thread"]["ephemeral"], ephemeral);
        }
    });
}
