//! A client that leaves, in any way, leaves nothing behind.

use std::fs;

use crate::support::eventually;
use crate::support::process::Launch;
use crate::support::server::Server;

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
        eventually("everything is given back", || holdings(&server) <= before);
        let grown = server.process.resident_kib().saturating_sub(memory);
        assert!(grown < 1024, "a thousand clients that are gone take {grown} KiB");
    }
}
