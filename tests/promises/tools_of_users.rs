//! Commands of users in a thread, and commands that agents left running.

use serde_json::{Value, json};

use crate::support::agent::{Agent, completed, say, told};
use crate::support::client::Client;
use crate::support::eventually;
use crate::support::model::{Gate, Reply};

fn shell_command(client: &mut Client, thread: &str, command: &str) {
    let params = json!({"threadId": thread, "command": command});
    assert_eq!(client.call("thread/shellCommand", params), json!({}));
}

/// The command of a user that a turn has run.
fn command_of_user(told: &[Value]) -> Value {
    let items = completed(told, "commandExecution");
    let mut of_users = items.into_iter().filter(|item| item["source"] == "userShell");
    of_users.next().unwrap_or_else(|| panic!("no command of a user in {told:#?}"))
}

#[test]
fn a_users_command_is_a_turn_whose_result_the_model_sees_later() {
    let agent = Agent::new([Reply::text("I see.")]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.thread(&mut client, json!({"approvalPolicy": "never", "sandbox": "read-only"}));
    shell_command(&mut client, &thread, "echo out > made; cat made; exit 3");
    let told_of_command = told(&mut client);
    let item = command_of_user(&told_of_command);
    assert_eq!((&item["exitCode"], &item["aggregatedOutput"]), (&json!(3), &json!("out\n")), "nothing holds it");
    assert_eq!(told_of_command.last().expect("an end")["params"]["turn"]["status"], "completed");
    assert!(agent.model.requests().is_empty(), "nobody asked the model");
    say(&mut client, &thread);
    told(&mut client);
    let said = agent.model.requests()[0].said_by("user").concat();
    assert!(said.contains("<user_shell_command>") && said.contains("Exit code: 3") && said.contains("out\n"), "{said}");
    let refused = client.refusal("thread/shellCommand", json!({"threadId": thread, "command": " "}));
    assert_eq!(refused.message, "command must not be empty");
}

#[test]
fn a_users_command_joins_the_turn_that_runs_and_the_model_is_asked_again() {
    let gate = Gate::new();
    let agent = Agent::new([Reply::new().and_text("First.").and_pause(&gate), Reply::text("Second.")]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    let turn = say(&mut client, &thread);
    agent.model.wait_for_requests(1);
    shell_command(&mut client, &thread, "until [ -e go ]; do sleep 0.01; done; echo went");
    std::fs::write(agent.work.path().join("go"), "").expect("a file");
    gate.open();
    let told = told(&mut client);
    assert_eq!(command_of_user(&told)["aggregatedOutput"], "went\n");
    assert_eq!(told.last().expect("an end")["params"]["turn"]["id"], turn);
    let said = agent.model.requests()[1].said_by("user").concat();
    assert!(said.contains("went"), "{said}");
}

#[test]
fn what_a_reverted_turn_left_running_ends_with_it() {
    let left = Reply::call("exec_command", json!({"cmd": "sleep 600", "login": false, "yield_time_ms": 250}));
    let agent = Agent::new([left, Reply::text("It runs.")]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    let turn = say(&mut client, &thread);
    told(&mut client);
    client.call("thread/revert", json!({"threadId": thread, "beforeTurnId": turn}));
    let page = client.call("thread/backgroundTerminals/list", json!({"threadId": thread}));
    assert_eq!(page["data"], json!([]));
    let read = client.call("thread/read", json!({"threadId": thread, "includeTurns": true}));
    assert_eq!(read["thread"]["turns"], json!([]));
}

#[test]
fn what_an_agent_left_running_is_listed_and_ended() {
    let left = |name: &str| Reply::call("exec_command", json!({"cmd": name, "login": false, "yield_time_ms": 250}));
    let agent = Agent::new([left("sleep 600"), left("sleep 601"), Reply::text("They run.")]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    say(&mut client, &thread);
    told(&mut client);
    let mut list = |params: Value| client.call("thread/backgroundTerminals/list", params);
    let page = list(json!({"threadId": thread, "limit": 1}));
    let next = list(json!({"threadId": thread, "limit": 1, "cursor": page["nextCursor"]}));
    let both = [&page["data"][0], &next["data"][0]];
    assert!(both[0]["command"].as_str().expect("a command").contains("sleep 600"), "{page}");
    assert!(both[1]["command"].as_str().expect("a command").contains("sleep 601"), "{next}");
    assert_eq!(next["nextCursor"], Value::Null);
    let first = json!({"threadId": thread, "processId": both[0]["processId"]});
    assert_eq!(client.call("thread/backgroundTerminals/terminate", first.clone()), json!({"terminated": true}));
    let ended = client.next_notification("item/completed");
    assert_eq!(ended["item"]["id"], both[0]["itemId"]);
    assert_eq!(client.call("thread/backgroundTerminals/terminate", first), json!({"terminated": false}));
    assert_eq!(client.call("thread/backgroundTerminals/clean", json!({"threadId": thread})), json!({}));
    eventually("no command runs", || {
        let page = client.call("thread/backgroundTerminals/list", json!({"threadId": thread}));
        page["data"].as_array().is_some_and(Vec::is_empty)
    });
}
