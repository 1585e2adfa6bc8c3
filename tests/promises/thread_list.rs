//! Threads can be found again: listed, filtered, sorted, and paged.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::process::Launch;
use crate::support::server::Server;

/// Starts threads with these names, each in `/<name>`; the ids in the same order.
fn named(client: &mut Client, names: &[&str]) -> Vec<String> {
    names
        .iter()
        .map(|name| {
            let cwd = format!("/{name}");
            let id = client.call("thread/start", json!({"cwd": cwd}))["thread"]["id"].take();
            client.call("thread/name/set", json!({"threadId": id, "name": name}));
            id.as_str().expect("an id").to_owned()
        })
        .collect()
}

fn names(client: &mut Client, params: Value) -> Vec<String> {
    let page = client.call("thread/list", params);
    let threads = page["data"].as_array().expect("a list");
    threads.iter().map(|thread| thread["name"].as_str().expect("a name").to_owned()).collect()
}

/// Follows the cursor to the end.
fn all_pages(client: &mut Client, method: &str, mut params: Value) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    loop {
        let mut page = client.call(method, params.clone());
        pages.push(page["data"].as_array().expect("a list").clone());
        params["cursor"] = page["nextCursor"].take();
        if params["cursor"].is_null() {
            return pages;
        }
        assert!(pages.len() < 20, "the cursor goes in circles: {pages:?}");
    }
}

#[test]
fn a_thread_is_listed_once_it_has_a_name() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let id = client.call("thread/start", json!({}))["thread"]["id"].take();
    let empty = json!({"data": [], "readStates": {}, "nextCursor": null, "backwardsCursor": null});
    assert_eq!(client.call("thread/list", json!({})), empty);
    client.call("thread/name/set", json!({"threadId": id, "name": "now"}));
    let page = client.call("thread/list", json!({}));
    assert_eq!(page["data"][0]["id"], id);
    assert_eq!((&page["nextCursor"], page["backwardsCursor"].is_string()), (&Value::Null, true));
    assert_eq!((&page["data"][0]["status"]["type"], &page["data"][0]["turns"]), (&json!("idle"), &json!([])));
}

#[test]
fn the_newest_comes_first_unless_asked_otherwise() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    named(&mut client, &["a", "b", "c"]);
    assert_eq!(names(&mut client, json!({})), ["c", "b", "a"]);
    assert_eq!(names(&mut client, json!({"sortDirection": "asc"})), ["a", "b", "c"]);
    for key in ["created_at", "updated_at", "recency_at"] {
        let mut down = names(&mut client, json!({"sortKey": key}));
        down.reverse();
        assert_eq!(names(&mut client, json!({"sortKey": key, "sortDirection": "asc"})), down, "{key}");
    }
}

#[test]
fn pages_follow_each_other_without_gap_or_overlap() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let mut ids = named(&mut client, &["a", "b", "c", "d", "e"]);
    for (direction, key) in
        [("asc", "created_at"), ("asc", "updated_at"), ("desc", "created_at"), ("desc", "recency_at")]
    {
        let params = json!({"limit": 2, "sortDirection": direction, "sortKey": key});
        let pages = all_pages(&mut client, "thread/list", params);
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        let mut seen: Vec<String> =
            pages.concat().iter().map(|thread| thread["id"].as_str().expect("an id").to_owned()).collect();
        if key == "created_at" {
            let mut expected = ids.clone();
            if direction == "desc" {
                expected.reverse();
            }
            assert_eq!(seen, expected, "{direction}");
        }
        seen.sort();
        ids.sort();
        assert_eq!(seen, ids, "{direction} by {key}");
    }
}

#[test]
fn the_backwards_cursor_finds_what_came_since() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    named(&mut client, &["old", "older"]);
    let cursor = client.call("thread/list", json!({"limit": 1}))["backwardsCursor"].take();
    named(&mut client, &["new"]);
    let since = names(&mut client, json!({"cursor": cursor, "sortDirection": "asc"}));
    assert_eq!(since.last().map(String::as_str), Some("new"), "{since:?}");
}

