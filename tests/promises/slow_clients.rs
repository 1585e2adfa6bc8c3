//! A client that does not read is disconnected, and costs the others nothing (laws 5 and 6).

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

use crate::support::PATIENCE;
use crate::support::client::Client;
use crate::support::frames::{Frames, TEXT, encode};
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
    let server = Server::unix(Launch::new().setting("limits.outbound_stall_seconds", 2));
    let mut steady = server.client();
    let thread = named_thread(&mut steady);
    let stalled = Frames::initialized(server.unix_stream());
    rename(&mut steady, &thread, 20, 64 * 1024);
    wait_for_hangup(&stalled.0);
    rename(&mut steady, &thread, 3, 100);
}

#[test]
fn a_client_that_asks_and_never_reads_is_cut_too() {
    let server = Server::unix(Launch::new().setting("limits.outbound_stall_seconds", 2));
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
    let server = Server::unix(Launch::new().setting("limits.outbound_stall_seconds", 2));
    let (mut quiet, mut steady) = (server.client(), server.client());
    let thread = named_thread(&mut steady);
    // Fits into what the system buffers: nothing is queued in the server, so no clock runs.
    rename(&mut steady, &thread, 10, 1024);
    std::thread::sleep(Duration::from_secs(5));
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

#[test]
fn a_client_that_reads_slowly_but_steadily_is_not_cut() {
    let launch = Launch::new().setting("limits.outbound_stall_seconds", 5);
    let server = Server::unix(launch);
    let mut steady = server.client();
    let thread = named_thread(&mut steady);
    let mut slow = Frames::initialized(server.unix_stream());
    // This takes the slow reader twice as long as it may stand still.
    rename(&mut steady, &thread, 1, 4 * 1024 * 1024);
    rename(&mut steady, &thread, 1, 10);
    let (mut piece, mut end) = (vec![0; 64 * 1024], Vec::new());
    while !String::from_utf8_lossy(&end).contains(r#""xxxxxxxxxx""#) {
        let length = match slow.0.read(&mut piece) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read.expect("a client that reads is not cut"),
        };
        assert_ne!(length, 0, "a client that reads is not cut");
        end = piece[..length].to_vec();
        std::thread::sleep(Duration::from_millis(160));
    }
    assert!(!server.process.stderr.text().contains("was disconnected"));
}

#[test]
fn a_client_that_asks_and_does_not_read_is_not_read_either_and_loses_nothing() {
    let server = Server::unix(Launch::new());
    server.client().call("thread/list", json!({}));
    let before = server.process.resident_kib();
    let mut greedy = Frames::initialized(server.unix_stream());
    greedy.0.set_nonblocking(true).expect("a socket can be polled");
    let request = encode(true, TEXT, br#"{"id":"g","method":"thread/list","params":{}}"#);
    let (mut sent, mut rest, mut stuck) = (0, request.clone(), 0);
    while stuck < 50 {
        match greedy.0.write(&rest) {
            Ok(written) => {
                rest.drain(..written);
                stuck = 0;
                if rest.is_empty() {
                    sent += 1;
                    rest.clone_from(&request);
                }
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                stuck += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
    let grown = server.process.resident_kib().saturating_sub(before);
    assert!(grown < 4 * 1024, "it grew by {grown} KiB for {sent} requests");
    server.client().call("thread/list", json!({}));
    greedy.0.set_nonblocking(false).expect("a socket can be waited for");
    for _ in 0..sent {
        greedy.read_until(|frame| frame.text().contains(r#""id":"g""#));
    }
}

#[test]
fn a_client_that_was_cut_comes_back_and_misses_nothing_that_was_kept() {
    let launch = Launch::new().setting("limits.outbound_bytes", 1024 * 1024);
    let server = Server::unix(launch);
    let mut steady = server.client();
    let thread = named_thread(&mut steady);
    let stalled = Frames::initialized(server.unix_stream());
    rename(&mut steady, &thread, 100, 64 * 1024);
    wait_for_hangup(&stalled.0);
    server.process.stderr.wait_for("the reason", |said| {
        (said.contains("too many bytes are queued for its peer") && said.contains("cut_so_far=1")).then_some(())
    });
    steady.call("thread/name/set", json!({"threadId": thread, "name": "said meanwhile"}));
    let mut back = server.client();
    let resumed = back.call("thread/resume", json!({"threadId": thread}));
    assert_eq!(resumed["thread"]["name"], "said meanwhile");
    rename(&mut steady, &thread, 1, 10);
    assert_eq!(back.next_notification("thread/name/updated")["threadName"], "xxxxxxxxxx");
}
