//! An unusable database is a clear error, at the start or per request, and never a crash or a wrong answer.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::process::Signal;
use serde_json::json;

use crate::support::home::Home;
use crate::support::http;
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
fn one_wait_serves_every_write_and_reads_go_by() {
    let (home, id) = used_home();
    let server = Server::unix(Launch::at(&home));
    let mut clients: Vec<_> = (0..4).map(|_| server.client()).collect();
    let mut other = open(&home);
    other.batch_execute("BEGIN IMMEDIATE").expect("the lock is ours");
    let rename = |i: usize| json!({"threadId": id, "name": format!("after {i}")});
    let asked: Vec<Vec<i64>> = clients
        .iter_mut()
        .map(|client| (0..10).map(|i| client.send_request("thread/name/set", rename(i))).collect())
        .collect();
    let mut reader = server.client();
    // Each of these forty writes alone would be waited for for five seconds, and everything behind it for as long.
    let listed = reader.call("thread/list", json!({}));
    assert_eq!(listed["data"][0]["name"], "before");
    for (client, ids) in clients.iter_mut().zip(asked) {
        for id in ids {
            let error = client.answer_to(id).expect_err("it cannot have been written");
            assert!(error.message.contains("locked"), "{error:?}");
        }
    }
    other.batch_execute("ROLLBACK").expect("the lock is given back");
    clients[0].call("thread/name/set", rename(1));
}

#[test]
fn what_was_acknowledged_can_be_found_again_or_is_refused() {
    for lost in ["", "-wal"] {
        let (home, id) = used_home();
        let mut server = Server::ws(Launch::at(&home));
        let mut client = server.client();
        client.call("thread/name/set", json!({"threadId": id, "name": "acknowledged"}));
        assert_eq!(readiness(&server), 200);
        let database = home.database();
        let path = |suffix: &str| format!("{}{suffix}", database.display());
        // Where somebody moved it; in a moment it is put back.
        fs::rename(path(lost), home.join("away")).expect("it is moved");
        for _ in 0..2 {
            let error = client.refusal("thread/name/set", json!({"threadId": id, "name": "lost"}));
            assert!(error.message.contains("deleted, moved or replaced"), "{error:?}");
        }
        assert_eq!(readiness(&server), 503);
        assert_eq!(client.call("thread/read", json!({"threadId": id}))["thread"]["name"], "acknowledged");
        let told = server.process.stderr.text();
        assert_eq!(told.matches("deleted, moved or replaced").count(), 1, "it is logged once:\n{told}");

        fs::rename(home.join("away"), path(lost)).expect("it is put back");
        client.call("thread/name/set", json!({"threadId": id, "name": "found again"}));
        assert_eq!(readiness(&server), 200);
        server.process.kill();
        let server = Server::unix(Launch::at(&home));
        assert_eq!(server.client().call("thread/read", json!({"threadId": id}))["thread"]["name"], "found again");
    }
}

#[test]
fn a_reload_opens_what_is_at_the_path_now() {
    let (home, id) = used_home();
    let kept = home.join("kept.sqlite.copy");
    fs::copy(home.database(), &kept).expect("a copy of one file is a backup");
    let server = Server::ws(Launch::at(&home));
    let mut client = server.client();
    client.call("thread/name/set", json!({"threadId": id, "name": "soon gone"}));
    let database = home.database();
    for suffix in ["", "-wal", "-shm"] {
        fs::remove_file(format!("{}{suffix}", database.display())).expect("it is removed");
    }
    fs::copy(&kept, &database).expect("the backup is put there");
    assert_eq!(readiness(&server), 503);
    server.process.signal(Signal::HUP);
    crate::support::eventually("the server is ready again", || readiness(&server) == 200);
    assert_eq!(client.call("thread/list", json!({}))["data"][0]["name"], "before");
    client.call("thread/name/set", json!({"threadId": id, "name": "after"}));
}

#[test]
fn a_clean_end_leaves_one_file_and_it_holds_everything() {
    let (home, id) = used_home();
    let database = home.database();
    for suffix in ["-wal", "-shm"] {
        assert!(!Path::new(&format!("{}{suffix}", database.display())).exists(), "{suffix} is left");
    }
    let copied = Home::new();
    fs::copy(&database, copied.join("app-server.sqlite")).expect("it is copied");
    let server = Server::unix(Launch::at(&copied));
    assert_eq!(server.client().call("thread/read", json!({"threadId": id}))["thread"]["name"], "before");
}