#[test]
fn filters_leave_out_what_does_not_fit() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let ids = named(&mut client, &["needle", "Hay", "100%_", "away"]);
    client.call("thread/archive", json!({"threadId": ids[3]}));
    let cases = [
        (json!({"archived": true}), vec!["away"]),
        (json!({"archived": false}), vec!["100%_", "Hay", "needle"]),
        (json!({"searchTerm": "eedl"}), vec!["needle"]),
        (json!({"searchTerm": "hay"}), vec![]),
        (json!({"searchTerm": "0%_"}), vec!["100%_"]),
        (json!({"searchTerm": "%"}), vec!["100%_"]),
        (json!({"searchTerm": ""}), vec!["100%_", "Hay", "needle"]),
        (json!({"cwd": "/Hay"}), vec!["Hay"]),
        (json!({"cwd": "/Hay/"}), vec!["Hay"]),
        (json!({"cwd": ["/Hay", "/needle"]}), vec!["Hay", "needle"]),
        (json!({"cwd": "Hay"}), vec![]),
        (json!({"sourceKinds": []}), vec!["100%_", "Hay", "needle"]),
        (json!({"sourceKinds": ["vscode"]}), vec!["100%_", "Hay", "needle"]),
        (json!({"sourceKinds": ["cli"]}), vec![]),
        (json!({"modelProviders": []}), vec!["100%_", "Hay", "needle"]),
        (json!({"modelProviders": ["nobody"]}), vec![]),
        (json!({"excludedThreadIds": [ids[0], ids[2]]}), vec!["Hay"]),
        (json!({"includedThreadIds": null}), vec!["100%_", "Hay", "needle"]),
        (json!({"includedThreadIds": []}), vec![]),
        (json!({"includedThreadIds": [ids[0], ids[2], ids[3]]}), vec!["100%_", "needle"]),
        (json!({"includedThreadIds": [ids[0], ids[2]], "excludedThreadIds": [ids[0]]}), vec!["100%_"]),
        (json!({"includedThreadIds": [ids[0]], "cwd": "/Hay"}), vec![]),
        (json!({"useStateDbOnly": true}), vec!["100%_", "Hay", "needle"]),
        (json!({"searchTerm": "needle", "cwd": "/Hay"}), vec![]),
    ];
    for (params, expected) in cases {
        assert_eq!(names(&mut client, params.clone()), expected, "{params}");
    }
}

#[test]
fn limits_and_cursors_are_taken_at_their_word() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    named(&mut client, &["a", "b"]);
    assert_eq!(names(&mut client, json!({"limit": 0})), ["b"], "0 acts as 1");
    assert_eq!(names(&mut client, json!({"limit": 100_000})), ["b", "a"]);
    for cursor in ["garbage", ""] {
        let error = client.refusal("thread/list", json!({"cursor": cursor}));
        assert_eq!((error.code, error.message), (-32600, format!("invalid cursor: {cursor}")));
    }
}

#[test]
fn a_list_of_ids_is_short_and_its_ids_are_ids() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let id = named(&mut client, &["only"]).remove(0);
    for kind in ["included", "excluded"] {
        let member = format!("{kind}ThreadIds");
        let mut refused = |ids: Vec<Value>| {
            // A filter that nothing passes does not hide the fault.
            let error = client.refusal("thread/list", json!({&member: ids, "parentThreadId": id}));
            (error.code, error.message)
        };
        let (code, message) = refused(vec![json!("nope")]);
        assert!(message.starts_with(&format!("invalid {kind} thread id: ")), "{message}");
        assert_eq!(code, -32602);
        assert_eq!(refused(vec![json!(id); 101]), (-32602, format!("{member} accepts at most 100 entries")));
        client.call("thread/list", json!({&member: vec![&id; 100]}));
    }
}

#[test]
fn nothing_is_attached_to_a_thread() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let id = named(&mut client, &["bare"]).remove(0);
    for id in [id.as_str(), "01a202db-1602-7460-9131-7de1ed2f5379"] {
        let page = client.call("thread/attachment/list", json!({"threadId": id, "limit": 0}));
        assert_eq!(page, json!({"data": [], "nextCursor": null}));
    }
    let error = client.refusal("thread/attachment/list", json!({"threadId": id, "cursor": ""}));
    assert_eq!((error.code, error.message.as_str()), (-32602, "invalid pagination cursor"));
    let error = client.refusal("thread/attachment/list", json!({"threadId": "nope"}));
    assert!(error.code == -32602 && error.message.starts_with("invalid thread id: "), "{}", error.message);
}

