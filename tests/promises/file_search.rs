//! Clients find files by parts of their names (`fuzzyFileSearch`).

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::transports::{over_every_shared_transport, over_every_transport};

fn tree(files: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for file in files {
        write(&dir, file);
    }
    dir
}

fn write(dir: &TempDir, file: &str) {
    let path = dir.path().join(file);
    fs::create_dir_all(path.parent().expect("it has a parent")).expect("directories are made");
    fs::write(path, "").expect("a file is written");
}

fn paths(result: &Value) -> Vec<&str> {
    let files = result["files"].as_array().expect("a list of files");
    files.iter().map(|file| file["path"].as_str().expect("a path")).collect()
}

/// The session has answered `query`: what it found.
fn updated(client: &mut Client, session: &str, query: &str) -> Value {
    let updated = client.next_notification("fuzzyFileSearch/sessionUpdated");
    assert_eq!((&updated["sessionId"], &updated["query"]), (&json!(session), &json!(query)));
    let completed = client.next_notification("fuzzyFileSearch/sessionCompleted");
    assert_eq!(completed, json!({"sessionId": session}));
    updated
}

#[test]
fn results_have_the_reference_programs_form_and_scores() {
    over_every_transport(|server| {
        let dir = tree(&["src/main.rs", "src/other.rs", "a/main"]);
        let mut client = server.client();
        let found = client.call("fuzzyFileSearch", json!({"query": "main", "roots": [dir.path()]}));
        let file = |path: &str, name: &str, score: u32, indices: Value| json!({"root": dir.path(), "path": path, "match_type": "file", "file_name": name, "score": score, "indices": indices});
        let expected = [
            file("a/main", "main", 196_717, json!([2, 3, 4, 5])),
            file("src/main.rs", "main.rs", 65_645, json!([4, 5, 6, 7])),
        ];
        assert_eq!(found, json!({"files": expected}));
        for (query, roots) in [("", json!([dir.path()])), ("main", json!([])), ("main", json!(["/no/such/directory"]))]
        {
            assert_eq!(client.call("fuzzyFileSearch", json!({"query": query, "roots": roots})), json!({"files": []}));
        }
    });
}

#[test]
fn a_file_inside_of_two_roots_is_found_once_in_the_inner_one() {
    over_every_transport(|server| {
        let dir = tree(&["src/main.rs"]);
        let roots = [dir.path().to_owned(), dir.path().join("src"), dir.path().to_owned()];
        let mut client = server.client();
        let found = client.call("fuzzyFileSearch", json!({"query": "main.rs", "roots": roots}));
        assert_eq!(paths(&found), ["main.rs"]);
        assert_eq!(found["files"][0]["root"], json!(roots[1]));
    });
}

#[test]
fn what_was_found_is_never_stale() {
    over_every_transport(|server| {
        let dir = tree(&["one.txt", "sub/deep/two.txt"]);
        let mut client = server.client();
        let search = |client: &mut Client| {
            let found = client.call("fuzzyFileSearch", json!({"query": "txt", "roots": [dir.path()]}));
            paths(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(search(&mut client), ["one.txt", "sub/deep/two.txt"]);
        write(&dir, "sub/deep/new.txt");
        assert_eq!(search(&mut client), ["one.txt", "sub/deep/new.txt", "sub/deep/two.txt"]);
        fs::remove_file(dir.path().join("one.txt")).expect("a file is removed");
        assert_eq!(search(&mut client), ["sub/deep/new.txt", "sub/deep/two.txt"]);
        fs::rename(dir.path().join("sub"), dir.path().join("bus")).expect("a directory is renamed");
        assert_eq!(search(&mut client), ["bus/deep/new.txt", "bus/deep/two.txt"]);
    });
}

#[test]
fn a_session_tells_its_own_connection_alone() {
    over_every_shared_transport(|server| {
        let dir = tree(&["main.rs", "other.rs"]);
        let (mut client, mut other) = (server.client(), server.client());
        client.call("fuzzyFileSearch/sessionStart", json!({"sessionId": "s", "roots": [dir.path()]}));
        assert_eq!(updated(&mut client, "s", "")["files"], json!([]));
        client.call("fuzzyFileSearch/sessionUpdate", json!({"sessionId": "s", "query": "main"}));
        assert_eq!(paths(&updated(&mut client, "s", "main")), ["main.rs"]);
        write(&dir, "main.c");
        client.call("fuzzyFileSearch/sessionUpdate", json!({"sessionId": "s", "query": "main"}));
        assert_eq!(paths(&updated(&mut client, "s", "main")), ["main.c", "main.rs"]);

        let foreign = other.refusal("fuzzyFileSearch/sessionUpdate", json!({"sessionId": "s", "query": "main"}));
        assert_eq!((foreign.code, foreign.message.as_str()), (-32600, "fuzzy file search session not found: s"));
        assert_eq!(other.call("fuzzyFileSearch/sessionStop", json!({"sessionId": "s"})), json!({}));
        other.expect_silence();

        client.call("fuzzyFileSearch/sessionStop", json!({"sessionId": "s"}));
        client.refusal("fuzzyFileSearch/sessionUpdate", json!({"sessionId": "s", "query": "main"}));
        client.expect_silence();
    });
}

#[test]
fn the_last_query_is_answered_and_every_request_too() {
    over_every_transport(|server| {
        let names: Vec<String> = (0..300).map(|i| format!("d{}/file{i}.txt", i % 20)).collect();
        let dir = tree(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let mut client = server.client();
        client.call("fuzzyFileSearch/sessionStart", json!({"sessionId": "s", "roots": [dir.path()]}));
        let typed = ["f", "fi", "fil", "file", "file2", "file29", "file299"];
        for query in typed {
            client.send_request("fuzzyFileSearch/sessionUpdate", json!({"sessionId": "s", "query": query}));
        }
        loop {
            let updated = client.next_notification("fuzzyFileSearch/sessionUpdated");
            if updated["query"] == "file299" {
                assert_eq!(paths(&updated)[0], "d19/file299.txt");
                break;
            }
        }
        let ids = typed.map(|query| {
            let params = json!({"query": query, "roots": [dir.path()], "cancellationToken": "t"});
            client.send_request("fuzzyFileSearch", params)
        });
        let answers = ids.map(|id| client.answer_to(id).expect("a search is answered, also one that gave way"));
        assert_eq!(paths(&answers[typed.len() - 1])[0], "d19/file299.txt");
    });
}

#[test]
fn sessions_are_experimental_and_bounded() {
    let settings = &[("limits.search_sessions_per_connection", "1")];
    crate::support::transports::over_every_transport_with(settings, |server| {
        let dir = tree(&["main.rs"]);
        let start = |id: &str| json!({"sessionId": id, "roots": [dir.path()]});
        let mut client = server.client();
        client.call("fuzzyFileSearch/sessionStart", start("s"));
        client.call("fuzzyFileSearch/sessionStart", start("s"));
        assert!(client.refusal("fuzzyFileSearch/sessionStart", start("t")).message.contains("1 search sessions"));
        let empty = client.refusal("fuzzyFileSearch/sessionStart", start(""));
        assert_eq!(empty.message, "sessionId must not be empty");
        let rootless = client.refusal("fuzzyFileSearch/sessionStart", json!({"sessionId": "s", "roots": []}));
        assert!(rootless.message.ends_with("at least one search directory is required"));
    });
}
