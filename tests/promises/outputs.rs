//! What cannot be written is said, and a reader that has enough is no failure.

use std::fs::OpenOptions;

use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

/// Commands that need no server.
const ALONE: [&[&str]; 7] = [
    &["--help"],
    &["--version"],
    &["call", "--help"],
    &["man", "watch"],
    &["config", "--origin"],
    &["completions", "fish"],
    &["generate-openrpc"],
];

/// Commands of clients.
const ATTACHED: [&[&str]; 6] = [
    &["call", "model/list"],
    &["threads"],
    &["status", "--json"],
    &["watch"],
    &["chat", "hello"],
    &["remote-control", "status"],
];

fn server() -> Server {
    Server::unix(Launch::at(&Home::with_config("model_provider = \"echo\"\n")))
}

#[test]
fn output_that_cannot_be_written_is_exit_code_1() {
    let server = server();
    let full = || OpenOptions::new().write(true).open("/dev/full").expect("it is always full");
    for words in ALONE.iter().chain(&ATTACHED) {
        let mut process = Launch::at(server.process.home()).args(words).spawn_to(full());
        assert_eq!(process.exit_code(), 1, "{words:?}");
        let error = process.stderr.all();
        assert!(error.starts_with("Error: failed to write to stdout: No space left on device"), "{words:?}: {error}");
    }
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let server = server();
    for words in ALONE.iter().chain(&ATTACHED) {
        let mut process = Launch::at(server.process.home()).args(words).spawn();
        drop(process.stdout.take());
        assert_eq!((process.exit_code(), process.stderr.all().as_str()), (0, ""), "{words:?}");
    }
}
