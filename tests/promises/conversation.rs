//! What a conversation goes on from: settings that stay, items that a client adds for the model, turns that are removed.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::model::{Gate, Model, Reply, Wire};
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::transports::over_every_shared_transport;

fn start(client: &mut Client, params: Value) -> String {
    client.call("thread/start", params)["thread"]["id"].as_str().expect("an id").to_owned()
}

/// Says `text` in a new turn, and waits for its end: the id of the turn.
fn converse(client: &mut Client, thread: &str, text: &str) -> String {
    let params = json!({"threadId": thread, "input": [{"type": "text", "text": text}]});
    let turn = client.call("turn/start", params)["turn"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(client.next_notification("turn/completed")["turn"]["status"], "completed");
    turn
}

fn message(role: &str, text: &str) -> Value {
    json!({"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]})
}

/// Everything that the model was sent as text in request `number`.
fn sent(model: &Model, number: usize) -> String {
    model.requests()[number].entries().iter().map(Value::to_string).collect()
}

#[test]
fn settings_are_told_and_hold_also_after_a_restart() {
    let server = Server::unix(Launch::new());
    let home = server.process.home().clone();
    let (mut ann, mut bob) = (server.client(), server.client());
    let thread = start(&mut ann, json!({"modelProvider": "echo", "model": "echo"}));
    bob.call("thread/resume", json!({"threadId": thread}));
    let chosen = json!({"threadId": thread, "effort": "high", "approvalPolicy": "never",
        "sandboxPolicy": {"type": "readOnly", "networkAccess": false}, "disabledPluginIds": ["p"]});
    assert_eq!(ann.call("thread/settings/update", chosen), json!({}));
    for client in [&mut ann, &mut bob] {
        let settings = client.next_notification("thread/settings/updated")["threadSettings"].take();
        assert_eq!(
            (&settings["effort"], &settings["approvalPolicy"], &settings["sandboxPolicy"]["type"]),
            (&json!("high"), &json!("never"), &json!("readOnly"))
        );
        assert_eq!((&settings["model"], &settings["disabledPluginIds"]), (&json!("echo"), &json!(["p"])));
    }
    let both = json!({"threadId": thread, "permissions": ":read-only", "sandboxPolicy": {"type": "readOnly"}});
    let refused = ann.refusal("thread/settings/update", both);
    assert_eq!(refused.message, "`permissions` cannot be combined with `sandboxPolicy`");
    drop((ann, bob, server));
    let server = Server::unix(Launch::at(&home));
    let resumed = server.client().call("thread/resume", json!({"threadId": thread}));
    assert_eq!(
        (&resumed["reasoningEffort"], &resumed["approvalPolicy"], &resumed["sandbox"]["type"]),
        (&json!("high"), &json!("never"), &json!("readOnly"))
    );
}

#[test]
fn what_is_injected_reaches_the_model_and_nobody_else() {
    for (wire, ephemeral) in [(Wire::Responses, false), (Wire::Chat, false), (Wire::Responses, true)] {
        let (model, gate) = (Model::start(), Gate::new());
        model.script([Reply::text("One.").and_pause(&gate), Reply::text("Two.")]);
        let home = model.home(wire);
        let server = Server::unix(Launch::at(&home));
        let mut client = server.client();
        let thread = start(&mut client, json!({"ephemeral": ephemeral}));
        let inject = |items: Value| json!({"threadId": thread, "items": items});
        client.call("thread/inject_items", inject(json!([message("user", "before the first turn")])));
        client.send_request("turn/start", json!({"threadId": thread, "input": [{"type": "text", "text": "hello"}]}));
        gate.wait();
        let mut other = server.client();
        let injected =
            other.send_request("thread/inject_items", inject(json!([message("developer", "during the turn")])));
        gate.open();
        assert_eq!(client.next_notification("turn/completed")["turn"]["status"], "completed");
        assert_eq!(other.answer_to(injected).expect("it is acknowledged"), json!({}));
        converse(&mut client, &thread, "and now");
        let (first, second) = (sent(&model, 0), sent(&model, 1));
        assert!(first.contains("before the first turn") && !first.contains("during the turn"), "{first}");
        assert!(second.contains("during the turn"), "{second}");
        assert!(second.find("One.") < second.find("during the turn"), "it follows the answer: {second}");
    }
}

#[test]
fn what_waits_for_a_slow_model_does_not_keep_its_client_from_interrupting_it() {
    let (model, gate) = (Model::start(), Gate::new());
    model.script([Reply::text("One.").and_pause(&gate)]);
    let home = model.home(Wire::Responses);
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let thread = start(&mut client, json!({}));
    let input = json!([{"type": "text", "text": "hello"}]);
    let turn = client.call("turn/start", json!({"threadId": thread, "input": input}))["turn"]["id"].clone();
    gate.wait();
    let items = json!([message("user", "more")]);
    let inject = json!({"threadId": thread, "items": items});
    // One more than the short requests that one connection may have in flight.
    let injected: Vec<i64> = (0..17).map(|_| client.send_request("thread/inject_items", inject.clone())).collect();
    assert_eq!(client.call("turn/interrupt", json!({"threadId": thread, "turnId": turn})), json!({}));
    assert_eq!(client.next_notification("turn/completed")["turn"]["status"], "interrupted");
    let kept = injected.into_iter().filter(|id| client.answer_to(*id).is_ok()).count();
    assert!(kept >= 16, "as many as may wait for one turn");
}

#[test]
fn more_than_may_wait_for_a_turn_is_refused() {
    let (model, gate) = (Model::start(), Gate::new());
    model.script([Reply::text("One.").and_pause(&gate)]);
    let home = model.home(Wire::Responses);
    let server = Server::unix(Launch::at(&home).setting("turns.waiting_messages", 2));
    let mut client = server.client();
    let thread = start(&mut client, json!({}));
    client.call("turn/start", json!({"threadId": thread, "input": [{"type": "text", "text": "hello"}]}));
    gate.wait();
    let inject = json!({"threadId": thread, "items": [message("user", "more")]});
    let injected: Vec<i64> = (0..10)
        .map(|_| {
            let id = client.send_request("thread/inject_items", inject.clone());
            // Meanwhile the turn takes it in.
            client.call("thread/loaded/list", json!({}));
            id
        })
        .collect();
    gate.open();
    let answers: Vec<_> = injected.into_iter().map(|id| client.answer_to(id).map_err(|error| error.code)).collect();
    let (kept, refused) = answers.split_at(2);
    assert!(kept.iter().all(Result::is_ok) && refused.iter().all(|answer| *answer == Err(-32001)), "{answers:?}");
    assert_eq!(client.next_notification("turn/completed")["turn"]["status"], "completed");
}

#[test]
fn a_thread_that_is_only_in_memory_takes_in_a_bounded_conversation() {
    let server = Server::unix(Launch::new().setting("limits.ephemeral_history_bytes", 4000));
    let mut client = server.client();
    for ephemeral in [true, false] {
        let thread = start(&mut client, json!({"ephemeral": ephemeral}));
        let inject = |bytes: usize| json!({"threadId": thread, "items": [message("user", &"x".repeat(bytes))]});
        client.call("thread/inject_items", inject(2000));
        if ephemeral {
            let refused = client.refusal("thread/inject_items", inject(2000));
            assert!(refused.code == -32600 && refused.message.contains("ephemeral_history_bytes"), "{refused:?}");
            client.call("thread/inject_items", inject(20));
        } else {
            client.call("thread/inject_items", inject(2000));
        }
    }
}

#[test]
fn what_the_model_could_not_read_is_not_injected() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let thread = start(&mut client, json!({}));
    for (items, words) in [
        (json!([]), "items must not be empty"),
        (json!([message("user", "a"), {}]), "items[1] is not a valid response item: missing field `type`"),
        (json!([7]), "items[0] is not a valid response item"),
    ] {
        let refused = client.refusal("thread/inject_items", json!({"threadId": thread, "items": items}));
        assert!(refused.code == -32600 && refused.message.starts_with(words), "{refused:?}");
    }
}

#[test]
fn a_reverted_thread_has_forgotten_its_last_turns() {
    let model = Model::start();
    model.script(["One.", "Two.", "Three.", "Four."].map(Reply::text));
    let home = model.home(Wire::Responses);
    let server = Server::unix(Launch::at(&home));
    let (mut client, mut other) = (server.client(), server.client());
    let thread = start(&mut client, json!({}));
    let turns = ["first", "second", "third"].map(|text| converse(&mut client, &thread, text));
    other.call("thread/resume", json!({"threadId": thread}));
    let unknown = client.refusal("thread/revert", json!({"threadId": thread, "beforeTurnId": "x"}));
    assert_eq!(unknown.message, "turn not found: x");
    let reverted = client.call("thread/revert", json!({"threadId": thread, "beforeTurnId": turns[1]}));
    assert_eq!((&reverted["thread"]["id"], &reverted["thread"]["turns"]), (&json!(thread), &json!([])));
    assert!(reverted["turnsBackwardsCursor"].is_string(), "{reverted}");
    for client in [&mut client, &mut other] {
        assert_eq!(client.next_notification("thread/reverted")["threadId"], thread);
    }
    converse(&mut client, &thread, "fourth");
    other.next_notification("turn/completed");
    let seen = sent(&model, 3);
    assert!(seen.contains("first") && seen.contains("One."), "{seen}");
    assert!(!seen.contains("second") && !seen.contains("Three."), "{seen}");
    let read = client.call("thread/read", json!({"threadId": thread, "includeTurns": true}));
    let ids: Vec<&Value> = read["thread"]["turns"].as_array().expect("turns").iter().map(|turn| &turn["id"]).collect();
    assert_eq!((ids.len(), ids[0]), (2, &json!(turns[0])));
}

#[test]
fn a_thread_at_work_is_not_reverted() {
    over_every_shared_transport(|serving| {
        let mut client = serving.client();
        let thread = start(&mut client, json!({"modelProvider": "echo", "model": "echo"}));
        let words = json!([{"type": "text", "text": "slow: 20000\na long story"}]);
        let turn = client.call("turn/start", json!({"threadId": thread, "input": words}))["turn"]["id"].clone();
        let refused = client.refusal("thread/revert", json!({"threadId": thread, "beforeTurnId": turn}));
        assert!(refused.message.starts_with("a turn is running"), "{refused:?}");
        client.call("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
        client.next_notification("turn/completed");
        client.call("thread/revert", json!({"threadId": thread, "beforeTurnId": turn}));
        client.next_notification("thread/reverted");
    });
}

#[test]
fn a_plan_is_shown_as_an_item_of_its_own_while_the_person_plans() {
    let model = Model::start();
    let plan = "Here it is:\n<proposed_plan>\n- dig\n- plant\n</proposed_plan>\n";
    model.script([Reply::text(plan), Reply::text(plan)]);
    let home = model.home(Wire::Responses);
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let thread = start(&mut client, json!({}));
    let mode = |kind: &str| json!({"mode": kind, "settings": {"model": "loopback", "reasoning_effort": null, "developer_instructions": null}});
    client.call("thread/settings/update", json!({"threadId": thread, "collaborationMode": mode("plan")}));
    let settings = client.next_notification("thread/settings/updated");
    assert_eq!(settings["threadSettings"]["collaborationMode"]["mode"], "plan");
    let params = json!({"threadId": thread, "input": [{"type": "text", "text": "a garden"}]});
    client.call("turn/start", params);
    let mut planned = String::new();
    let items: Vec<Value> = (0..3)
        .map(|_| {
            loop {
                let message: Value = serde_json::from_str(&client.next_text("an item")).expect("JSON");
                match message["method"].as_str() {
                    Some("item/plan/delta") => planned += message["params"]["delta"].as_str().expect("text"),
                    Some("item/completed") => break message["params"]["item"].clone(),
                    _ => {}
                }
            }
        })
        .collect();
    assert_eq!((items[1]["type"].as_str(), items[1]["text"].as_str()), (Some("plan"), Some("- dig\n- plant\n")));
    assert_eq!((items[2]["type"].as_str(), items[2]["text"].as_str()), (Some("agentMessage"), Some("Here it is:\n")));
    assert_eq!(planned, "- dig\n- plant\n");
    client.next_notification("turn/completed");
    assert!(sent(&model, 0).contains("proposed_plan"), "the model is told how");

    client.call("thread/settings/update", json!({"threadId": thread, "collaborationMode": mode("default")}));
    converse(&mut client, &thread, "go");
    assert!(sent(&model, 1).contains("do the work"), "the model is told that it is over");
    let read = client.call("thread/read", json!({"threadId": thread, "includeTurns": true}));
    let last = read["thread"]["turns"][1]["items"].as_array().expect("items").last().expect("one")["text"].clone();
    assert_eq!(last, plan, "otherwise it is text");
}
