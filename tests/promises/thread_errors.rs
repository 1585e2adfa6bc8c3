//! Unknown and malformed thread ids are rejected with the texts that clients know.

use serde_json::{Value, json};

use crate::support::process::Launch;
use crate::support::server::Server;

const UNKNOWN: &str = "01a2026b-0000-7000-8000-000000000000";

/// Methods with what else they need, and the beginnings of the refusals of an unknown id and of no id.
fn table() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    let invalid_thread = "invalid thread id: ";
    let invalid_session = "invalid session id: ";
    let no_rollout = "no rollout found for thread id ID";
    vec![
        ("thread/read", json!({}), "thread not loaded: ID", invalid_thread),
        ("thread/turns/list", json!({}), "thread not loaded: ID", invalid_thread),
        ("thread/resume", json!({}), no_rollout, invalid_session),
        ("thread/fork", json!({}), no_rollout, invalid_session),
        ("thread/archive", json!({}), no_rollout, invalid_session),
        ("thread/unarchive", json!({}), "no archived rollout found for thread id ID", invalid_session),
        ("thread/delete", json!({}), no_rollout, invalid_thread),
        ("thread/name/set", json!({"name": "x"}), no_rollout, invalid_thread),
        ("thread/metadata/update", json!({"gitInfo": {"branch": "x"}}), no_rollout, invalid_thread),
        ("thread/goal/get", json!({}), "thread not found: ID", invalid_thread),
        ("thread/backgroundTerminals/list", json!({}), "thread not found: ID", invalid_thread),
        ("turn/start", json!({"input": [{"type": "text", "text": "x"}]}), "thread not found: ID", invalid_thread),
        ("turn/interrupt", json!({"turnId": "x"}), "thread not found: ID", invalid_thread),
    ]
}

fn with_id(params: &Value, id: &str) -> Value {
    let mut params = params.clone();
    params["threadId"] = json!(id);
    params
}

#[test]
fn an_unknown_thread_is_refused_by_every_method_in_its_own_words() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    for (method, params, unknown, _) in table() {
        let error = client.refusal(method, with_id(&params, UNKNOWN));
        assert_eq!((error.code, error.message), (-32600, unknown.replace("ID", UNKNOWN)), "{method}");
    }
    assert_eq!(client.call("thread/unsubscribe", json!({"threadId": UNKNOWN}))["status"], "notLoaded");
}

#[test]
fn an_id_that_is_none_is_refused_with_what_is_wrong_with_it() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let wrong = [
        (
            "not-a-uuid",
            "invalid character: expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-], found `n` at 1",
        ),
        ("bad", "invalid length: expected length 32 for simple format, found 3"),
        ("", ""),
    ];
    for (method, params, _, invalid) in table() {
        for (id, reason) in wrong {
            let error = client.refusal(method, with_id(&params, id));
            assert_eq!(error.code, -32600, "{method} {id}: {error:?}");
            assert!(error.message.starts_with(&format!("{invalid}{reason}")), "{method} {id}: {error:?}");
        }
    }
    let error = client.refusal("thread/unsubscribe", json!({"threadId": "bad"}));
    assert!(error.message.starts_with("invalid thread id: "), "{error:?}");
}

#[test]
fn a_name_must_say_something() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let id = client.call("thread/start", json!({}))["thread"]["id"].take();
    for name in ["", "   ", "\t\n"] {
        let error = client.refusal("thread/name/set", json!({"threadId": id, "name": name}));
        assert_eq!((error.code, error.message.as_str()), (-32600, "thread name must not be empty"));
    }
    client.call("thread/name/set", json!({"threadId": id, "name": "two\nlines"}));
    assert_eq!(client.next_notification("thread/name/updated")["threadName"], "two\nlines");
}

#[test]
fn a_metadata_update_changes_what_it_names_and_nothing_else() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let id = client.call("thread/start", json!({}))["thread"]["id"].take();
    let mut update = |git: Value| {
        let thread = client.call("thread/metadata/update", json!({"threadId": id, "gitInfo": git}))["thread"].take();
        thread["gitInfo"].clone()
    };
    let all = json!({"sha": "abc", "branch": "main", "originUrl": "https://e/x.git"});
    assert_eq!(update(all.clone()), all);
    let changed = update(json!({"branch": "b2"}));
    assert_eq!(changed, json!({"sha": "abc", "branch": "b2", "originUrl": "https://e/x.git"}));
    let cleared = update(json!({"branch": null}));
    assert_eq!(cleared, json!({"sha": "abc", "branch": null, "originUrl": "https://e/x.git"}));
    let refusals = [
        (json!({"threadId": id, "gitInfo": {"branch": ""}}), "gitInfo.branch must not be empty"),
        (json!({"threadId": id}), "thread metadata update must include at least one field"),
        (json!({"threadId": id, "gitInfo": {}}), "gitInfo must include at least one field"),
    ];
    for (params, message) in refusals {
        let error = client.refusal("thread/metadata/update", params);
        assert_eq!((error.code, error.message.as_str()), (-32600, message));
    }
    assert_eq!(client.call("thread/read", json!({"threadId": id}))["thread"]["gitInfo"], cleared);
}
