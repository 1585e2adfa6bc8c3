//! Logs go to stderr, in colours on terminals only, or as JSON (spec: local transports 1.3).

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

/// What a session leaves on stderr and stdout.
fn session(start: fn(Launch) -> Server, launch: Launch) -> (String, String) {
    let mut server = start(launch);
    let mut client = server.client();
    client.exchange("garbage");
    client.call("thread/start", json!({}));
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
    (server.process.stderr.all(), server.stdout.take().expect("it is collected").all())
}

#[test]
fn json_logs_are_one_object_a_line() {
    let launch = Launch::new().env("LOG_FORMAT", "json").env("RUST_LOG", "trace");
    let (stderr, _) = session(Server::unix, launch);
    assert!(!stderr.is_empty());
    for line in stderr.lines() {
        let record: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let record = record.as_object().expect("an object");
        for member in ["timestamp", "level", "fields", "target"] {
            assert!(record.contains_key(member), "no {member} in {line}");
        }
        assert!(record["fields"]["message"].is_string(), "{line}");
    }
}

#[test]
fn with_json_logs_banners_and_errors_are_objects_too() {
    let launch = |words: &[&str]| Launch::new().env("LOG_FORMAT", "json").args(words);
    let server = launch(&["--listen", "ws://127.0.0.1:0"]).spawn();
    let taken = server.stderr.wait_for("the banner", |text| {
        let url = text.split_once("listening on ")?.1.split_once('"')?.0;
        Some(url.to_owned())
    });
    let mut said = vec![server.stderr.text()];
    for words in
        [&["--bogus"][..], &["--listen", &taken], &["-c", "app_server.no.such=1"], &["call", "x", "{"], &["man", "x"]]
    {
        let ended = launch(words).run();
        assert_ne!(ended.code, Some(0), "{words:?}");
        let last: Value = serde_json::from_str(ended.stderr.lines().last().expect("an error")).expect("JSON");
        assert_eq!(last["level"], "ERROR", "{words:?}");
        said.push(ended.stderr);
    }
    for line in said.iter().flat_map(|text| text.lines()) {
        let record: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(record["fields"]["message"].is_string(), "{line}");
    }
    assert!(said[0].contains("listening on ws://127.0.0.1:"), "{}", said[0]);
}

#[test]
fn a_client_comes_is_named_and_goes_in_one_line_each() {
    let (stderr, _) = session(Server::ws, Launch::new().env("RUST_LOG", "info"));
    let with = |words: &str| {
        let lines: Vec<&str> = stderr.lines().filter(|line| line.contains(words)).collect();
        assert_eq!(lines.len(), 1, "{words}: {stderr}");
        lines[0].to_owned()
    };
    assert!(with(" opened").contains("connection 0 from 127.0.0.1:"), "{stderr}");
    assert!(with(" is promises 1.0").contains("from 127.0.0.1:"), "{stderr}");
    assert!(with("(promises 1.0) ended after ").contains("close code 1001"), "{stderr}");
    with("SIGTERM has come: the server ends");
}

#[test]
fn a_reload_names_the_settings_that_wait_for_a_restart() {
    let home = Home::new();
    let server = Server::unix(Launch::at(&home));
    let text = "[http]\nworkers = 2\n[log]\nfilter = \"info\"\n";
    std::fs::write(home.join("app-server.toml"), text).expect("a file");
    server.process.signal(Signal::HUP);
    server.process.stderr.wait_for("the names", |text| {
        text.lines().any(|line| line.contains("need a restart") && line.contains(": http.workers")).then_some(())
    });
}

#[test]
fn text_logs_have_no_colour_off_a_terminal() {
    let (stderr, _) = session(Server::ws, Launch::new().env("RUST_LOG", "trace"));
    assert!(stderr.contains("codex app-server (WebSockets)"));
    assert!(!stderr.contains('\u{1b}'), "an escape sequence in {stderr}");
}

