//! Whatever a client sends, it learns what was wrong and can go on.

use serde_json::{Value, json};

use crate::support::transports::{over_every_transport, over_every_wire};

#[test]
fn text_that_is_not_json_is_answered_with_a_parse_error() {
    over_every_wire(|server| {
        let mut client = server.client();
        let texts = [
            "garbage",
            "Content-Length: 20",
            "{",
            r#"{"id":1,"method":"thread/list""#,
            r#"{"id":1,"method":"thread/list","params":{}}{"id":2}"#,
            r#"{"id":1,"method":"thread/\ud800list","params":{}}"#,
            "\u{feff}{}",
            "\0",
        ];
        for text in texts {
            let answer = client.exchange(text);
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(-32700)), "{text}: {answer}");
        }
        client.call("thread/loaded/list", json!({}));
    });
}

#[test]
fn json_that_is_no_single_message_is_an_invalid_request() {
    over_every_wire(|server| {
        let mut client = server.client();
        let texts = [
            "[]",
            r#"[{"id":1,"method":"thread/list","params":{}}]"#,
            "{}",
            r#"{"id":1}"#,
            "3",
            "null",
            r#""text""#,
            r#"{"id":1,"method":7,"params":{}}"#,
            r#"{"id":1,"id":2,"method":"thread/list","params":{}}"#,
        ];
        for text in texts {
            let answer = client.exchange(text);
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(-32600)), "{text}: {answer}");
        }
        client.call("thread/loaded/list", json!({}));
    });
}

#[test]
fn deep_nesting_is_survived() {
    over_every_wire(|server| {
        let mut client = server.client();
        for depth in [100, 10_000] {
            let nested = "[".repeat(depth) + &"]".repeat(depth);
            let text = format!(r#"{{"id":"deep","method":"thread/list","params":{{"unknown":{nested}}}}}"#);
            let answer = client.exchange(&text);
            assert!(depth > 100 || answer.get("error").is_none(), "120 levels are a fair request: {answer}");
        }
        client.call("thread/loaded/list", json!({}));
    });
}

#[test]
fn blank_messages_are_ignored() {
    over_every_wire(|server| {
        let mut client = server.client();
        for blank in ["", " ", "\t", "  \r"] {
            client.send_raw(blank);
        }
        client.expect_silence();
    });
}

#[test]
fn white_space_around_a_message_is_ignored() {
    over_every_transport(|server| {
        let mut client = server.client();
        let answer = client.exchange("\t {\"id\":\"w\",\"method\":\"thread/list\",\"params\":{}} \r");
        assert_eq!((&answer["id"], answer.get("error")), (&json!("w"), None));
    });
}

#[test]
fn unknown_notifications_and_stray_answers_are_ignored() {
    over_every_transport(|server| {
        let mut client = server.client();
        let texts = [
            r#"{"method":"no/such/notification","params":{"x":1}}"#,
            r#"{"method":"thread/list","params":{}}"#,
            r#"{"id":0,"result":{"decision":"accept"}}"#,
            r#"{"id":"nobody","result":null}"#,
            r#"{"id":77,"error":{"code":-1,"message":"no"}}"#,
        ];
        for text in texts {
            client.send_raw(text);
        }
        client.expect_silence();
    });
}

#[test]
fn answers_before_initialize_are_ignored() {
    over_every_wire(|server| {
        let mut client = server.connect();
        client.send_raw(r#"{"id":0,"result":{"decision":"accept"}}"#);
        client.send_raw(r#"{"id":1,"error":{"code":-1,"message":"no"}}"#);
        client.send_raw(r#"{"method":"no/such/notification"}"#);
        client.expect_silence();
        client.initialize();
    });
}
