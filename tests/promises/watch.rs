//! `watch` prints every notification as a line when it arrives.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::process::{Collected, Launch, Process};
use crate::support::server::Server;
use crate::support::terminal::on_terminal;

fn watching(server: &Server, words: &[&str]) -> (Process, Collected) {
    let mut process = Launch::at(server.process.home()).arg("watch").args(words).spawn();
    let stdout = Collected::of(process.stdout.take().expect("a pipe"));
    if words.is_empty() {
        // The first thing that every client is told.
        stdout.wait_for("the connection", |text| text.contains("remoteControl/status/changed").then_some(()));
    }
    (process, stdout)
}

fn line_with(text: &str, method: &str) -> Option<Value> {
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a JSON line"));
    lines.into_iter().find(|message| message["method"] == method)
}

#[test]
fn what_one_client_does_another_sees() {
    let server = Server::unix(Launch::new());
    let (_process, seen) = watching(&server, &[]);
    let mut client = server.client();
    let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
    let name = thread.as_str().expect("an id");
    let ended = Launch::at(server.process.home()).args(&["rename", name, "Sums"]).run();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));
    let started = seen.wait_for("the start", |text| line_with(text, "thread/started"));
    assert_eq!(started["params"]["thread"]["id"], thread);
    let renamed = seen.wait_for("the rename", |text| line_with(text, "thread/name/updated"));
    assert_eq!(renamed["params"], json!({"threadId": thread, "threadName": "Sums"}));
}

#[test]
fn one_thread_can_be_watched_alone() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let mut start = || client.call("thread/start", json!({}))["thread"]["id"].take();
    let (watched, other) = (start(), start());
    let (_process, seen) = watching(&server, &["--thread", watched.as_str().expect("an id")]);
    let mut attempts = 0;
    let renamed = loop {
        // It sees what happens after it has attached, and says nothing before.
        for thread in [&other, &watched] {
            client.call("thread/name/set", json!({"threadId": thread, "name": "Sums"}));
        }
        std::thread::sleep(Duration::from_millis(20));
        if let Some(renamed) = line_with(&seen.text(), "thread/name/updated") {
            break renamed;
        }
        attempts += 1;
        assert!(attempts < 500, "{}", seen.text());
    };
    assert_eq!(renamed["params"]["threadId"], watched);
    assert!(!seen.text().contains(other.as_str().expect("an id")), "{}", seen.text());
}

#[test]
fn a_thread_that_is_not_there_is_an_error() {
    let server = Server::unix(Launch::new());
    let ended = Launch::at(server.process.home()).args(&["watch", "--thread", "no-such"]).run();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
}

#[test]
fn it_connects_again_when_it_is_told_to() {
    let mut server = Server::unix(Launch::new());
    let home = server.process.home().clone();
    let mut process = Launch::at(&home).args(&["watch", "--reconnect"]).spawn();
    let seen = Collected::of(process.stdout.take().expect("a pipe"));
    seen.wait_for("the connection", |text| text.contains("remoteControl/status/changed").then_some(()));
    server.process.signal(Signal::TERM);
    server.process.wait();
    process.stderr.wait_for("the loss", |text| text.contains("connecting again").then_some(()));
    let next = Server::unix(Launch::at(&home));
    process.stderr.wait_for("the next server", |text| text.contains("connected again").then_some(()));
    let count = |text: &str| text.matches("remoteControl/status/changed").count();
    seen.wait_for("the first message of the next server", |text| (count(text) == 2).then_some(()));
    drop(next);
}

#[test]
fn on_a_terminal_it_prints_one_message_a_line_when_it_is_told_to() {
    let server = Server::unix(Launch::new());
    let launch = || Launch::at(server.process.home());
    let (_watching, lines) = on_terminal(launch().args(&["watch", "--lines"]));
    let message = lines.wait_for("a message", |text| text.split_once('\n').map(|(line, _)| line.trim_end().to_owned()));
    assert!(message.starts_with("{\"method\":\"") && message.ends_with('}'), "{message}");
    let (_watching, pages) = on_terminal(launch().env("NO_COLOR", "1").arg("watch"));
    let first = pages.wait_for("a message", |text| text.split_once('\n').map(|(line, _)| line.trim_end().to_owned()));
    assert_eq!(first, "{", "a person reads it");
}

#[test]
fn it_ends_with_a_signal_its_reader_or_the_server() {
    let server = Server::unix(Launch::new());
    let (mut process, _seen) = watching(&server, &[]);
    process.signal(Signal::INT);
    assert_eq!((process.exit_code(), process.stderr.all().as_str()), (0, ""));

    let mut process = Launch::at(server.process.home()).arg("watch").spawn();
    drop(process.stdout.take());
    assert_eq!((process.exit_code(), process.stderr.all().as_str()), (0, ""));

    let (mut process, seen) = watching(&server, &[]);
    server.process.signal(Signal::TERM);
    assert_eq!(process.exit_code(), 69);
    assert_eq!(process.stderr.all(), "Error: the server closed the connection\n");
    seen.all();
}
