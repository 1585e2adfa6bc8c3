//! A turn: a model answers, everyone who follows the thread sees the same, and all of it is on disk.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::eventually;
use crate::support::home::Home;
use crate::support::model::{Gate, Model, Reply, Wire};
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::transports::{over_every_shared_transport, over_every_transport};

/// A new thread that the built-in model answers.
fn start(client: &mut Client) -> String {
    let thread = client.call("thread/start", json!({"modelProvider": "echo", "model": "echo"}));
    thread["thread"]["id"].as_str().expect("an id").to_owned()
}

/// Says `text` in a new turn: the id of the turn.
fn say(client: &mut Client, thread: &str, text: &str) -> String {
    let params = json!({"threadId": thread, "input": [{"type": "text", "text": text}]});
    client.call("turn/start", params)["turn"]["id"].as_str().expect("an id").to_owned()
}

/// What this client is told until a turn ends: the notifications of the turn, and last the turn itself.
fn follow(client: &mut Client) -> (Vec<Value>, Value) {
    let mut told = Vec::new();
    loop {
        let message: Value = serde_json::from_str(&client.next_text("the end of a turn")).expect("JSON");
        let method = message["method"].as_str().unwrap_or_default();
        if method == "turn/completed" {
            return (told, message["params"]["turn"].clone());
        }
        if method.starts_with("turn/") || method.starts_with("item/") || method == "error" {
            told.push(message);
        }
    }
}

fn text_of(told: &[Value]) -> String {
    let deltas = told.iter().filter(|message| message["method"] == "item/agentMessage/delta");
    deltas.filter_map(|message| message["params"]["delta"].as_str()).collect()
}

/// The text of the agent's messages in the history of a thread.
fn history(client: &mut Client, thread: &str) -> Vec<(String, String)> {
    let read = client.call("thread/read", json!({"threadId": thread, "includeTurns": true}));
    let turns = read["thread"]["turns"].as_array().expect("turns").clone();
    let items = |turn: &Value| turn["items"].as_array().expect("items").clone();
    let message = |turn: &Value, item: &Value| {
        let text = item["text"].as_str()?;
        Some((turn["status"].as_str()?.to_owned(), text.to_owned()))
    };
    turns
        .iter()
        .flat_map(|turn| items(turn).iter().filter_map(|item| message(turn, item)).collect::<Vec<_>>())
        .collect()
}

#[test]
fn a_turn_streams_an_answer_and_keeps_it() {
    over_every_transport(|serving| {
        let mut client = serving.client();
        let thread = start(&mut client);
        let turn = say(&mut client, &thread, "hello there");
        let (told, ended) = follow(&mut client);
        assert_eq!((&ended["id"], &ended["status"]), (&json!(turn), &json!("completed")));
        let text = text_of(&told);
        assert!(text.contains("hello there"), "{text:?}");
        let last = &ended["items"][0];
        assert_eq!((last["type"].as_str(), last["text"].as_str()), (Some("agentMessage"), Some(text.as_str())));

        let methods: Vec<&str> = told.iter().filter_map(|message| message["method"].as_str()).collect();
        assert_eq!(methods[..4], ["turn/started", "item/started", "item/completed", "item/started"], "{methods:?}");
        assert_eq!(methods.last(), Some(&"item/completed"), "{methods:?}");
        assert_eq!(history(&mut client, &thread), [("completed".to_owned(), text)]);
    });
}

#[test]
fn two_clients_see_the_same_turn() {
    over_every_shared_transport(|serving| {
        let (mut ann, mut bob) = (serving.client(), serving.client());
        let thread = start(&mut ann);
        bob.call("thread/name/set", json!({"threadId": thread, "name": "shared"}));
        bob.call("thread/resume", json!({"threadId": thread}));
        say(&mut ann, &thread, "for both of us");
        assert_eq!(follow(&mut ann), follow(&mut bob));
    });
}

#[test]
fn an_interrupted_turn_ends_at_once_and_keeps_what_was_shown() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let thread = start(&mut client);
    let turn = say(&mut client, &thread, "slow: 20000\nonce upon a time there was a very long story");
    let shown = client.next_notification("item/agentMessage/delta")["delta"].as_str().expect("text").to_owned();
    let wrong = client.refusal("turn/interrupt", json!({"threadId": thread, "turnId": "another"}));
    assert_eq!(wrong.message, format!("expected active turn id another but found {turn}"));
    client.call("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    let (_, ended) = follow(&mut client);
    assert_eq!((&ended["id"], &ended["status"]), (&json!(turn), &json!("interrupted")));
    let kept = history(&mut client, &thread);
    assert_eq!(kept, [("interrupted".to_owned(), shown)]);
    let idle = client.refusal("turn/interrupt", json!({"threadId": thread, "turnId": ""}));
    assert_eq!(idle.message, "no active turn to interrupt");
}

