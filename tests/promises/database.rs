//! An unusable database is a clear error, at the start or per request, and never a crash or a wrong answer.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use rustix::process::Signal;
use serde_json::json;

use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

/// A home in which a server has named a thread, and the id of the thread.
fn used_home() -> (Home, serde_json::Value) {
    let home = Home::new();
    let mut server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let id = client.call("thread/start", json!({}))["thread"]["id"].take();
    client.call("thread/name/set", json!({"threadId": id, "name": "before"}));
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
    (home, id)
}

fn open(home: &Home) -> SqliteConnection {
    SqliteConnection::establish(home.database().to_str().expect("text")).expect("it opens")
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    let (home, _) = used_home();
    let database = home.database();
    for beside in ["-wal", "-shm"] {
        // SQLite would repair the file from them; whether they are there depends on how the last server ended.
        let _ = fs::remove_file(format!("{}{beside}", database.display()));
    }
    fs::write(&database, "this is no database, but somebody may want it back".repeat(100)).expect("overwritten");
    let ended = Launch::at(&home).args(&["--listen", "ws://127.0.0.1:0"]).run();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    let error = ended.stderr.lines().find(|line| line.starts_with("Error: ")).expect("an error");
    assert!(error.contains(database.to_str().expect("text")), "{error}");
    assert!(fs::read_to_string(&database).expect("it is there").starts_with("this is no database"));
}

#[test]
fn a_read_only_database_is_read_and_says_why_it_is_not_written() {
    let (home, id) = used_home();
    fs::set_permissions(home.database(), fs::Permissions::from_mode(0o400)).expect("its owner may");
    let server = Server::unix(Launch::at(&home).without_privileges());
    let mut client = server.client();
    assert_eq!(client.call("thread/read", json!({"threadId": id}))["thread"]["name"], "before");
    for (method, params) in [("thread/name/set", json!({"threadId": id, "name": "after"})), ("thread/start", json!({}))]
    {
        let error = client.refusal(method, params);
        assert_eq!((error.code, error.message.contains("read-only")), (-32603, true), "{error:?}");
    }
    assert_eq!(client.call("thread/read", json!({"threadId": id}))["thread"]["name"], "before");
}

#[test]
fn a_write_that_fails_is_told_to_who_asked_and_changes_nothing() {
    let (home, id) = used_home();
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let mut other = open(&home);
    let no_writes = "BEGIN SELECT RAISE(ABORT, 'no writes'); END";
    let triggers = format!(
        "CREATE TRIGGER no_update BEFORE UPDATE ON threads {no_writes};
         CREATE TRIGGER no_insert BEFORE INSERT ON threads {no_writes};"
    );
    other.batch_execute(&triggers).expect("triggers");
    for (method, params) in [("thread/name/set", json!({"threadId": id, "name": "after"})), ("thread/start", json!({}))]
    {
        let error = client.refusal(method, params);
        assert_eq!(error.code, -32603, "{error:?}");
    }
    assert_eq!(client.call("thread/read", json!({"threadId": id}))["thread"]["name"], "before");
    assert_eq!(client.call("thread/list", json!({}))["data"][0]["name"], "before");
    client.expect_silence();
    other.batch_execute("DROP TRIGGER no_update; DROP TRIGGER no_insert").expect("gone again");
    client.call("thread/name/set", json!({"threadId": id, "name": "after"}));
}

#[test]
fn a_database_that_is_locked_for_a_moment_is_waited_for() {
    let (home, id) = used_home();
    let server = Server::unix(Launch::at(&home));
    let (mut ann, mut bob) = (server.client(), server.client());
    let mut other = open(&home);
    other.batch_execute("BEGIN IMMEDIATE").expect("the lock is ours");
    let rename = ann.send_request("thread/name/set", json!({"threadId": id, "name": "after"}));
    bob.call("thread/loaded/list", json!({}));
    other.batch_execute("ROLLBACK").expect("the lock is given back");
    ann.answer_to(rename).expect("the rename was waiting");
    assert_eq!(bob.call("thread/read", json!({"threadId": id}))["thread"]["name"], "after");
}

#[test]
fn a_database_that_stays_locked_is_a_refusal_and_nobody_else_waits() {
    let (home, id) = used_home();
    let server = Server::unix(Launch::at(&home));
    let (mut ann, mut bob) = (server.client(), server.client());
    let mut other = open(&home);
    other.batch_execute("BEGIN IMMEDIATE").expect("the lock is ours");
    let rename = ann.send_request("thread/name/set", json!({"threadId": id, "name": "after"}));
    bob.call("thread/loaded/list", json!({}));
    let error = ann.answer_to(rename).expect_err("it cannot have been written");
    assert_eq!((error.code, error.message.contains("locked")), (-32603, true), "{error:?}");
    other.batch_execute("ROLLBACK").expect("the lock is given back");
    assert_eq!(bob.call("thread/read", json!({"threadId": id}))["thread"]["name"], "before");
    bob.expect_silence();
}

#[test]
fn a_database_that_is_locked_at_start_is_an_error() {
    let (home, _) = used_home();
    let mut other = open(&home);
    other.batch_execute("BEGIN IMMEDIATE").expect("the lock is ours");
    let ended = Launch::at(&home).run();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    assert!(ended.stderr.starts_with("Error: ") && ended.stderr.contains("locked"), "{ended:?}");
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let (home, _) = used_home();
    open(&home)
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231235959')")
        .expect("a migration of the future");
    let ended = Launch::at(&home).args(&["--listen", "ws://127.0.0.1:0"]).run();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("newer"), "{ended:?}");
}

#[test]
fn the_database_belongs_to_its_owner_alone() {
    let (home, _) = used_home();
    let mode = fs::metadata(home.database()).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}
