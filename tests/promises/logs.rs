//! Logs go to stderr, in colours on terminals only, or as JSON (spec: local transports 1.3).

use rustix::process::Signal;
use serde_json::{Value, json};

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
    assert_eq!(quiet, "");
    assert!(chatty.lines().count() > 1, "{chatty}");
}
