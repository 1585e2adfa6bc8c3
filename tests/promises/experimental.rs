//! Experimental parts of the protocol require the `experimentalApi` capability (spec: local transports 8).

use serde_json::{Value, json};

use crate::support::client::{Client, RpcError};
use crate::support::transports::{Serving, over_every_transport};

fn stable_client(server: &dyn Serving) -> Client {
    let mut client = server.connect();
    client.initialize_with(Value::Null);
    client
}

fn gate(what: &str) -> RpcError {
    RpcError { code: -32600, message: format!("{what} requires experimentalApi capability"), data: None }
}

#[test]
fn an_experimental_method_is_closed_to_a_client_that_did_not_ask_for_it() {
    over_every_transport(|server| {
        let mut client = stable_client(server);
        let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
        let params = json!({"threadId": thread, "searchTerm": "x"});
        for method in ["thread/search", "thread/backgroundTerminals/list", "collaborationMode/list"] {
            assert_eq!(client.refusal(method, params.clone()), gate(method));
        }
        client.call("thread/list", json!({}));
    });
}

#[test]
fn the_same_method_is_open_to_a_client_that_asked() {
    over_every_transport(|server| {
        server.client().call("thread/search", json!({"searchTerm": "x"}));
    });
}

#[test]
fn params_are_judged_before_the_gate() {
    over_every_transport(|server| {
        let error = stable_client(server).refusal("thread/search", json!({}));
        assert_eq!((error.code, error.message.as_str()), (-32602, "Invalid request: missing field `searchTerm`"));
    });
}

#[test]
fn an_experimental_member_is_closed_unless_it_says_nothing() {
    over_every_transport(|server| {
        let mut client = stable_client(server);
        let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
        let closed = [
            ("thread/start", "dynamicTools", json!({"dynamicTools": []})),
            ("thread/start", "historyMode", json!({"historyMode": "legacy"})),
            ("thread/start", "runtimeWorkspaceRoots", json!({"runtimeWorkspaceRoots": []})),
            ("thread/resume", "history", json!({"threadId": thread, "history": []})),
            ("thread/resume", "path", json!({"threadId": thread, "path": "x"})),
            ("thread/fork", "path", json!({"threadId": thread, "path": "x"})),
            ("thread/fork", "beforeTurnId", json!({"threadId": thread, "beforeTurnId": "x"})),
            ("thread/list", "parentThreadId", json!({"parentThreadId": "x"})),
            ("thread/list", "projectId", json!({"projectId": "x"})),
            ("thread/metadata/update", "projectId", json!({"threadId": thread, "projectId": "x"})),
        ];
        for (method, member, params) in closed {
            assert_eq!(client.refusal(method, params), gate(&format!("{method}.{member}")));
        }
        client.call("thread/start", json!({"dynamicTools": null, "historyMode": null, "experimentalRawEvents": false}));
        client.call("thread/list", json!({"parentThreadId": null}));
    });
}