/// The reference program refuses this filter.
#[test]
fn a_list_can_be_narrowed_to_the_clients_that_started_the_threads() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let thread = client.call("thread/start", json!({}))["thread"].take();
    client.call("thread/name/set", json!({"threadId": thread["id"], "name": "mine"}));
    let listed = |client: &mut Client, originator: &Value| {
        let list = client.call("thread/list", json!({"originators": [originator]}));
        list["data"].as_array().unwrap().len()
    };
    assert_eq!(listed(&mut client, &thread["originator"]), 1);
    assert_eq!(listed(&mut client, &json!("somebody else")), 0);
}

#[test]
fn the_loaded_threads_are_listed_page_by_page() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let ids: Vec<Value> = (0..3).map(|_| client.call("thread/start", json!({}))["thread"]["id"].take()).collect();
    assert_eq!(client.call("thread/loaded/list", json!({})), json!({"data": ids, "nextCursor": null}));
    let pages = all_pages(&mut client, "thread/loaded/list", json!({"limit": 1}));
    assert_eq!(pages.concat(), ids);
    let error = client.refusal("thread/loaded/list", json!({"cursor": "zzz"}));
    assert_eq!((error.code, error.message.as_str()), (-32600, "invalid cursor: zzz"));
}

#[test]
fn a_thread_without_a_turn_has_empty_pages_of_turns_and_items() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let id = named(&mut client, &["empty"]).remove(0);
    let empty = json!({"data": [], "nextCursor": null, "backwardsCursor": null});
    for method in ["thread/turns/list", "thread/items/list"] {
        assert_eq!(client.call(method, json!({"threadId": id, "limit": 1})), empty, "{method}");
        let error = client.refusal(method, json!({"threadId": id, "cursor": "garbage"}));
        assert_eq!((error.code, error.message.as_str()), (-32600, "invalid cursor: garbage"), "{method}");
    }
    let read = client.call("thread/read", json!({"threadId": id, "includeTurns": true}));
    assert_eq!(read["thread"]["turns"], json!([]));
}

#[test]
fn a_search_needs_a_term_and_finds_nothing_where_nothing_was_said() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    named(&mut client, &["needle"]);
    for blank in ["", " ", "\t\n", "\u{a0}", "\u{3000}"] {
        let error = client.refusal("thread/search", json!({"searchTerm": blank}));
        assert_eq!((error.code, error.message.as_str()), (-32600, "thread/search requires a non-empty searchTerm"));
    }
    let error = client.refusal("thread/search", json!({"searchTerm": "a", "cursor": "garbage"}));
    assert_eq!((error.code, error.message.as_str()), (-32600, "invalid cursor: garbage"));
    let empty = json!({"data": [], "nextCursor": null, "backwardsCursor": null});
    assert_eq!(client.call("thread/search", json!({"searchTerm": "nothing like it"})), empty);
}

#[test]
fn a_search_by_stream_has_all_of_it_in_its_answer_and_is_cancelled_with_an_answer() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    named(&mut client, &["needle"]);
    let searching = client.send_request("thread/search/stream", json!({"searchTerm": "needle"}));
    assert_eq!(client.call("thread/search/stream/cancel", json!({"requestId": searching})), json!({}));
    let found = client.answer_to(searching).expect("it is over");
    assert_eq!(found["data"][0]["thread"]["name"], "needle");
    assert_eq!(client.call("thread/search/cancel", json!({"requestId": "of nothing"})), json!({}));
    let error = client.refusal("thread/search/stream", json!({"searchTerm": "x".repeat(65_537)}));
    assert_eq!(
        (error.code, error.message.as_str()),
        (-32602, "thread/search/stream searchTerm exceeds 65536 UTF-8 bytes")
    );
    assert_eq!(client.refusal("thread/search/stream", json!({"searchTerm": " "})).code, -32600);
}
