//! Databases of every version of the tables are opened by this program, and nothing that was in them is lost.
//!
//! `databases/` holds one for each released version, as text: the threads of a short session. A new one is added whenever
//! a version with new tables is released.

use std::fs;
use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::BigInt;
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection};
use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

fn connection(home: &Home) -> SqliteConnection {
    let path = home.join("app-server.sqlite");
    SqliteConnection::establish(path.to_str().expect("a name")).expect("a database")
}

/// The home of a server that has left this database.
fn home_with(database: &str) -> Home {
    let home = Home::new();
    connection(&home).batch_execute(database).expect("it is SQL");
    home
}

fn todays() -> String {
    let newest = databases().into_iter().max_by_key(|(name, _)| name.clone());
    newest.expect("there is one").1
}

fn databases() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/promises/databases");
    let files = fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").path());
    files
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("text"))
        })
        .collect()
}

/// Name and first words of each thread.
fn names(listed: &Value) -> Vec<[String; 2]> {
    let threads = listed["data"].as_array().expect("threads");
    threads.iter().map(|it| ["name", "preview"].map(|key| it[key].as_str().unwrap_or_default().to_owned())).collect()
}

#[test]
fn what_every_released_version_has_saved_is_there() {
    for (version, database) in databases() {
        let server = Server::unix(Launch::at(&home_with(&database)));
        let mut client = server.client();
        let all = ["cli", "vscode", "exec", "appServer", "unknown"];
        let listed = client.call("thread/list", json!({"sourceKinds": all}));
        assert_eq!(names(&listed), [["Kept across versions", "What is kept?"]], "{version}");
        let archived = client.call("thread/list", json!({"archived": true, "sourceKinds": all}));
        assert_eq!(names(&archived), [["", "put away"]], "{version}");

        let id = listed["data"][0]["id"].clone();
        let read = client.call("thread/read", json!({"threadId": id, "includeTurns": true}));
        let turn = &read["thread"]["turns"][0];
        assert_eq!(turn["status"], "completed", "{version}");
        assert_eq!(turn["items"][0]["content"][0]["text"], "What is kept?", "{version}");
        let goal = client.call("thread/goal/get", json!({"threadId": id}));
        assert_eq!(goal["goal"]["objective"], "Stay readable", "{version}");

        client.call("thread/resume", json!({"threadId": id}));
        let input = json!([{"type": "text", "text": "and now?"}]);
        client.call("turn/start", json!({"threadId": id, "input": input}));
        assert_eq!(client.next_notification("turn/completed")["turn"]["status"], "completed", "{version}");
    }
}

#[test]
fn a_newer_database_is_refused_and_found_by_the_doctor() {
    let home = home_with(&todays());
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    connection(&home).batch_execute(newer).expect("a row");
    let refused = Launch::at(&home).run();
    assert_eq!(refused.code, Some(78), "{}", refused.stderr);
    assert!(refused.stderr.contains("newer version of this program"), "{}", refused.stderr);
    let found = Launch::at(&home).arg("doctor").run();
    assert_eq!(found.code, Some(1), "{}", found.stdout);
    assert!(found.stdout.contains("newer version of this program"), "{}", found.stdout);
}

#[test]
fn the_newest_copies_of_older_databases_are_kept_and_named() {
    let home = Home::new();
    // Of this version, so that no copy is made meanwhile.
    Server::unix(Launch::at(&home)).client();
    let copy = |year: u32| home.join(&format!("app-server.sqlite.before-{year}0101000000"));
    for year in [2024, 2026, 2025] {
        fs::write(copy(year), [0; 3000]).expect("a file");
    }
    Server::unix(Launch::at(&home)).client();
    assert_eq!([2024, 2025, 2026].map(|year| copy(year).exists()), [false, true, true]);
    let found = Launch::at(&home).arg("doctor").run();
    for year in [2025, 2026] {
        let named = format!("{} (3 KiB)", copy(year).display());
        assert!(found.stdout.contains(&named), "{named}: {}", found.stdout);
    }
}

#[test]
fn a_newer_database_of_a_relay_is_refused_and_not_called_one_of_threads() {
    let home = Home::new();
    let list = || Launch::at(&home).args(&["relay", "token", "list"]).run();
    assert_eq!(list().code, Some(0));
    let path = home.join("relay/relay.sqlite");
    let mut database = SqliteConnection::establish(path.to_str().expect("a name")).expect("a database");
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    database.batch_execute(newer).expect("a row");
    let refused = list();
    assert_eq!(refused.code, Some(78), "{}", refused.stderr);
    assert!(refused.stderr.contains("newer version") && !refused.stderr.contains("thread"), "{}", refused.stderr);
}

