//! A conversation that nearly fills the model's context is summarised, and goes on from the summary; people still see all of it.

use serde_json::{Value, json};

use crate::support::agent::{Agent, completed, methods, say, told};
use crate::support::client::Client;
use crate::support::model::Reply;
use crate::support::server::Server;
use crate::support::transports::over_every_shared_transport;

/// A server that summarises from so many tokens on.
fn server(agent: &Agent, tokens: u64) -> Server {
    Server::unix(agent.launch().arg("-c").arg(format!("model_auto_compact_token_limit={tokens}")))
}

/// Says something in a new turn, and returns what was told until it ended.
fn turn(client: &mut Client, thread: &str) -> Vec<Value> {
    say(client, thread);
    told(client)
}

fn compactions(told: &[Value]) -> usize {
    completed(told, "contextCompaction").len()
}

#[test]
fn a_person_has_it_summarised_and_the_next_turn_goes_on_from_that() {
    over_every_shared_transport(|serving| {
        let agent = Agent::new([Reply::text("One."), Reply::text("The summary."), Reply::text("Two.")]);
        agent.move_in(serving.codex_home());
        let mut client = serving.client();
        let thread = agent.free_thread(&mut client);
        turn(&mut client, &thread);
        client.call("thread/compact/start", json!({"threadId": thread}));
        let seen = told(&mut client);
        assert_eq!(methods(&seen), ["turn/started", "item/started", "item/completed", "turn/completed"]);
        assert_eq!(compactions(&seen), 1);
        turn(&mut client, &thread);
        let requests = agent.model.wait_for_requests(3);
        assert!(requests[1].tools().is_empty(), "who summarises calls nothing");
        let (said, heard) = (requests[2].said_by("assistant"), requests[2].said_by("user"));
        assert!(said.is_empty() && heard.iter().any(|said| said == "go"), "{said:?} {heard:?}");
        assert!(heard.concat().contains("The summary."), "{heard:?}");
        let shown = client.call("thread/read", json!({"threadId": thread, "includeTurns": true}));
        let turns = shown["thread"]["turns"].as_array().expect("turns").clone();
        assert_eq!(turns.len(), 3);
        assert_eq!(turns[0]["items"][1]["text"], "One.", "people see what was said before");
    });
}

#[test]
fn a_turn_begins_with_a_summary_where_the_last_call_nearly_filled_the_context() {
    let small = |text: &str| Reply::text(text).usage(10, 5);
    let agent = Agent::new([
        small("Short."),
        Reply::text("Long.").usage(90, 20),
        Reply::text("The summary.").usage(120, 20),
        small("Short again."),
        small("Still short."),
    ]);
    let server = server(&agent, 100);
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    let counts: Vec<_> = (0..4).map(|_| compactions(&turn(&mut client, &thread))).collect();
    assert_eq!(counts, [0, 0, 1, 0], "what the summary itself took does not count");
    let asked = agent.model.wait_for_requests(5)[3].said_by("user").concat();
    assert!(asked.contains("The summary."), "{asked}");
}

#[test]
fn between_two_calls_of_a_turn_it_is_summarised_too_and_a_review_does_not_count() {
    let work = json!({"cmd": "echo here", "login": false});
    let agent = Agent::new([
        Reply::text("No findings.").usage(500, 5),
        Reply::call("exec_command", work).usage(100, 5),
        Reply::text("The summary.").usage(100, 5),
        Reply::text("Done.").usage(10, 5),
    ]);
    let server = server(&agent, 100);
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    client.call("review/start", json!({"threadId": thread, "target": {"type": "uncommittedChanges"}}));
    told(&mut client);
    let seen = turn(&mut client, &thread);
    let kinds: Vec<_> = seen
        .iter()
        .filter(|message| message["method"] == "item/completed")
        .map(|message| message["params"]["item"]["type"].clone())
        .collect();
    assert_eq!(kinds, ["userMessage", "commandExecution", "contextCompaction", "agentMessage"]);
    assert!(agent.outputs(3).is_empty(), "the call and its output are in the summary");
}
