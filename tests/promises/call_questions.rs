//! `call` knows the schema: it warns of what a server would ignore, and explains what a server refuses.

use serde_json::Value;

use crate::support::process::{Ended, Launch};
use crate::support::server::Server;

fn call(server: &Server, words: &[&str]) -> Ended {
    Launch::at(server.process.home()).arg("call").args(words).run()
}

#[test]
fn a_member_that_the_method_does_not_know_is_a_warning_with_the_one_that_was_meant() {
    let server = Server::unix(Launch::new());
    for (words, warning) in [
        (&["thread/list", "limt=3"][..], "thread/list does not know `limt`; did you mean `limit`?"),
        (&["thread/list", "{\"sort_key\":null}"], "thread/list does not know `sort_key`; did you mean `sortKey`?"),
        (&["thread/start", "modelprovider=echo"], "did you mean `modelProvider`?"),
    ] {
        let ended = call(&server, words);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stderr.starts_with("Warning: ") && ended.stderr.trim_end().ends_with(warning), "{ended:?}");
        assert!(ended.stdout.starts_with('{'), "{ended:?}");
    }
    let known = call(&server, &["thread/list", "limit=3", "sortKey=updated_at"]);
    assert_eq!((known.code, known.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_method_that_there_is_not_is_an_error_with_three_that_may_be_meant() {
    let server = Server::unix(Launch::new());
    let ended = call(&server, &["thread/nam/set"]);
    assert_eq!(ended.code, Some(1));
    let start = "Error: there is no method `thread/nam/set`; did you mean `thread/name/set`";
    assert!(ended.stderr.starts_with(start) && ended.stderr.len() < 200, "{ended:?}");
    let ended = call(&server, &["zzzzzz"]);
    assert_eq!(ended.stderr, "Error: there is no method `zzzzzz` (code -32601)\n");
}

#[test]
fn a_directory_is_meant_as_seen_by_the_caller() {
    let server = Server::unix(Launch::new());
    let elsewhere = crate::support::home::Home::new();
    let here = elsewhere.path().canonicalize().expect("it is there");
    for (words, expected) in [
        (&["call", "thread/start"][..], here.clone()),
        (&["call", "thread/start", "cwd=below"], here.join("below")),
        (&["call", "thread/start", "{\"cwd\":\".\"}"], here.clone()),
        (&["call", "thread/start", "cwd=/tmp"], "/tmp".into()),
    ] {
        let socket = format!("unix://{}", server.socket_path().display());
        let ended = Launch::at(&elsewhere).args(words).args(&["--connect", &socket]).run();
        let started: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("{e}: {ended:?}"));
        assert_eq!(started["cwd"].as_str(), expected.to_str(), "{words:?}");
    }
}

#[test]
fn a_value_of_the_wrong_type_is_an_error_that_says_how_to_quote_it() {
    let server = Server::unix(Launch::new());
    let ended = call(&server, &["thread/name/set", "threadId=5", "name=Sums"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("quote it: threadId='\"5\"' (code -32602)"), "{ended:?}");
    let ended = call(&server, &["thread/read", "threadId=\"5\""]);
    assert!(!ended.stderr.contains("quote"), "{ended:?}");
}