#[test]
fn words_during_a_turn_join_it() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let thread = start(&mut client);
    let turn = say(&mut client, &thread, "slow: 20000\na long answer to be cut short");
    client.next_notification("item/agentMessage/delta");
    let steer = json!({"threadId": thread, "expectedTurnId": turn, "input": [{"type": "text", "text": "rather this"}]});
    assert_eq!(client.call("turn/steer", steer), json!({"turnId": turn}));
    let (told, ended) = follow(&mut client);
    assert_eq!(ended["status"], "completed");
    assert!(text_of(&told).contains("rather this"), "{told:?}");
    let kept = history(&mut client, &thread);
    assert_eq!(kept.len(), 2, "the message that was cut stays, and the answer to the new words follows: {kept:?}");
}

#[test]
fn a_turn_whose_end_cannot_be_kept_is_over_for_its_clients_all_the_same() {
    let home = Home::new();
    let server = Server::unix(Launch::at(&home));
    let (mut client, mut other) = (server.client(), server.client());
    let thread = start(&mut client);
    other.call("thread/resume", json!({"threadId": thread}));
    let turn = say(&mut client, &thread, "slow: 100\none two three four five six seven eight");
    client.next_notification("item/agentMessage/delta");
    let mut database = SqliteConnection::establish(home.database().to_str().expect("text")).expect("it opens");
    database.batch_execute("PRAGMA busy_timeout = 60000").expect("it waits for the server's own writes");
    // What it says meanwhile is kept.
    let refused = "WHEN NEW.status <> '\"inProgress\"' BEGIN SELECT RAISE(ABORT, 'no ends'); END";
    let triggers = format!(
        "CREATE TRIGGER no_update BEFORE UPDATE ON turns {refused};
         CREATE TRIGGER no_insert BEFORE INSERT ON turns {refused};"
    );
    database.batch_execute(&triggers).expect("triggers");
    for client in [&mut client, &mut other] {
        let (_, ended) = follow(client);
        assert_eq!((&ended["id"], &ended["status"]), (&json!(turn), &json!("failed")), "{ended}");
        let message = ended["error"]["message"].as_str().expect("a reason");
        assert!(message.contains("cannot be kept"), "{message}");
    }
    database.batch_execute("DROP TRIGGER no_update; DROP TRIGGER no_insert").expect("gone again");
    say(&mut client, &thread, "and on");
    assert_eq!(follow(&mut client).1["status"], "completed");
}

#[test]
fn the_next_turn_begins_with_the_same_bytes_also_after_a_restart() {
    for wire in [Wire::Responses, Wire::Chat] {
        let model = Model::start();
        model.script([Reply::text("One."), Reply::text("Two."), Reply::text("Three.")]);
        let home = model.home(wire);
        let server = Server::unix(Launch::at(&home));
        let mut client = server.client();
        let thread = client.call("thread/start", json!({}))["thread"]["id"].as_str().expect("an id").to_owned();
        for text in ["first", "second"] {
            say(&mut client, &thread, text);
            assert_eq!(follow(&mut client).1["status"], "completed");
        }
        drop((client, server));
        let server = Server::unix(Launch::at(&home));
        let mut client = server.client();
        client.call("thread/resume", json!({"threadId": thread}));
        say(&mut client, &thread, "third");
        assert_eq!(follow(&mut client).1["status"], "completed");

        let requests: Vec<Vec<Value>> = model.requests().iter().map(|request| request.entries()).collect();
        for pair in requests.windows(2) {
            assert_eq!(pair[1][..pair[0].len()], pair[0][..], "the conversation so far is sent unchanged");
        }
        let said: Vec<String> = model.requests()[2].said_by("assistant");
        assert_eq!(said, ["One.", "Two."]);
    }
}

