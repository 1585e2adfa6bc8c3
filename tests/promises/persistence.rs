//! What was acknowledged is on disk: it survives a restart and a kill at any moment (law 10).

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

fn start(client: &mut Client) -> Value {
    client.call("thread/start", json!({}))["thread"].take()
}

fn read(client: &mut Client, id: &Value) -> Value {
    client.call("thread/read", json!({"threadId": id}))["thread"].take()
}

#[test]
fn threads_survive_a_restart_and_are_not_loaded_until_resumed() {
    let home = Home::new();
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let kept = start(&mut client);
    client.call("thread/name/set", json!({"threadId": kept["id"], "name": "kept"}));
    client.call("thread/metadata/update", json!({"threadId": kept["id"], "gitInfo": {"branch": "main"}}));
    let put_away = start(&mut client);
    client.call("thread/name/set", json!({"threadId": put_away["id"], "name": "put away"}));
    client.call("thread/archive", json!({"threadId": put_away["id"]}));
    let unnamed = start(&mut client);
    let gone = start(&mut client);
    client.call("thread/delete", json!({"threadId": gone["id"]}));
    let fleeting = client.call("thread/start", json!({"ephemeral": true}))["thread"].take();
    drop(server);

    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    assert_eq!(client.call("thread/loaded/list", json!({}))["data"], json!([]));
    let listed = client.call("thread/list", json!({}))["data"].take();
    assert_eq!((listed.as_array().map(Vec::len), &listed[0]["id"]), (Some(1), &kept["id"]));
    let archived = client.call("thread/list", json!({"archived": true}))["data"].take();
    assert_eq!((archived.as_array().map(Vec::len), &archived[0]["id"]), (Some(1), &put_away["id"]));
    let thread = read(&mut client, &kept["id"]);
    assert_eq!((&thread["name"], &thread["gitInfo"]["branch"]), (&json!("kept"), &json!("main")));
    assert_eq!((&thread["status"]["type"], &thread["environments"]), (&json!("notLoaded"), &Value::Null));
    assert_eq!((&thread["createdAt"], &thread["cwd"]), (&kept["createdAt"], &kept["cwd"]));
    assert_eq!(read(&mut client, &unnamed["id"])["name"], Value::Null);
    for id in [&gone["id"], &fleeting["id"]] {
        client.refusal("thread/read", json!({"threadId": id}));
    }
    let resumed = client.call("thread/resume", json!({"threadId": kept["id"]}))["thread"].take();
    assert_eq!((&resumed["status"]["type"], &resumed["name"]), (&json!("idle"), &json!("kept")));
    assert_eq!(client.call("thread/loaded/list", json!({}))["data"], json!([kept["id"]]));
    assert_eq!(client.next_notification("thread/status/changed")["status"]["type"], "idle");
}

#[test]
fn what_a_client_chose_when_it_resumed_a_thread_is_kept() {
    let home = Home::new();
    let server = Server::unix(Launch::at(&home));
    let id = start(&mut server.client())["id"].take();
    drop(server);

    let chosen = json!({"threadId": id, "cwd": "/elsewhere", "model": "another", "approvalPolicy": "never"});
    let mut server = Server::unix(Launch::at(&home));
    let resumed = server.client().call("thread/resume", chosen);
    server.process.kill();

    let server = Server::unix(Launch::at(&home));
    let again = server.client().call("thread/resume", json!({"threadId": id}));
    for member in ["cwd", "model", "approvalPolicy", "sandbox"] {
        assert_eq!(again[member], resumed[member], "{member}");
    }
    assert_eq!(again["cwd"], "/elsewhere");
    assert_eq!(again["thread"]["cwd"], "/elsewhere");
}

#[test]
fn a_thread_that_is_not_loaded_can_be_renamed() {
    let home = Home::new();
    let server = Server::unix(Launch::at(&home));
    let id = start(&mut server.client())["id"].take();
    drop(server);
    let server = Server::unix(Launch::at(&home));
    let (mut ann, mut bob) = (server.client(), server.client());
    ann.call("thread/name/set", json!({"threadId": id, "name": "asleep"}));
    assert_eq!(bob.next_notification("thread/name/updated")["threadName"], "asleep");
    assert_eq!(read(&mut bob, &id)["status"]["type"], "notLoaded");
}

#[test]
fn a_kill_right_after_an_acknowledgement_loses_nothing() {
    let home = Home::new();
    let mut acknowledged = Vec::new();
    for round in 0..5 {
        let mut server = Server::unix(Launch::at(&home));
        let mut client = server.client();
        for (id, name) in &acknowledged {
            assert_eq!(&read(&mut client, id)["name"], name, "round {round}");
        }
        let id = start(&mut client)["id"].take();
        let name = json!(format!("round {round}"));
        client.call("thread/name/set", json!({"threadId": id, "name": name}));
        server.process.kill();
        acknowledged.push((id, name));
    }
}

#[test]
fn a_kill_in_the_middle_of_a_flood_loses_only_what_was_not_acknowledged() {
    let home = Home::new();
    let mut server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let id = start(&mut client)["id"].take();
    let ids: Vec<i64> = (0..200)
        .map(|n| client.send_request("thread/name/set", json!({"threadId": id, "name": format!("{n}")})))
        .collect();
    let last_acknowledged = 20;
    for id in &ids[..=last_acknowledged] {
        client.answer_to(*id).expect("the name is set");
    }
    server.process.kill();

    let server = Server::unix(Launch::at(&home));
    let name = read(&mut server.client(), &id)["name"].take();
    let survived: usize = name.as_str().expect("a name").parse().expect("a number");
    assert!(survived >= last_acknowledged, "{survived} is older than what was acknowledged");
}

#[test]
fn a_server_that_was_told_to_stop_keeps_what_it_acknowledged() {
    let home = Home::new();
    let mut server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let id = start(&mut client)["id"].take();
    client.call("thread/name/set", json!({"threadId": id, "name": "last words"}));
    server.process.signal(rustix::process::Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
    let server = Server::unix(Launch::at(&home));
    assert_eq!(read(&mut server.client(), &id)["name"], "last words");
}

#[test]
fn the_database_of_the_reference_program_is_not_touched() {
    let home = Home::new();
    for name in ["state_5.sqlite", "logs_1.sqlite"] {
        std::fs::write(home.join(name), "not ours").expect("a file");
    }
    let server = Server::unix(Launch::at(&home));
    start(&mut server.client());
    drop(server);
    for name in ["state_5.sqlite", "logs_1.sqlite"] {
        assert_eq!(std::fs::read_to_string(home.join(name)).expect("a file"), "not ours");
    }
}
