//! `doctor` finds problems, says what to do, and changes nothing.

use std::collections::HashMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::aside::Aside;
use crate::support::eventually;
use crate::support::home::Home;
use crate::support::process::{Ended, Launch};
use crate::support::server::Server;

/// The exit code, and each check's level and text.
fn examine(home: &Home) -> (i32, HashMap<String, (String, String)>) {
    let ended = Launch::at(home).args(&["doctor", "--json"]).run();
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|e| panic!("{e}: {ended:?}"));
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let checks = report["checks"].as_array().expect("checks").iter();
    let found = checks.map(|it| (text(&it["check"]), (text(&it["level"]), text(&it["text"])))).collect();
    (ended.code.expect("it exits"), found)
}

#[test]
fn a_home_without_a_server_is_well() {
    let home = Home::new();
    let (code, found) = examine(&home);
    assert_eq!(code, 0, "{found:?}");
    // Whether a model can be used, and commands confined, depends on the machine that the tests run on.
    let of_machine = |check: &str| ["model", "commands"].contains(&check);
    assert!(found.iter().all(|(check, (level, _))| level == "ok" || of_machine(check)), "{found:?}");
    assert_eq!(found["commands"].0 == "ok", found["commands"].1 == "can be confined here");
    assert!(found["program"].1.starts_with(concat!(env!("CARGO_PKG_VERSION"), ", speaks the protocol of ")));
    assert_eq!(found["server"].1, "not running");
    assert_eq!(fs::read_dir(home.path()).expect("a directory").count(), 0, "it has changed something");
}

#[test]
fn mcp_servers_are_checked_without_being_started() {
    let home = Home::with_config(
        "[mcp_servers.fine]\ncommand = 'sh'\nargs = ['-c', 'touch started']\n[mcp_servers.off]\ncommand = 'no-such'\nenabled = false\n",
    );
    let (code, found) = examine(&home);
    assert_eq!((code, &found["mcp"]), (0, &("ok".to_owned(), "fine can be started".to_owned())));
    let broken = "[mcp_servers.gone]\ncommand = 'no-such-program'\nrequired = true\n";
    let (code, found) = examine(&Home::with_config(broken));
    assert_eq!((code, &found["mcp"].0[..]), (1, "error"));
    assert_eq!(found["mcp"].1, "gone: the program no-such-program is not there");
}

#[test]
fn a_running_server_is_found_with_its_version() {
    let server = Server::unix(Launch::new());
    server.client();
    let (code, found) = examine(server.process.home());
    assert_eq!(code, 0, "{found:?}");
    assert_eq!(found["server"].1, "running, version 0.171.0");
    assert!(found["database"].1.ends_with("is intact"), "{found:?}");
    let ended = Launch::at(server.process.home()).arg("doctor").run();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.contains("ok       server    running, version 0.171.0\n"), "{}", ended.stdout);
}

#[test]
fn a_server_that_is_full_is_well_and_said_to_be_full() {
    let server = Server::unix(Launch::new().setting("http.max_connections", 1));
    let full = ("warning".to_owned(), "running, but full: it accepts no more clients".to_owned());
    let mut held = Vec::new();
    // The connection by which the start was noticed goes a moment after it.
    eventually("the server is full", || {
        held.push(server.unix_stream());
        let (code, found) = examine(server.process.home());
        assert_eq!(code, 0, "{found:?}");
        found["server"] == full
    });
}

#[test]
fn a_damaged_database_is_an_error() {
    let home = Home::new();
    let mut server = Server::unix(Launch::at(&home));
    server.client();
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
    let path = home.database();
    let mut bytes = fs::read(&path).expect("a database");
    bytes[2_000..].fill(0x5a);
    fs::write(&path, bytes).expect("it is ours");
    let Ended { code, stdout, stderr } = Launch::at(&home).arg("doctor").run();
    assert_eq!(code, Some(1));
    assert!(stdout.lines().any(|line| line.starts_with("ERROR    database")), "{stdout}");
    assert!(stderr.starts_with("Error: 1 of "), "{stdout}{stderr}");
}

#[test]
fn what_a_killed_server_left_is_told_from_what_is_foreign() {
    let home = Home::new();
    let mut server = Server::unix(Launch::at(&home));
    server.process.kill();
    let (code, found) = examine(&home);
    assert_eq!((code, found["server"].0.as_str()), (0, "warning"), "{found:?}");

    fs::remove_file(home.control_socket()).expect("it is there");
    let foreign = UnixListener::bind(home.control_socket()).expect("a socket");
    let answering = Aside::start(move || drop(foreign.accept()));
    let (code, found) = examine(&home);
    assert_eq!((code, found["server"].0.as_str()), (1, "error"), "{found:?}");
    answering.finish("the question to the foreign listener");

    fs::remove_file(home.control_socket()).expect("it is there");
    fs::write(home.control_socket(), "").expect("a file");
    assert_eq!(examine(&home).1["socket"].0, "error");
}

#[test]
fn faults_of_files_are_found() {
    let home = Home::with_config("no_such_key = 1\n");
    fs::write(home.join("auth.json"), "{}").expect("a file");
    fs::set_permissions(home.join("auth.json"), Permissions::from_mode(0o644)).expect("it is ours");
    fs::write(home.join("app-server.toml"), "[limits]\nno_such_limit = 1\n").expect("a file");
    fs::create_dir(home.join("app-server-control")).expect("a directory");
    let lock = File::create(home.join("app-server-control/app-server-startup.lock")).expect("a file");
    lock.lock().expect("it is ours");
    let (code, found) = examine(&home);
    assert_eq!(code, 1, "{found:?}");
    assert!(found["config"].1.contains("no_such_key"), "{found:?}");
    assert!(found["settings"].1.contains("no_such_limit"), "{found:?}");
    let levels = ["config", "settings", "auth", "lock"].map(|check| found[check].0.as_str());
    assert_eq!(levels, ["warning", "error", "warning", "warning"]);
}

#[test]
fn a_home_that_is_not_there_is_an_error_with_advice() {
    let ended = Launch::new().env("CODEX_HOME", "/no/such/home").arg("doctor").run();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stdout.starts_with("ERROR    home") && ended.stdout.contains("CODEX_HOME"), "{ended:?}");
}