#[test]
fn the_first_request_is_small_and_a_schema_is_for_one_turn() {
    const MOST_BYTES: usize = 12_000;
    for wire in [Wire::Responses, Wire::Chat] {
        let model = Model::start();
        model.script([Reply::text("{}"), Reply::text("Free.")]);
        let home = model.home(wire);
        let server = Server::unix(Launch::at(&home));
        let mut client = server.client();
        let thread = client.call("thread/start", json!({}))["thread"]["id"].as_str().expect("an id").to_owned();
        let schema = json!({"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]});
        let words = json!([{"type": "text", "text": "hello"}]);
        client.call("turn/start", json!({"threadId": thread, "input": words, "outputSchema": schema}));
        assert_eq!(follow(&mut client).1["status"], "completed");
        say(&mut client, &thread, "and now freely");
        assert_eq!(follow(&mut client).1["status"], "completed");
        let requests = model.requests();
        let asked_for = |number: usize| match wire {
            Wire::Responses => requests[number].body["text"]["format"]["schema"].clone(),
            Wire::Chat => requests[number].body["response_format"]["json_schema"]["schema"].clone(),
        };
        assert_eq!((asked_for(0), asked_for(1)), (schema, Value::Null));
        let bytes = requests[0].http.body.len();
        assert!(bytes <= MOST_BYTES, "an empty thread sends {bytes} bytes");
    }
}

#[test]
fn a_failed_turn_says_why_and_the_thread_goes_on() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let thread = start(&mut client);
    say(&mut client, &thread, "fail: unauthorized");
    let (told, ended) = follow(&mut client);
    assert_eq!(ended["status"], "failed");
    let error = told.iter().find(|message| message["method"] == "error").expect("an error");
    assert_eq!((&error["params"]["willRetry"], &error["params"]["error"]), (&json!(false), &ended["error"]));
    say(&mut client, &thread, "still there?");
    assert_eq!(follow(&mut client).1["status"], "completed");
}

#[test]
fn a_killed_server_loses_no_more_than_the_last_moment_of_an_answer() {
    let mut server = Server::unix(Launch::new());
    let home = server.process.home().clone();
    let mut client = server.client();
    let thread = start(&mut client);
    say(&mut client, &thread, "slow: 400\none two three four five six seven eight nine ten");
    let shown: Vec<String> = (0..3)
        .map(|_| client.next_notification("item/agentMessage/delta")["delta"].as_str().expect("text").to_owned())
        .collect();
    server.process.kill();
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let kept = history(&mut client, &thread);
    let [(status, text)] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!(status, "interrupted");
    assert!(text.starts_with(&shown[0]), "{text:?} after {shown:?}");
    client.call("thread/resume", json!({"threadId": thread}));
    say(&mut client, &thread, "go on");
    assert_eq!(follow(&mut client).1["status"], "completed");
}

#[test]
fn after_a_kill_the_model_knows_what_it_had_said() {
    for wire in [Wire::Responses, Wire::Chat] {
        let model = Model::start();
        let gate = Gate::new();
        model.script([Reply::text("Half of it").and_pause(&gate), Reply::text("Going on.")]);
        let home = model.home(wire);
        let mut server = Server::unix(Launch::at(&home));
        let mut client = server.client();
        let thread = client.call("thread/start", json!({}))["thread"]["id"].as_str().expect("an id").to_owned();
        say(&mut client, &thread, "tell me");
        client.next_notification("item/agentMessage/delta");
        // Until it is on disk, at most half a second of text may be lost.
        eventually("the text is on disk", || {
            history(&mut client, &thread).iter().any(|(_, text)| text == "Half of it")
        });
        server.process.kill();
        let server = Server::unix(Launch::at(&home));
        let mut client = server.client();
        client.call("thread/resume", json!({"threadId": thread}));
        say(&mut client, &thread, "go on");
        assert_eq!(follow(&mut client).1["status"], "completed");
        assert_eq!(model.requests()[1].said_by("assistant"), ["Half of it"]);
    }
}

#[test]
fn who_joins_in_the_middle_of_a_turn_has_its_text_so_far_and_then_every_piece_once() {
    over_every_shared_transport(|serving| {
        let (mut ann, mut bob) = (serving.client(), serving.client());
        let thread = start(&mut ann);
        let words = "slow: 40\none two three four five six seven eight nine ten eleven twelve thirteen fourteen";
        say(&mut ann, &thread, words);
        for _ in 0..2 {
            ann.next_notification("item/agentMessage/delta");
        }
        let mut resumed = bob.call("thread/resume", json!({"threadId": thread}));
        assert_eq!(resumed["thread"]["status"]["type"], "active");
        let turn = resumed["thread"]["turns"][0].take();
        assert_eq!(turn["status"], "inProgress");
        let so_far =
            turn["items"].as_array().and_then(|items| items.last()?["text"].as_str()).expect("a text").to_owned();
        let (told, ended) = follow(&mut bob);
        let text = ended["items"][0]["text"].as_str().expect("a text");
        assert_eq!(so_far + &text_of(&told), text);
    });
}
