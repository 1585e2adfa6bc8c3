//! Goals: the agent goes on by itself until the goal is reached, a budget is used up, or somebody stops it.

use serde_json::{Value, json};

use crate::support::agent::{Agent, ended, methods, say, told};
use crate::support::client::Client;
use crate::support::model::{Gate, Reply};
use crate::support::server::Server;
use crate::support::transports::over_every_shared_transport;

fn set(client: &mut Client, thread: &str, mut params: Value) -> Value {
    params["threadId"] = json!(thread);
    client.call("thread/goal/set", params)["goal"].take()
}

fn get(client: &mut Client, thread: &str) -> Value {
    client.call("thread/goal/get", json!({"threadId": thread}))["goal"].take()
}

fn settle(status: &str) -> Reply {
    Reply::call("update_goal", json!({ "status": status }))
}

/// The next change of a goal that this client is told.
fn changed(client: &mut Client) -> Value {
    client.next_notification("thread/goal/updated")
}

#[test]
fn the_agent_begins_turns_by_itself_until_the_goal_is_reached_and_everybody_sees_it() {
    over_every_shared_transport(|serving| {
        let work = Reply::call("exec_command", json!({"cmd": "echo step", "login": false}));
        let agent = Agent::new([
            work,
            Reply::text("One step."),
            Reply::call("get_goal", json!({})),
            settle("complete"),
            Reply::text("Reached."),
        ]);
        agent.move_in(serving.codex_home());
        let mut client = serving.client();
        let thread = agent.free_thread(&mut client);
        assert_eq!(get(&mut client, &thread), Value::Null);
        let goal = set(&mut client, &thread, json!({"objective": " make it green ", "tokenBudget": 100_000}));
        assert_eq!((&goal["objective"], &goal["status"]), (&json!("make it green"), &json!("active")));
        let first = told(&mut client);
        assert_eq!(first.iter().filter(|message| message["method"] == "turn/started").count(), 1);
        assert!(
            !methods(&first).is_empty()
                && first.iter().all(|message| { message["params"]["item"]["type"] != "userMessage" }),
            "nobody said anything"
        );
        let spent = first.iter().rfind(|message| message["method"] == "thread/goal/updated").expect("a change");
        let turn = &first.last().expect("an end")["params"]["turn"]["id"];
        assert_eq!(&spent["params"]["turnId"], turn);
        assert!(spent["params"]["goal"]["tokensUsed"].as_i64() > Some(0), "{spent}");
        let second = told(&mut client);
        let statuses: Vec<_> = second
            .iter()
            .filter(|message| message["method"] == "thread/goal/updated")
            .map(|message| message["params"]["goal"]["status"].clone())
            .collect();
        assert_eq!(statuses, ["complete", "complete"], "the second one counts what the turn took");
        let goal = get(&mut client, &thread);
        assert_eq!((&goal["status"], &goal["tokensUsed"]), (&json!("complete"), &json!(550)));
        let requests = agent.model.wait_for_requests(5);
        let words = requests[0].said_by("user").concat();
        assert!(words.contains("make it green") && words.contains("of the 100000"), "{words}");
        assert!(requests[0].tools().contains(&"update_goal".to_owned()));
        let answers = requests[3].outputs();
        assert!(answers.last().expect("an answer").contains(r#""objective":"make it green""#), "{answers:?}");
        // Nothing more is asked: the next turn is the user's, and has no goal.
        agent.model.script([Reply::text("Yes?")]);
        say(&mut client, &thread);
        told(&mut client);
        let requests = agent.model.requests();
        assert_eq!(requests.len(), 6);
        assert!(!requests[5].tools().contains(&"update_goal".to_owned()));
    });
}

#[test]
fn a_budget_that_is_used_up_ends_it() {
    let work = || [Reply::call("exec_command", json!({"cmd": "echo", "login": false})), Reply::text("On.")];
    let agent = Agent::new((0..5).flat_map(|_| work()));
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    // A call of this model takes 110 tokens, a turn two calls.
    set(&mut client, &thread, json!({"objective": "o", "tokenBudget": 300}));
    for _ in 0..2 {
        told(&mut client);
    }
    let goal = get(&mut client, &thread);
    assert_eq!((&goal["status"], &goal["tokensUsed"]), (&json!("budgetLimited"), &json!(440)));
    assert_eq!(set(&mut client, &thread, json!({"status": "active"}))["status"], "budgetLimited");
    assert_eq!(set(&mut client, &thread, json!({"tokenBudget": 500}))["status"], "active");
    told(&mut client);
    assert_eq!(get(&mut client, &thread)["status"], "budgetLimited");
    assert_eq!(agent.model.requests().len(), 6);
}

#[test]
fn an_agent_that_only_talks_counts_as_blocked() {
    let agent = Agent::new((0..9).map(|_| Reply::text("Soon.")));
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    set(&mut client, &thread, json!({"objective": "o"}));
    let warning = client.next_notification("warning");
    assert!(warning["message"].as_str().expect("words").contains("turns.goal_idle_turns"), "{warning}");
    while changed(&mut client)["goal"]["status"] != "blocked" {}
    assert_eq!(agent.model.requests().len(), 3);
    // A person lets it try again.
    set(&mut client, &thread, json!({"status": "active"}));
    client.next_notification("warning");
    assert_eq!(agent.model.requests().len(), 6);
}

#[test]
fn who_interrupts_stops_it_and_a_users_turn_lets_it_go_on() {
    let gate = Gate::new();
    let agent = Agent::new([
        Reply::new().and_pause(&gate).and_text("never"),
        Reply::text("Hello."),
        settle("blocked"),
        Reply::text("I need you."),
    ]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    set(&mut client, &thread, json!({"objective": "o"}));
    agent.model.wait_for_requests(1);
    client.call("turn/interrupt", json!({"threadId": thread, "turnId": ""}));
    assert_eq!(ended(&mut client), "interrupted");
    assert_eq!(get(&mut client, &thread)["status"], "active");
    say(&mut client, &thread);
    assert_eq!(ended(&mut client), "completed");
    assert_eq!(ended(&mut client), "completed");
    assert_eq!(get(&mut client, &thread)["status"], "blocked");
    assert_eq!(agent.model.requests().len(), 4);
}

#[test]
fn a_goal_is_kept_across_a_restart_and_cleared_by_who_wants_it() {
    let agent = Agent::new([Reply::text("Hello."), settle("paused"), Reply::text("Paused.")]);
    let home = agent.model.home(crate::support::model::Wire::Responses);
    let launch = || crate::support::process::Launch::at(&home);
    let mut server = Server::unix(launch());
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    let goal = set(&mut client, &thread, json!({"objective": "o", "status": "paused"}));
    server.process.kill();
    let server = Server::unix(launch());
    let mut client = server.client();
    assert_eq!(get(&mut client, &thread)["objective"], goal["objective"]);
    assert_eq!(set(&mut client, &thread, json!({"status": "active"}))["status"], "active", "also before it is loaded");
    client.call("thread/resume", json!({"threadId": thread}));
    say(&mut client, &thread);
    assert_eq!(ended(&mut client), "completed");
    assert_eq!(ended(&mut client), "completed");
    assert_eq!(get(&mut client, &thread)["status"], "paused");
    let clear = |client: &mut Client| client.call("thread/goal/clear", json!({"threadId": thread}))["cleared"].take();
    assert_eq!(clear(&mut client), true);
    client.next_notification("thread/goal/cleared");
    assert_eq!((clear(&mut client), get(&mut client, &thread)), (json!(false), Value::Null));
    client.call("thread/delete", json!({"threadId": thread}));
}

#[test]
fn what_is_no_goal_is_refused_in_words() {
    let agent = Agent::new([]);
    let server = agent.server();
    let mut client = server.client();
    let thread = agent.free_thread(&mut client);
    let ephemeral = agent.thread(&mut client, json!({"ephemeral": true}));
    let unknown = "01a22407-64a3-7d20-b2d4-834f9cb217c4".to_owned();
    let cases = [
        (&thread, json!({"status": "paused"}), "no goal exists"),
        (&thread, json!({"objective": " "}), "must not be empty"),
        (&thread, json!({"objective": "x".repeat(4001)}), "at most 4000"),
        (&thread, json!({"objective": "o", "tokenBudget": 0}), "must be positive"),
        (&ephemeral, json!({"objective": "o"}), "not on disk"),
        (&unknown, json!({"objective": "o"}), "thread not found"),
    ];
    for (id, mut params, words) in cases {
        params["threadId"] = json!(id);
        let refusal = client.refusal("thread/goal/set", params);
        assert!(refusal.code == -32600 && refusal.message.contains(words), "{refusal:?}");
    }
    assert!(agent.model.requests().is_empty());
}
