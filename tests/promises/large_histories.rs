//! Long histories: sent whole and in order, only to a client that reads, and at nobody else's expense.

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

/// Items of the history, of about 10 kB each.
const ITEMS: usize = 300;

/// A home with a thread that has a long history; its id.
fn home_with_history() -> (Home, String) {
    let home = Home::new();
    let mut server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let id = client.call("thread/start", json!({}))["thread"]["id"].as_str().expect("an id").to_owned();
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
    let mut database = SqliteConnection::establish(home.database().to_str().expect("text")).expect("it opens");
    let history = format!(
        "INSERT INTO turns (thread_id, ordinal, id, status) VALUES ('{id}', 1, 'turn', '\"completed\"');
         UPDATE threads SET has_turns = 1 WHERE id = '{id}';
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {ITEMS})
         INSERT INTO items (thread_id, ordinal, turn_id, id, kind, text, item)
         SELECT '{id}', n, 'turn', 'item ' || n, 'agentMessage', '',
             json_object('type', 'agentMessage', 'id', 'item ' || n, 'text', hex(zeroblob(5000)), 'phase', null,
                 'moderation', null, 'memoryCitation', null, 'delivery', null, 'questions', null,
                 'startedAtMs', null, 'completedAtMs', null)
         FROM numbers"
    );
    database.batch_execute(&history).expect("the history is written");
    (home, id)
}

fn items(thread: &Value) -> usize {
    thread["turns"][0]["items"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_client_that_does_not_read_gets_its_large_answers_one_after_the_other_and_delays_nobody() {
    let (home, id) = home_with_history();
    // Two of the answers fit, eight do not.
    let server = Server::unix(Launch::at(&home).setting("limits.outbound_bytes", "8388608"));
    let (mut reads_late, mut other) = (server.client(), server.client());
    let mut asked = Vec::new();
    for _ in 0..4 {
        asked.push(reads_late.send_request("thread/read", json!({"threadId": id, "includeTurns": true})));
        asked.push(reads_late.send_request("thread/resume", json!({"threadId": id})));
    }
    for n in 0..50 {
        other.call("thread/name/set", json!({"threadId": id, "name": format!("name {n}")}));
        assert_eq!(other.call("thread/read", json!({"threadId": id}))["thread"]["name"], format!("name {n}"));
    }
    for id in asked {
        let answer = reads_late.next_answer();
        assert_eq!((&answer["id"], items(&answer["result"]["thread"])), (&json!(id), ITEMS));
    }
}

#[test]
fn every_way_to_read_a_long_history_brings_all_of_it() {
    let (home, id) = home_with_history();
    let server = Server::unix(Launch::at(&home));
    let mut client: Client = server.client();
    let of = |method: &str, params: Value, client: &mut Client| items(&client.call(method, params)["thread"]);
    assert_eq!(of("thread/read", json!({"threadId": id, "includeTurns": true}), &mut client), ITEMS);
    assert_eq!(of("thread/resume", json!({"threadId": id}), &mut client), ITEMS);
    assert_eq!(of("thread/fork", json!({"threadId": id}), &mut client), ITEMS);
    let turns = client.call("thread/turns/list", json!({"threadId": id, "itemsView": "full"}));
    assert_eq!(turns["data"][0]["items"].as_array().map(Vec::len), Some(ITEMS));
    let page = client.call("thread/items/list", json!({"threadId": id, "limit": 100}));
    assert_eq!(page["data"].as_array().map(Vec::len), Some(100));
}