#[test]
fn a_backup_is_made_while_a_server_runs_and_restored_when_none_does() {
    let (home, id) = used_home();
    let mut server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    client.call("thread/name/set", json!({"threadId": id, "name": "in the backup"}));
    let file = home.join("the backup");
    let run = |command: &str| Launch::at(&home).arg(command).arg(file.to_str().expect("text")).run();
    assert_eq!(run("backup").code, Some(0));
    assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
    assert!(run("backup").stderr.contains("exists already"));
    client.call("thread/name/set", json!({"threadId": id, "name": "after it"}));
    let refused = run("restore");
    assert_eq!((refused.code, refused.stderr.contains("a server is using")), (Some(1), true), "{refused:?}");
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);

    let restored = run("restore");
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert!(restored.stdout.contains("app-server.sqlite.replaced-1"), "{restored:?}");
    let server = Server::unix(Launch::at(&home));
    assert_eq!(server.client().call("thread/read", json!({"threadId": id}))["thread"]["name"], "in the backup");
}

#[test]
fn full_directories_for_temporary_files_do_not_matter() {
    let home = Home::new();
    let nowhere = home.join("no such directory");
    let nowhere = nowhere.to_str().expect("text");
    let server = Server::unix(Launch::at(&home).env("SQLITE_TMPDIR", nowhere).env("TMPDIR", nowhere));
    let mut client = server.client();
    let ids: Vec<i64> = (0..600).map(|_| client.send_request("thread/start", json!({}))).collect();
    ids.into_iter().for_each(|id| drop(client.answer_to(id).expect("a thread")));
}

/// The status of `/readyz`.
fn readiness(server: &Server) -> u16 {
    let probe = http::request("GET", "/readyz", &[("Host", "localhost"), ("Connection", "close")]);
    http::exchange(&mut server.tcp_stream(), &probe).expect("an answer").status
}

/// Only root may mount a disk of its own.
#[test]
fn a_thread_can_be_deleted_although_the_disk_is_full() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    // Nobody else sees the mounts of this thread and of what it starts.
    let deleted = thread::spawn(|| {
        let home = Home::new();
        let none = None::<&str>;
        if unshare(CloneFlags::CLONE_NEWNS).is_err() {
            return;
        }
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("mounts stay here");
        mount(Some("disk"), home.path(), Some("tmpfs"), MsFlags::empty(), Some("size=24m,mode=700")).expect("a disk");
        let server = Server::unix(Launch::at(&home));
        let mut client = server.client();
        let id = client.call("thread/start", json!({}))["thread"]["id"].take();
        client.call("thread/name/set", json!({"threadId": id, "name": "kept"}));
        let mut filler = fs::File::create(home.join("filler")).expect("there is room yet");
        while filler.write_all(&[1; 4096]).is_ok() {}
        // What there is room for is kept.
        let mut full = None;
        for number in 0..5000 {
            let name = json!({"threadId": id, "name": format!("{number}")});
            full = client.request("thread/name/set", name).err();
            if full.is_some() {
                break;
            }
        }
        let full = full.expect("the disk is full").message;
        assert!(full.contains("is full; make room"), "{full}");
        client.call("thread/delete", json!({"threadId": id}));
        client.refusal("thread/read", json!({"threadId": id}));
    });
    deleted.join().expect("it is deleted");
}

#[test]
fn a_database_that_is_locked_at_start_is_an_error() {
    let (home, _) = used_home();
    let mut other = open(&home);
    other.batch_execute("BEGIN IMMEDIATE").expect("the lock is ours");
    let ended = Launch::at(&home).run();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(75), ""), "{ended:?}");
    assert!(ended.stderr.starts_with("Error: ") && ended.stderr.contains("locked"), "{ended:?}");
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let (home, _) = used_home();
    open(&home)
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99991231235959')")
        .expect("a migration of the future");
    let ended = Launch::at(&home).args(&["--listen", "ws://127.0.0.1:0"]).run();
    assert_eq!(ended.code, Some(78), "{ended:?}");
    assert!(ended.stderr.contains("newer"), "{ended:?}");
}

#[test]
fn the_database_belongs_to_its_owner_alone() {
    let (home, _) = used_home();
    let mode = fs::metadata(home.database()).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}
