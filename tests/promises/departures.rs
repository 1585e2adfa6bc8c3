//! A client that leaves, in any way, leaves nothing behind.

use std::fs;

use serde_json::json;

use crate::support::eventually;
use crate::support::frames::Frames;
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::wire::Socket;

/// Threads that a busy moment may add for good: those of the pools of workers, whose sizes are settings.
const HELPERS: usize = 32;

/// Descriptors and threads of the server.
fn holdings(server: &Server) -> (usize, usize) {
    let count = |what: &str| {
        let entries = fs::read_dir(format!("/proc/{}/{what}", server.process.id())).expect("/proc is there");
        entries.count()
    };
    (count("fd"), count("task"))
}

#[test]
fn a_crowd_that_vanishes_at_once_gives_every_descriptor_back() {
    for start in [Server::unix, Server::ws] {
        let server = start(Launch::new());
        let mut steady = server.client();
        let before = holdings(&server);
        let crowd: Vec<_> = (0..100).map(|_| server.client()).collect();
        assert!(holdings(&server).0 >= before.0 + 100);
        drop(crowd);
        eventually("everything is given back", || holdings(&server) <= before);
        steady.call("thread/loaded/list", serde_json::json!({}));
    }
}

#[test]
fn clients_that_come_and_go_leave_no_descriptor_no_thread_and_no_memory() {
    for start in [Server::unix, Server::ws] {
        let server = start(Launch::new());
        let cycles = |count: usize| {
            for cycle in 0..count {
                let mut client = server.client();
                if cycle % 2 == 0 {
                    client.close();
                    client.closed();
                }
            }
        };
        cycles(300);
        let (before, memory) = (holdings(&server), server.process.resident_kib());
        cycles(1_000);
        eventually("everything is given back", || {
            let (descriptors, threads) = holdings(&server);
            descriptors <= before.0 && threads < before.1 + HELPERS
        });
        let grown = server.process.resident_kib().saturating_sub(memory);
        assert!(grown < 1024, "a thousand clients that are gone take {grown} KiB");
    }
}

/// A command that says that it is up, and then nothing, with all the time there is.
fn silent_command(id: u32) -> String {
    let params = json!({
        "command": ["sh", "-c", "echo up; exec sleep 600"], "sandboxPolicy": {"type": "dangerFullAccess"},
        "timeoutMs": 600_000, "processId": id.to_string(), "streamStdoutStderr": true,
    });
    json!({"id": id, "method": "command/exec", "params": params}).to_string()
}

#[test]
fn the_commands_of_a_client_that_is_gone_give_way_at_once() {
    let launch = || Launch::new().setting("limits.commands_total", 2).setting("limits.connection_flush_seconds", 600);
    let unix = Server::unix(launch());
    let tcp = Server::ws(launch());
    gives_way(&unix, Frames::initialized(unix.unix_stream()));
    gives_way(&tcp, Frames::initialized(tcp.tcp_stream()));
}

fn gives_way<S: Socket>(server: &Server, mut dead: Frames<S>) {
    let mut client = server.client();
    let params = json!({"command": ["true"], "sandboxPolicy": {"type": "dangerFullAccess"}, "timeoutMs": 600_000});
    for id in 1..=2 {
        dead.text(&silent_command(id));
        dead.read_until(|frame| frame.text().contains("command/exec/outputDelta"));
    }
    assert_eq!(client.refusal("command/exec", params.clone()).code, -32001, "all places are taken");
    drop(dead);
    eventually("a place is free", || client.request("command/exec", params.clone()).is_ok());
}

#[test]
fn a_client_that_has_only_stopped_sending_gets_its_answers() {
    use std::net::Shutdown;
    let (unix, tcp) = (Server::unix(Launch::new()), Server::ws(Launch::new()));
    let mut frames = Frames::initialized(unix.unix_stream());
    frames.text(&half_a_second());
    frames.0.shutdown(Shutdown::Write).expect("it is open");
    gets_its_answer(frames);
    let mut frames = Frames::initialized(tcp.tcp_stream());
    frames.text(&half_a_second());
    frames.0.shutdown(Shutdown::Write).expect("it is open");
    gets_its_answer(frames);
}

/// A command that runs longer than it takes to find out that a peer is gone.
fn half_a_second() -> String {
    let policy = json!({"type": "dangerFullAccess"});
    let params =
        json!({"command": ["sh", "-c", "sleep 0.6; echo done"], "sandboxPolicy": policy, "timeoutMs": 600_000});
    json!({"id": 5, "method": "command/exec", "params": params}).to_string()
}

fn gets_its_answer<S: Socket>(mut frames: Frames<S>) {
    let answer = frames.read_until(|frame| frame.payload.starts_with(b"{\"id\":5"));
    assert!(answer.text().contains("done"), "{answer:?}");
}
