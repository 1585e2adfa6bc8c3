//! A connection starts with exactly one `initialize` (spec: local transports 8).

use serde_json::{Value, json};

use crate::support::assert_order;
use crate::support::client::RpcError;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::transports::{over_every_shared_transport, over_every_transport, over_every_wire};

fn refused(code: i64, message: &str) -> RpcError {
    RpcError { code, message: message.to_owned(), data: None }
}

#[test]
fn nothing_is_answered_before_initialize() {
    over_every_wire(|server| {
        let mut client = server.connect();
        let error = client.refusal("thread/list", json!({}));
        assert_eq!(error, refused(-32600, "Not initialized"));
        client.notify("initialized");
        let error = client.refusal("thread/start", json!({}));
        assert_eq!(error, refused(-32600, "Not initialized"), "the notification alone opens nothing");
        client.initialize();
        client.call("thread/list", json!({}));
    });
}

#[test]
fn a_connection_is_initialized_once() {
    over_every_wire(|server| {
        let mut client = server.client();
        let error = client.refusal("initialize", json!({"clientInfo": {"name": "again", "version": "2"}}));
        assert_eq!(error, refused(-32600, "Already initialized"));
        client.call("thread/list", json!({}));
    });
}

#[test]
fn the_initialized_notification_is_not_needed_and_may_be_repeated() {
    over_every_transport(|server| {
        let mut client = server.connect();
        client.call("initialize", json!({"clientInfo": {"name": "editor", "version": "1"}}));
        client.call("thread/list", json!({}));
        client.notify("initialized");
        client.notify("initialized");
        client.call("thread/list", json!({}));
    });
}

#[test]
fn the_answer_has_the_references_members_in_order_and_then_the_scopes() {
    over_every_transport(|server| {
        let mut client = server.connect();
        client.send_raw(r#"{"id":6,"method":"initialize","params":{"clientInfo":{"name":"first","version":"1.2"}}}"#);
        let text = client.next_text("the answer");
        let answer: Value = serde_json::from_str(&text).expect("JSON");
        let result = answer["result"].as_object().expect("an object");
        assert_eq!(result.len(), 5, "{text}");
        assert_order(&text, &["userAgent", "codexHome", "platformFamily", "platformOs", "scopes"]);
        assert!(text.starts_with(r#"{"id":6,"result":{"#), "{text}");
        assert_eq!(result["codexHome"], server.codex_home().to_str().expect("text"));
        assert_eq!((&result["platformFamily"], &result["platformOs"]), (&json!("unix"), &json!(std::env::consts::OS)));
    });
}

#[test]
fn the_user_agent_names_the_first_client_the_api_level_and_this_client() {
    over_every_shared_transport(|server| {
        let mut agents = [("first", "1.2"), ("second", "9")].map(|(name, version)| {
            let mut client = server.connect();
            let result = client.call("initialize", json!({"clientInfo": {"name": name, "version": version}}));
            result["userAgent"].as_str().expect("text").to_owned()
        });
        for (agent, tail) in agents.iter_mut().zip(["(first; 1.2)", "(second; 9)"]) {
            assert!(agent.starts_with("first/0.171.0 ("), "{agent}");
            assert!(agent.ends_with(tail), "{agent}");
            let system = agent.split_once('(').and_then(|(_, rest)| rest.split_once(')')).expect("(os; arch)").0;
            assert!(system.ends_with(&format!("; {}", std::env::consts::ARCH)), "{agent}");
        }
    });
}

#[test]
fn a_client_without_a_proper_name_is_refused_and_may_try_again() {
    over_every_transport(|server| {
        let mut client = server.connect();
        let missing = [
            (json!(null), "Invalid request: missing field `params`"),
            (json!({}), "Invalid request: missing field `clientInfo`"),
            (json!({"clientInfo": {"version": "1"}}), "Invalid request: missing field `name`"),
            (json!({"clientInfo": {"name": "x"}}), "Invalid request: missing field `version`"),
        ];
        for (params, message) in missing {
            let error = client.refusal("initialize", params);
            assert_eq!((error.code, error.message.starts_with(message)), (-32602, true), "{error:?}");
        }
        let error = client.refusal("initialize", json!({"clientInfo": {"name": "a\nb", "version": "1"}}));
        let expected = "Invalid clientInfo.name: 'a\nb'. Must be a valid HTTP header value.";
        assert_eq!(error, refused(-32600, expected));
        let wrong = [
            json!({"clientInfo": null}),
            json!({"clientInfo": {"name": 3, "version": "1"}}),
            json!({"clientInfo": {"name": "x", "version": "1"}, "capabilities": 3}),
            json!({"clientInfo": {"name": "x", "version": "1"}, "capabilities": {"optOutNotificationMethods": "x"}}),
        ];
        for params in wrong {
            assert_eq!(client.refusal("initialize", params).code, -32602);
        }
        assert_eq!(client.refusal("thread/list", json!({})), refused(-32600, "Not initialized"));
        client.initialize();
    });
}

#[test]
fn capabilities_may_be_null_and_unknown_members_do_not_matter() {
    over_every_transport(|server| {
        let mut client = server.connect();
        let info = json!({"name": "x", "title": "X", "version": "1", "homepage": "?"});
        client.call("initialize", json!({"clientInfo": info, "capabilities": null, "locale": "de"}));
    });
}

#[test]
fn after_the_answer_a_client_is_told_whether_remote_control_is_on() {
    // It is off on every other transport, and whoever comes through a backend knows.
    over_every_wire(|server| {
        let mut client = server.client();
        let status = client.next_notification("remoteControl/status/changed");
        assert_eq!(status["status"], "disabled");
        assert_eq!(status["environmentId"], Value::Null);
        assert!(status["serverName"].is_string() && status["installationId"].is_string(), "{status}");
    });
}

#[test]
fn the_installation_keeps_its_id() {
    let home = Home::new();
    let ids = [1, 2].map(|_| {
        let server = Server::stdio(Launch::at(&home));
        server.client().next_notification("remoteControl/status/changed")["installationId"].take()
    });
    assert_eq!(ids[0], ids[1]);
    let on_disk = std::fs::read_to_string(home.join("installation_id")).expect("the file is shared with codex");
    assert_eq!(on_disk.trim(), ids[0]);
}
