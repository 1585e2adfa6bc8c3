//! Archive, unarchive, delete, fork, resume: each takes effect once, or reports why it cannot.

use serde_json::{Value, json};

use crate::support::client::{Client, RpcError};
use crate::support::process::Launch;
use crate::support::server::Server;

fn start(client: &mut Client) -> String {
    client.call("thread/start", json!({}))["thread"]["id"].as_str().expect("an id").to_owned()
}

fn refused(message: String) -> RpcError {
    RpcError { code: -32600, message, data: None }
}

#[test]
fn an_archived_thread_is_put_away_until_it_is_unarchived() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let id = start(&mut client);
    let of_thread = json!({"threadId": id});
    client.call("thread/name/set", json!({"threadId": id, "name": "kept"}));
    assert_eq!(client.call("thread/archive", of_thread.clone()), json!({}));
    let no_rollout = refused(format!("no rollout found for thread id {id}"));
    assert_eq!(client.refusal("thread/archive", of_thread.clone()), no_rollout);
    assert_eq!(client.call("thread/read", of_thread.clone())["thread"]["status"]["type"], "notLoaded");
    let thread = client.call("thread/unarchive", of_thread.clone())["thread"].take();
    assert_eq!((&thread["id"], &thread["name"]), (&json!(id), &json!("kept")));
    assert_eq!((&thread["status"]["type"], &thread["environments"]), (&json!("notLoaded"), &Value::Null));
    let no_archived = refused(format!("no archived rollout found for thread id {id}"));
    assert_eq!(client.refusal("thread/unarchive", of_thread.clone()), no_archived);
    client.call("thread/resume", of_thread);
}

#[test]
fn an_archived_thread_is_neither_resumed_nor_forked() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let id = start(&mut client);
    let of_thread = json!({"threadId": id});
    client.call("thread/name/set", json!({"threadId": id, "name": "put away"}));
    client.call("thread/archive", of_thread.clone());
    let archived = refused(format!("session {id} is archived. Run `codex unarchive {id}` to unarchive it first."));
    for method in ["thread/resume", "thread/fork"] {
        assert_eq!(client.refusal(method, of_thread.clone()), archived);
    }
}

#[test]
fn a_deleted_thread_is_gone() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let id = start(&mut client);
    let of_thread = json!({"threadId": id});
    client.call("thread/name/set", json!({"threadId": id, "name": "doomed"}));
    assert_eq!(client.call("thread/delete", of_thread.clone()), json!({}));
    let no_rollout = refused(format!("no rollout found for thread id {id}"));
    for method in ["thread/delete", "thread/resume", "thread/fork", "thread/archive"] {
        assert_eq!(client.refusal(method, of_thread.clone()), no_rollout, "{method}");
    }
    assert_eq!(client.refusal("thread/read", of_thread), refused(format!("thread not loaded: {id}")));
    assert_eq!(client.call("thread/list", json!({}))["data"], json!([]));
    assert_eq!(client.call("thread/loaded/list", json!({}))["data"], json!([]));
}

#[test]
fn an_archived_thread_can_be_deleted() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let of_thread = json!({"threadId": start(&mut client)});
    client.call("thread/archive", of_thread.clone());
    client.call("thread/delete", of_thread);
    assert_eq!(client.call("thread/list", json!({"archived": true}))["data"], json!([]));
}

#[test]
fn a_fork_is_a_thread_of_its_own_that_knows_its_source() {
    let server = Server::unix(Launch::new());
    let (mut ann, mut bob) = (server.client(), server.client());
    let source = start(&mut ann);
    ann.call("thread/name/set", json!({"threadId": source, "name": "source"}));
    bob.next_notification("thread/started");
    let answer = ann.call("thread/fork", json!({"threadId": source, "excludeTurns": true, "cwd": "/elsewhere"}));
    let fork = &answer["thread"];
    assert_ne!(fork["id"], source);
    assert_eq!((&fork["forkedFromId"], &fork["cwd"]), (&json!(source), &json!("/elsewhere")));
    assert_eq!(bob.next_notification("thread/started")["thread"]["id"], fork["id"]);
    ann.call("thread/name/set", json!({"threadId": fork["id"], "name": "fork"}));
    assert_eq!(ann.call("thread/read", json!({"threadId": source}))["thread"]["name"], "source");
    let left = ann.call("thread/unsubscribe", json!({"threadId": fork["id"]}));
    assert_eq!(left["status"], "unsubscribed", "a fork subscribes who asked for it");
}

