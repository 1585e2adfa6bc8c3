//! An error is about a value of any length, and quotes a part of it.

use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::transports::{over_every_transport, over_every_wire};

/// Room for the longest text of ours and a part of a value, each escaped.
const MOST: usize = 16 * 1024;

/// A long value that is longer still where its characters are escaped.
fn long() -> String {
    "\u{7f}ä".repeat(100_000)
}

fn short_error(answer: &Value, about: &str) {
    let code = answer["error"]["code"].as_i64();
    let text = answer.to_string();
    let shown: String = text.chars().take(300).collect();
    assert!(code.is_some(), "{about}: {shown}");
    assert!(text.len() < MOST, "{about}: {} bytes: {shown}", text.len());
}

#[test]
fn a_long_value_is_quoted_in_part() {
    over_every_transport(|server| {
        let mut client = server.client();
        let long = long();
        let rooted = format!("/{long}");
        let cases = [
            ("no/such", json!({})),
            ("thread/read", json!(long)),
            ("thread/read", json!({"threadId": long})),
            ("thread/resume", json!({"threadId": long})),
            ("thread/list", json!({"sortKey": long})),
            ("thread/list", json!({"limit": long})),
            ("thread/list", json!({"cursor": long})),
            ("thread/loaded/list", json!({"cursor": long})),
            ("thread/start", json!({"sandbox": long})),
            ("thread/start", json!({"modelProvider": long})),
            ("thread/start", json!({"config": {"model_provider": long}})),
            ("turn/start", json!({"threadId": "x", "input": [{"type": long}]})),
            ("model/list", json!({"cursor": long})),
            ("command/exec", json!({"command": [long]})),
            ("command/exec", json!({"command": ["true"], "cwd": rooted})),
            ("command/exec", json!({"command": ["true"], "sandboxPolicy": {"type": long}})),
            ("command/exec/terminate", json!({"processId": long})),
            ("fs/readFile", json!({"path": long})),
            ("fs/readFile", json!({"path": rooted})),
            ("fs/readDirectory", json!({"path": rooted})),
            ("fs/copy", json!({"sourcePath": rooted, "destinationPath": rooted, "recursive": true})),
            ("fs/watch", json!({"watchId": "w", "path": rooted})),
            ("fuzzyFileSearch/sessionUpdate", json!({"sessionId": long, "query": "x"})),
            ("config/value/write", json!({"keyPath": "model", "value": 1, "mergeStrategy": long})),
            ("config/value/write", json!({"keyPath": "sandbox_mode", "value": long, "mergeStrategy": "replace"})),
        ];
        for (method, params) in cases {
            let about = format!("{method} {}", params.to_string().chars().take(40).collect::<String>());
            let answer = client.exchange(&json!({"id": "q", "method": method, "params": params}).to_string());
            short_error(&answer, &about);
        }
        let answer = client.exchange(&json!({"id": "q", "method": long, "params": {}}).to_string());
        short_error(&answer, "the method");
        assert!(answer["error"]["message"].as_str().is_some_and(|text| text.contains("`thread/name/set`")));
        client.call("thread/loaded/list", json!({}));
    });
}

#[test]
fn so_it_is_where_nothing_is_a_request_yet() {
    over_every_wire(|server| {
        let mut client = server.connect();
        let long = long();
        for text in [
            json!({"id": long, "method": "thread/list"}),
            json!({"id": 1, "method": {"x": long}}),
            json!({"id": 1, "method": "initialize", "params": {"clientInfo": {"name": long, "version": "1"}}}),
            json!({"id": 1, "method": "initialize", "params": {"clientInfo": {"name": "x", "version": long}}}),
            json!({"id": 1, "method": "initialize", "params": {"clientInfo": long}}),
            // Last, because it is no sign of JSON to a proxy.
            json!(long),
        ] {
            short_error(&client.exchange(&text.to_string()), &text.to_string().chars().take(60).collect::<String>());
        }
        client.initialize();
    });
}

#[test]
fn what_is_long_and_right_is_taken_whole() {
    let home = Home::new();
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let escapes = "\\\"\u{1}😀".repeat(50_000);
    client.call(
        "config/value/write",
        json!({"keyPath": "developer_instructions", "value": escapes, "mergeStrategy": "replace"}),
    );
    let config = client.call("config/read", json!({}));
    assert!(config["config"]["developer_instructions"] == escapes, "nothing of it is cut");
}
