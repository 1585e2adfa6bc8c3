//! A fork that is not on disk, for a question aside: it knows what was said, and leaves nothing behind.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::model::{Model, Reply, Wire};
use crate::support::process::Launch;
use crate::support::server::Server;

/// Says `text` in a new turn: what the agent answers.
fn converse(client: &mut Client, thread: &Value, text: &str) -> String {
    let params = json!({"threadId": thread, "input": [{"type": "text", "text": text}]});
    client.call("turn/start", params);
    loop {
        let item = client.next_notification("item/completed");
        if item["threadId"] == *thread && item["item"]["type"] == "agentMessage" {
            client.next_notification("turn/completed");
            return item["item"]["text"].as_str().expect("a text").to_owned();
        }
    }
}

#[test]
fn it_knows_what_was_said_and_leaves_the_thread_and_the_disk_alone() {
    let model = Model::start();
    model.script([Reply::text("Four."), Reply::text("Aside."), Reply::text("Five.")]);
    let home = model.home(Wire::Responses);
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
    converse(&mut client, &thread, "two and two");
    let mut forked = client.call("thread/fork", json!({"threadId": thread, "ephemeral": true}));
    let fork = forked["thread"].take();
    assert_eq!((&fork["ephemeral"], &fork["forkedFromId"], &fork["path"]), (&json!(true), &thread, &Value::Null));
    assert_eq!(fork["turns"].as_array().map(Vec::len), Some(1), "{fork}");
    assert_eq!(converse(&mut client, &fork["id"], "a question aside"), "Aside.");
    let asked = |number: usize| model.requests()[number].entries().iter().map(Value::to_string).collect::<String>();
    assert!(asked(1).contains("two and two") && asked(1).contains("Four."), "{}", asked(1));
    assert_eq!(converse(&mut client, &thread, "and one"), "Five.");
    assert!(!asked(2).contains("Aside."), "the thread does not know what was said aside");

    let listed = client.call("thread/list", json!({}))["data"].take();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    drop((client, server));
    let server = Server::unix(Launch::at(&home));
    assert_eq!(server.client().refusal("thread/resume", json!({"threadId": fork["id"]})).code, -32600);
}

#[test]
fn it_takes_the_whole_thread_or_is_refused_in_words() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let thread = client.call("thread/start", json!({"modelProvider": "echo"}))["thread"]["id"].take();
    converse(&mut client, &thread, "hello");
    let part = json!({"threadId": thread, "ephemeral": true, "lastTurnId": "x"});
    assert!(client.refusal("thread/fork", part).message.contains("takes the whole thread"));
    let unknown = json!({"threadId": "01a2026b-365a-7222-a355-d5a268190f8b", "ephemeral": true});
    assert_eq!(client.refusal("thread/fork", unknown).code, -32600);
}
