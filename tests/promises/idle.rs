//! A server that nobody talks to sleeps.

use std::collections::HashMap;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use crate::support::eventually;
use crate::support::http::{self, UPGRADE};
use crate::support::process::Launch;
use crate::support::server::Server;

/// How long a look takes. Everything that wakes regularly does so in it.
const LOOK: Duration = Duration::from_secs(5);

/// The most wakes in a look: one a second, and a few for a system that wakes it for reasons of its own.
const MOST: u64 = 8;

/// How often each thread of the process has gone to sleep so far.
fn sleeps(pid: u32) -> HashMap<String, u64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the threads are listed").flatten();
    let count = |status: String| {
        status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse().ok())
    };
    // A thread may end between the two.
    let of = |path: std::path::PathBuf| {
        Some((path.display().to_string(), count(fs::read_to_string(path.join("status")).ok()?)?))
    };
    threads.filter_map(|thread| of(thread.path())).collect()
}

/// How often the threads that lived through a look have woken in it.
fn wakes_in_a_look(pid: u32) -> u64 {
    let before = sleeps(pid);
    // What is counted is what happens while nobody does anything.
    sleep(LOOK);
    let after = sleeps(pid);
    after.iter().filter_map(|(thread, count)| Some(count - before.get(thread)?)).sum()
}

#[test]
fn a_server_without_clients_wakes_hardly_ever() {
    let with_admin = Launch::new().arg("--admin").arg("http://127.0.0.1:0");
    for server in [Server::ws(Launch::new()), Server::unix(Launch::new()), Server::unix(with_admin)] {
        let pid = server.process.id();
        eventually("it sleeps after its start", || wakes_in_a_look(pid) <= MOST);
    }
}

#[test]
fn a_server_sleeps_again_when_its_last_client_has_gone() {
    let server = Server::ws(Launch::new());
    let pid = server.process.id();
    drop((server.client(), server.client()));
    assert_eq!(http::exchange(&mut server.tcp_stream(), &http::request("GET", "/", UPGRADE)).expect("one").status, 101);
    eventually("it sleeps again", || wakes_in_a_look(pid) <= MOST);
    server.client();
}

#[test]
fn code_that_only_the_start_and_a_greeting_have_needed_is_not_resident_for_ever() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let greeted = server.process.resident_of_files_kib();
    eventually("it is given back", || server.process.resident_of_files_kib() < greeted / 2);
    client.call("thread/loaded/list", serde_json::json!({}));
}
