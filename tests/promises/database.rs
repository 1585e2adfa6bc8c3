//! A database that cannot be used is a clear error, at start or per request; never a crash, never a false answer.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use serde_json::json;

use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

/// A home in which a server has lived and named a thread; the id.
fn used_home() -> (Home, serde_json::Value) {
    let home = Home::new();
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let id = client.call("thread/start", json!({}))["thread"]["id"].take();
    client.call("thread/name/set", json!({"threadId": id, "name": "before"}));
    drop(server);
    (home, id)
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    let (home, _) = used_home();
    let database = home.database();
    for end in ["-wal", "-shm"] {
        // Whether they are there depends on how the server before ended.
        let _ = fs::remove_file(format!("{}{end}", database.display()));
    }
    fs::write(&database, "this is no database, but somebody may want it back".repeat(100)).expect("overwritten");
    let ended = Launch::at(&home).args(&["--listen", "ws://127.0.0.1:0"]).run();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    let error = ended.stderr.lines().find(|line| line.starts_with("Error: ")).expect("an error");
    assert!(error.contains(database.to_str().expect("text")), "{error}");
    assert!(fs::read_to_string(&database).expect("it is there").starts_with("this is no database"));
}

#[test]
fn a_database_in_a_directory_that_cannot_be_written_is_an_error_at_start() {
    // What a mode forbids to others it does not forbid to root: a file where the directory should be stops anybody.
    let home = Home::new();
    let file = home.join("file");
    fs::write(&file, "").expect("a file");
    let ended = Launch::new().env("CODEX_HOME", file.to_str().expect("text")).run();
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains(file.to_str().expect("text")), "{ended:?}");
}

#[test]
fn a_read_only_database_still_reads_and_says_why_it_does_not_write() {
    let (home, id) = used_home();
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    let mut other = SqliteConnection::establish(home.database().to_str().expect("text")).expect("it opens");
    // Works for root too, unlike file modes.
    other
        .batch_execute(
            "CREATE TRIGGER read_only_update BEFORE UPDATE ON threads BEGIN SELECT RAISE(ABORT, 'read-only'); END;
             CREATE TRIGGER read_only_insert BEFORE INSERT ON threads BEGIN SELECT RAISE(ABORT, 'read-only'); END;",
        )
        .expect("triggers");
    let error = client.refusal("thread/name/set", json!({"threadId": id, "name": "after"}));
    assert_eq!(error.code, -32603, "{error:?}");
    assert!(!error.message.is_empty());
    assert_eq!(client.call("thread/read", json!({"threadId": id}))["thread"]["name"], "before");
    assert_eq!(client.call("thread/list", json!({}))["data"][0]["name"], "before");
    client.expect_silence();
}

#[test]
fn a_locked_database_is_waited_for_or_refused_but_never_lied_about() {
    let (home, id) = used_home();
    let server = Server::unix(Launch::at(&home));
    let (mut ann, mut bob) = (server.client(), server.client());
    let mut other = SqliteConnection::establish(home.database().to_str().expect("text")).expect("it opens");
    other.batch_execute("BEGIN IMMEDIATE").expect("the lock is ours");
    let rename = ann.send_request("thread/name/set", json!({"threadId": id, "name": "after"}));
    // Readers go on while a writer waits.
    assert_eq!(bob.call("thread/read", json!({"threadId": id}))["thread"]["name"], "before");
    other.batch_execute("ROLLBACK").expect("the lock is given back");
    let renamed = ann.answer_to(rename);
    let name = bob.call("thread/read", json!({"threadId": id}))["thread"]["name"].take();
    match renamed {
        Ok(_) => assert_eq!(name, "after"),
        Err(error) => assert_eq!((error.code, name), (-32603, json!("before"))),
    }
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let (home, _) = used_home();
    let database = home.database();
    let mut other = SqliteConnection::establish(database.to_str().expect("text")).expect("it opens");
    other
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231235959')")
        .expect("a migration of the future");
    drop(other);
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