#[test]
fn a_resume_shows_the_thread_and_subscribes() {
    let server = Server::unix(Launch::new());
    let (mut ann, mut bob) = (server.client(), server.client());
    let started = ann.call("thread/start", json!({}));
    let of_thread = json!({"threadId": started["thread"]["id"]});
    let resumed = bob.call("thread/resume", of_thread.clone());
    let started_members: Vec<&String> = started.as_object().expect("an object").keys().collect();
    let resumed_members = resumed.as_object().expect("an object");
    assert!(started_members.iter().all(|member| resumed_members.contains_key(*member)), "{resumed}");
    for more in ["collaborationMode", "initialTurnsPage", "turnsBackwardsCursor", "itemsBackwardsCursor"] {
        assert!(resumed_members.contains_key(more), "no {more} in {resumed}");
    }
    assert_eq!(resumed["thread"]["id"], started["thread"]["id"]);
    assert_eq!(bob.call("thread/unsubscribe", of_thread)["status"], "unsubscribed");
}

#[test]
fn an_ephemeral_thread_lives_in_memory_only() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let thread = client.call("thread/start", json!({"ephemeral": true}))["thread"].take();
    let id = thread["id"].as_str().expect("an id");
    assert_eq!((&thread["ephemeral"], &thread["path"]), (&json!(true), &Value::Null));
    client.call("thread/read", json!({"threadId": id}));
    assert_eq!(client.call("thread/loaded/list", json!({}))["data"], json!([id]));
    let no_updates = format!("ephemeral thread does not support metadata updates: {id}");
    let no_rollout = format!("no rollout found for thread id {id}");
    let cases = [
        ("thread/name/set", json!({"threadId": id, "name": "x"}), no_updates.clone()),
        ("thread/metadata/update", json!({"threadId": id, "gitInfo": {"branch": "x"}}), no_updates),
        ("thread/fork", json!({"threadId": id}), no_rollout.clone()),
        ("thread/archive", json!({"threadId": id}), no_rollout),
        ("thread/delete", json!({"threadId": id}), format!("thread is not persisted and cannot be deleted: {id}")),
        (
            "thread/read",
            json!({"threadId": id, "includeTurns": true}),
            "ephemeral threads do not support includeTurns".to_owned(),
        ),
    ];
    for (method, params, message) in cases {
        assert_eq!(client.refusal(method, params), refused(message), "{method}");
    }
}

#[test]
fn an_ephemeral_thread_has_no_history_to_come_back_to() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let id = client.call("thread/start", json!({"ephemeral": true}))["thread"]["id"].take();
    let id = id.as_str().expect("an id");
    let cases = [
        ("thread/resume", format!("no rollout found for thread id {id}")),
        ("thread/turns/list", "ephemeral threads do not support thread/turns/list".to_owned()),
    ];
    for (method, message) in cases {
        assert_eq!(client.refusal(method, json!({"threadId": id})), refused(message), "{method}");
    }
}

#[test]
fn a_thread_that_everybody_left_is_unloaded_after_its_time() {
    let server = Server::unix(Launch::new().setting("limits.thread_idle_seconds", 1));
    let (mut ann, mut bob) = (server.client(), server.client());
    let id = start(&mut ann);
    ann.call("thread/unsubscribe", json!({"threadId": id}));
    for client in [&mut ann, &mut bob] {
        let status = client.next_notification("thread/status/changed");
        assert_eq!(status, json!({"threadId": id, "status": {"type": "notLoaded"}}));
        assert_eq!(client.next_notification("thread/closed"), json!({"threadId": id}));
    }
    assert_eq!(ann.call("thread/loaded/list", json!({}))["data"], json!([]));
    assert_eq!(ann.call("thread/unsubscribe", json!({"threadId": id}))["status"], "notLoaded");
}