#[derive(QueryableByName)]
struct Index {
    #[diesel(sql_type = BigInt)]
    page: i64,
    #[diesel(sql_type = BigInt)]
    page_bytes: i64,
}

/// A database with an index of threads that has lost its entries.
fn damaged() -> Home {
    let home = home_with(&todays());
    let question = "SELECT rootpage AS page, (SELECT page_size FROM pragma_page_size) AS page_bytes FROM sqlite_schema \
        WHERE type = 'index' AND tbl_name = 'threads' AND sql IS NOT NULL LIMIT 1";
    let index: Index = diesel::sql_query(question).get_result(&mut connection(&home)).expect("there is one");
    let path = home.join("app-server.sqlite");
    let mut bytes = fs::read(&path).expect("the database");
    // The number of entries on the page (SQLite's file format, 1.6).
    let at = usize::try_from((index.page - 1) * index.page_bytes + 3).expect("a place in the file");
    bytes[at..at + 2].fill(0);
    fs::write(&path, bytes).expect("damage");
    home
}

#[test]
fn a_damaged_index_is_found_and_repaired() {
    let home = damaged();
    let found = Launch::at(&home).arg("doctor").run();
    assert_eq!(found.code, Some(1), "{}", found.stdout);
    assert!(found.stdout.contains("doctor --repair"), "{}", found.stdout);

    let before = fs::read(home.join("app-server.sqlite")).expect("the database");
    let repaired = Launch::at(&home).args(&["doctor", "--repair"]).run();
    assert_eq!(repaired.code, Some(0), "{}{}", repaired.stdout, repaired.stderr);
    assert!(repaired.stderr.contains("indexes of the thread database were built anew"), "{}", repaired.stderr);
    let kept = fs::read(home.join("app-server.sqlite.replaced-1")).expect("what was there before");
    assert!(kept == before, "it is kept as it was");
    assert!(Launch::at(&home).args(&["doctor", "--repair"]).run().stderr.contains("needs no repair"));
    let server = Server::unix(Launch::at(&home));
    let listed = server.client().call("thread/list", json!({"sourceKinds": ["cli"]}));
    assert_eq!(names(&listed), [["Kept across versions", "What is kept?"]]);
}

#[test]
fn what_a_server_uses_is_not_repaired() {
    let home = Home::new();
    let server = Server::unix(Launch::at(&home));
    // Only then has it opened the database.
    let _client = server.client();
    let refused = Launch::at(server.process.home()).args(&["doctor", "--repair"]).run();
    assert_eq!(refused.code, Some(1), "{}", refused.stdout);
    assert!(refused.stderr.contains("a server is using the thread database"), "{}", refused.stderr);
}

#[test]
fn what_cannot_be_repaired_is_left_as_it_was() {
    let home = home_with(&todays());
    let path = home.join("app-server.sqlite");
    let mut bytes = fs::read(&path).expect("the database");
    for byte in &mut bytes[4_096..12_288] {
        *byte ^= 0xff;
    }
    fs::write(&path, &bytes).expect("damage");
    let refused = Launch::at(&home).args(&["doctor", "--repair"]).run();
    assert_ne!(refused.code, Some(0), "{}", refused.stdout);
    assert!(fs::read(&path).expect("the database") == bytes, "nothing was changed");
}

#[test]
fn a_repair_that_was_killed_before_its_last_step_is_brought_to_its_end() {
    let home = home_with(&todays());
    let path = home.join("app-server.sqlite");
    fs::rename(&path, home.join("app-server.sqlite.partial")).expect("it is there");
    for launch in [Launch::at(&home), Launch::at(&home).arg("doctor")] {
        let ended = launch.run();
        assert_ne!(ended.code, Some(0), "{}", ended.stdout);
        let said = ended.stdout + &ended.stderr;
        assert!(said.contains("interrupted") && said.contains("doctor --repair"), "{said}");
        assert!(!path.exists(), "no empty database takes its place");
    }
    let repaired = Launch::at(&home).args(&["doctor", "--repair"]).run();
    assert_eq!(repaired.code, Some(0), "{}{}", repaired.stdout, repaired.stderr);
    let server = Server::unix(Launch::at(&home));
    let listed = server.client().call("thread/list", json!({"sourceKinds": ["cli"]}));
    assert_eq!(names(&listed), [["Kept across versions", "What is kept?"]]);
}