#[test]
fn a_session_without_trouble_leaves_no_trace() {
    for start in [Server::unix, Server::ws] {
        let (stderr, stdout) = session(start, Launch::new());
        assert_eq!(stdout, "", "only stdio speaks on stdout");
        // What a machine lacks for the sandbox is said as well, and who else could use a server without authentication.
        let banner = |line: &str| line.starts_with("codex app-server") || line.starts_with("  ");
        let of_the_machine = |line: &str| line.contains("commands::warnings") || line.contains("every other user");
        assert!(stderr.lines().all(|line| banner(line) || of_the_machine(line)), "{stderr}");
    }
}

#[test]
fn stdout_stays_empty_however_much_is_logged() {
    for start in [Server::unix, Server::ws] {
        assert_eq!(session(start, Launch::new().env("RUST_LOG", "trace")).1, "");
    }
}

#[test]
fn rust_log_says_what_is_logged() {
    let quiet = session(Server::unix, Launch::new().env("RUST_LOG", "off")).0;
    let chatty = session(Server::unix, Launch::new().env("RUST_LOG", "trace")).0;
    let banner = ["codex app-server (Unix socket)", "  listening on unix://"];
    assert!(quiet.lines().zip(banner).all(|(line, start)| line.starts_with(start)), "{quiet}");
    assert_eq!(quiet.lines().count(), banner.len(), "where it listens is said whatever is logged: {quiet}");
    assert!(chatty.lines().count() > 1, "{chatty}");
}

#[test]
fn a_log_file_takes_the_log_and_is_renamed_when_it_is_large() {
    let home = Home::new();
    let path = home.join("log");
    let named = path.to_str().expect("a name");
    let launch = Launch::at(&home).args(&["--log-file", named]).env("RUST_LOG", "info");
    let mut server = Server::unix(launch.setting("log.file_bytes", 2_000).setting("log.files", 2));
    for _ in 0..50 {
        server.client().call("thread/start", json!({}));
    }
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
    let stderr = server.process.stderr.all();
    assert!(stderr.contains("listening on unix://"), "what clients look for stays on stderr: {stderr}");
    assert!(!stderr.contains(" INFO "), "the log does not: {stderr}");
    let read = |name: &str| fs::read_to_string(home.join(name)).expect("a file");
    for name in ["log", "log.1", "log.2"] {
        let text = read(name);
        assert!(text.len() <= 2_000 && text.contains("connection "), "{name}: {text}");
    }
    assert!(!home.join("log.3").exists());
}

#[test]
fn a_log_file_that_was_moved_away_is_made_again_at_a_reload() {
    let home = Home::new();
    let path = home.join("log");
    let launch = Launch::at(&home).args(&["--log-file", path.to_str().expect("a name")]).env("RUST_LOG", "info");
    let server = Server::unix(launch);
    server.client().call("thread/start", json!({}));
    fs::rename(&path, home.join("moved")).expect("it is there");
    server.process.signal(Signal::HUP);
    eventually("the new file has lines", || {
        fs::read_to_string(&path).is_ok_and(|text| text.contains("reloaded the settings"))
    });
}

#[test]
fn a_log_file_that_cannot_be_written_is_named_at_the_start() {
    let ended = Launch::new().args(&["--log-file", "/no/such/folder/log"]).run();
    assert_eq!(ended.code, Some(78));
    assert!(ended.stderr.contains("the log file /no/such/folder/log: "), "{}", ended.stderr);
}

#[test]
fn who_asks_for_a_change_is_written_down() {
    let server = Server::unix(Launch::new().env("RUST_LOG", "info").env("LOG_FORMAT", "json"));
    let mut client = server.client();
    let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
    client.call("thread/name/set", json!({"threadId": thread, "name": "x"}));
    client.call("thread/read", json!({"threadId": thread}));
    let lines = server.process.stderr.wait_for("the change", |text| {
        let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.iter().any(|line| line.to_string().contains("thread/name/set")).then_some(lines)
    });
    let named = |method: &str| lines.iter().find(|line| line.to_string().contains(&format!("\"{method}\""))).cloned();
    let line = named("thread/name/set").expect("the line").to_string();
    for part in ["promises", "converse", thread.as_str().expect("an id")] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(named("thread/read").is_none(), "who looks changes nothing");
}
