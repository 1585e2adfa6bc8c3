//! Queued messages: they wait until the thread is idle, survive a restart, and are said once, in their order.

use serde_json::{Value, json};

use crate::support::agent::{Agent, completed, ended, say, told};
use crate::support::client::Client;
use crate::support::model::{Gate, Reply, Wire};
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::transports::over_every_shared_transport;

fn add(client: &mut Client, thread: &str, text: &str) -> Value {
    let input = json!([{"type": "text", "text": text}]);
    let params = json!({"threadId": thread, "clientUserMessageId": format!("id of {text}"), "input": input});
    client.call("thread/queue/add", params)["queuedSubmission"].take()
}

/// The texts that wait.
fn waiting(client: &mut Client, thread: &str) -> Vec<Value> {
    let list = client.call("thread/queue/list", json!({"threadId": thread}));
    list["data"].as_array().expect("a list").iter().map(|queued| queued["input"][0]["text"].clone()).collect()
}

#[test]
fn a_message_for_an_idle_thread_begins_a_turn_at_once_and_one_for_a_busy_thread_afterwards() {
    over_every_shared_transport(|serving| {
        let gate = Gate::new();
        let agent = Agent::new([
            Reply::text("One."),
            Reply::new().and_pause(&gate).and_text("Two."),
            Reply::text("Three."),
            Reply::text("Four."),
        ]);
        agent.move_in(serving.codex_home());
        let mut client = serving.client();
        let thread = agent.free_thread(&mut client);
        let queued = add(&mut client, &thread, "first");
        assert_eq!(queued["clientUserMessageId"], "id of first");
        let seen = told(&mut client);
        let said = completed(&seen, "userMessage");
        assert_eq!((said.len(), &said[0]["clientId"]), (1, &json!("id of first")));
        let changes = seen.iter().filter(|message| message["method"] == "thread/queue/changed").count();
        assert_eq!(changes, 2, "it came and went");

        say(&mut client, &thread);
        gate.wait();
        add(&mut client, &thread, "third");
        add(&mut client, &thread, "fourth");
        assert_eq!(waiting(&mut client, &thread), ["third", "fourth"]);
        gate.open();
        for text in ["go", "third", "fourth"] {
            let said = completed(&told(&mut client), "userMessage");
            assert_eq!((said.len(), &said[0]["content"][0]["text"]), (1, &json!(text)));
        }
        assert!(waiting(&mut client, &thread).is_empty());
    });
}

#[test]
fn what_waits_survives_a_kill_and_is_said_after_the_next_turn() {
    let agent = Agent::new([Reply::text("Here."), Reply::text("Late.")]);
    let home = agent.model.home(Wire::Responses);
    let mut server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    client.call("thread/name/set", json!({"threadId": thread, "name": "n"}));
    server.process.kill();
    let mut server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let deleted = add(&mut client, &thread, "never");
    add(&mut client, &thread, "later");
    let delete = json!({"threadId": thread, "queuedSubmissionId": deleted["id"]});
    assert_eq!(client.call("thread/queue/delete", delete.clone())["deleted"], true);
    assert_eq!(client.call("thread/queue/delete", delete)["deleted"], false);
    server.process.kill();
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    assert_eq!(waiting(&mut client, &thread), ["later"]);
    client.call("thread/resume", json!({"threadId": thread}));
    assert!(agent.model.requests().is_empty(), "who looks at a thread asks nothing of a model");
    say(&mut client, &thread);
    for text in ["go", "later"] {
        let said = completed(&told(&mut client), "userMessage");
        assert_eq!((said.len(), &said[0]["content"][0]["text"]), (1, &json!(text)));
    }
    assert!(waiting(&mut client, &thread).is_empty());
}

#[test]
fn an_interrupted_turn_leaves_the_queue_alone() {
    let gate = Gate::new();
    let agent = Agent::new([Reply::new().and_pause(&gate).and_text("x"), Reply::text("Two."), Reply::text("Three.")]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    agent.model.wait_for_requests(1);
    add(&mut client, &thread, "later");
    client.call("turn/interrupt", json!({"threadId": thread, "turnId": ""}));
    assert_eq!(ended(&mut client), "interrupted");
    assert_eq!(waiting(&mut client, &thread), ["later"]);
    assert_eq!(agent.model.requests().len(), 1);
    say(&mut client, &thread);
    assert_eq!((ended(&mut client), ended(&mut client)), ("completed".to_owned(), "completed".to_owned()));
    assert!(waiting(&mut client, &thread).is_empty());
}

#[test]
fn a_queue_has_an_end_and_nonsense_is_refused() {
    let gate = Gate::new();
    let agent = Agent::new([Reply::new().and_pause(&gate).and_text("x")]);
    let server = Server::unix(agent.launch().arg("-c").arg("app_server.turns.queued_messages=2"));
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    for text in ["a", "b"] {
        add(&mut client, &thread, text);
    }
    let params = |thread: &str, input: Value| json!({"threadId": thread, "clientUserMessageId": "c", "input": input});
    let text = json!([{"type": "text", "text": "c"}]);
    let full = client.refusal("thread/queue/add", params(&thread, text.clone()));
    assert!(full.message.contains("turns.queued_messages"), "{full:?}");
    let empty = client.refusal("thread/queue/add", params(&thread, json!([])));
    assert!(empty.message.contains("input must not be empty"), "{empty:?}");
    let unknown = client.refusal("thread/queue/add", params("01a22407-64a3-7d20-b2d4-834f9cb217c4", text.clone()));
    assert!(unknown.message.contains("thread not found"), "{unknown:?}");
    let ephemeral = agent.thread(&mut client, json!({"ephemeral": true}));
    let refused = client.refusal("thread/queue/add", params(&ephemeral, text));
    assert!(refused.message.contains("not on disk"), "{refused:?}");
    let cursor = client.refusal("thread/queue/list", json!({"threadId": thread, "cursor": "zzz"}));
    assert!(cursor.message.contains("invalid cursor"), "{cursor:?}");
    let page = client.call("thread/queue/list", json!({"threadId": thread, "limit": 1}));
    let next = client.call("thread/queue/list", json!({"threadId": thread, "cursor": page["nextCursor"], "limit": 1}));
    assert_eq!((&next["data"][0]["input"][0]["text"], &next["nextCursor"]), (&json!("b"), &Value::Null));
}
