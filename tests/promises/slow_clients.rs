//! A client that does not read is cut, and costs the others nothing (laws 5 and 6).

use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

use crate::support::PATIENCE;
use crate::support::client::Client;
use crate::support::frames::Frames;
use crate::support::process::Launch;
use crate::support::server::Server;

/// Waits, without reading, until the server has hung up.
fn wait_for_hangup(stream: &UnixStream) {
    // A hangup is reported whether it is asked for or not.
    let mut descriptors = [PollFd::new(stream, PollFlags::empty())];
    let limit = Timespec { tv_sec: PATIENCE.as_secs().cast_signed(), tv_nsec: 0 };
    let ready = poll(&mut descriptors, Some(&limit)).expect("poll works");
    assert_eq!(ready, 1, "the server keeps a client that does not read");
}

fn named_thread(client: &mut Client) -> Value {
    client.call("thread/start", json!({}))["thread"]["id"].take()
}

/// Renames as often as said, with names of so many bytes; the setter sees every one.
fn rename(client: &mut Client, thread: &Value, times: usize, bytes: usize) {
    let name = "x".repeat(bytes);
    for _ in 0..times {
        client.call("thread/name/set", json!({"threadId": thread, "name": name}));
        client.next_notification("thread/name/updated");
    }
}

#[test]
fn a_client_with_too_many_bytes_queued_is_cut() {
    let server = Server::unix(Launch::new().setting("limits.outbound_bytes", 1024 * 1024));
    let mut steady = server.client();
    let thread = named_thread(&mut steady);
    let stalled = Frames::initialized(server.unix_stream());
    rename(&mut steady, &thread, 100, 64 * 1024);
    wait_for_hangup(&stalled.0);
    rename(&mut steady, &thread, 3, 100);
}

#[test]
fn a_client_with_too_many_messages_queued_is_cut() {
    let server = Server::unix(Launch::new().setting("limits.websocket_outbound_messages", 16));
    let mut steady = server.client();
    let thread = named_thread(&mut steady);
    let stalled = Frames::initialized(server.unix_stream());
    rename(&mut steady, &thread, 150, 32 * 1024);
    wait_for_hangup(&stalled.0);
    rename(&mut steady, &thread, 3, 100);
}

#[test]
fn a_client_that_makes_no_progress_is_cut_after_its_time() {
    let server = Server::unix(Launch::new().setting("limits.outbound_stall_seconds", 1));
    let mut steady = server.client();
    let thread = named_thread(&mut steady);
    let stalled = Frames::initialized(server.unix_stream());
    rename(&mut steady, &thread, 20, 64 * 1024);
    wait_for_hangup(&stalled.0);
    rename(&mut steady, &thread, 3, 100);
}

#[test]
fn a_client_that_asks_and_never_reads_is_cut_too() {
    let server = Server::unix(Launch::new().setting("limits.outbound_stall_seconds", 1));
    let mut steady = server.client();
    let thread = named_thread(&mut steady);
    rename(&mut steady, &thread, 1, 64 * 1024);
    let mut greedy = Frames::initialized(server.unix_stream());
    let request = json!({"id": "g", "method": "thread/read", "params": {"threadId": thread}}).to_string();
    for _ in 0..64 {
        greedy.text(&request);
    }
    wait_for_hangup(&greedy.0);
    rename(&mut steady, &thread, 3, 100);
}

#[test]
fn a_client_that_is_merely_quiet_stays() {
    let server = Server::unix(Launch::new().setting("limits.outbound_stall_seconds", 1));
    let (mut quiet, mut steady) = (server.client(), server.client());
    let thread = named_thread(&mut steady);
    // Fits into what the system buffers: nothing is queued in the server, so no clock runs.
    rename(&mut steady, &thread, 10, 1024);
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    for _ in 0..10 {
        quiet.next_notification("thread/name/updated");
    }
    quiet.call("thread/read", json!({"threadId": thread}));
}

#[test]
fn stalled_clients_do_not_make_the_server_grow_without_bound() {
    let server = Server::unix(Launch::new().setting("limits.outbound_bytes", 1024 * 1024));
    let mut steady = server.client();
    let thread = named_thread(&mut steady);
    let before = server.process.resident_kib();
    let stalled: Vec<_> = (0..5).map(|_| Frames::initialized(server.unix_stream())).collect();
    rename(&mut steady, &thread, 200, 64 * 1024);
    for stalled in &stalled {
        wait_for_hangup(&stalled.0);
    }
    let grown = server.process.resident_kib().saturating_sub(before);
    assert!(grown < 40 * 1024, "five stalled clients with a MiB each made it grow by {grown} KiB");
}
