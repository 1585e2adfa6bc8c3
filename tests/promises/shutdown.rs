//! The server shuts down cleanly when told to, and no client can delay it (spec: local transports 11).

use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::support::eventually;
use crate::support::frames::Frames;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

const STOPS: [Signal; 2] = [Signal::INT, Signal::TERM];

#[test]
fn an_idle_server_says_goodbye_to_everybody_and_exits_with_zero() {
    for start in [Server::unix, Server::ws] {
        for signal in STOPS {
            let mut server = start(Launch::new());
            let mut clients = [server.client(), server.client(), server.connect()];
            server.process.signal(signal);
            for client in &mut clients {
                assert_eq!(client.closed(), Some(1001), "{signal:?}");
            }
            assert_eq!(server.process.exit_code(), 0, "{signal:?}");
        }
    }
}

#[test]
fn the_socket_is_gone_and_the_lock_file_stays() {
    let mut server = Server::unix(Launch::new());
    let home = server.process.home().clone();
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
    assert!(!home.control_socket().exists());
    assert!(home.join("app-server-control/app-server-startup.lock").exists());
    let said = server.process.stderr.all();
    let after_the_banner =
        said.lines().skip_while(|line| line.starts_with("codex app-server") || line.starts_with("  "));
    assert_eq!(after_the_banner.count(), 0, "a clean end needs no words: {said}");
}

#[test]
fn a_server_on_stdio_ends_at_every_signal() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut server = Server::stdio(Launch::new());
        let mut client = server.client();
        server.process.signal(signal);
        assert_eq!(server.process.exit_code(), 0, "{signal:?}");
        assert_eq!(client.closed(), None);
    }
}

#[test]
fn a_signal_before_any_client_is_a_clean_end_too() {
    for signal in STOPS {
        let mut server = Server::ws(Launch::new());
        server.process.signal(signal);
        assert_eq!(server.process.exit_code(), 0);
    }
}

#[test]
fn without_a_terminal_a_hangup_does_not_end_the_server() {
    for start in [Server::unix, Server::ws] {
        let mut server = start(Launch::new());
        let mut client = server.client();
        server.process.signal(Signal::HUP);
        client.call("thread/start", json!({}));
        server.client();
        assert!(server.process.is_running());
        server.process.signal(Signal::TERM);
        assert_eq!(server.process.exit_code(), 0);
    }
}

/// A server with a client that has more to read than the system buffers, and reads nothing.
fn with_a_deaf_client(launch: Launch) -> (Server, Frames<UnixStream>) {
    let server = Server::unix(launch);
    let mut client = server.client();
    let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
    let deaf = Frames::initialized(server.unix_stream());
    let name = "x".repeat(64 * 1024);
    for _ in 0..20 {
        client.call("thread/name/set", json!({"threadId": thread, "name": name}));
    }
    (server, deaf)
}

#[test]
fn a_client_that_never_reads_cannot_hold_up_the_end() {
    let (mut server, _deaf) = with_a_deaf_client(
        Launch::new().setting("shutdown.close_seconds", 1).setting("limits.outbound_stall_seconds", 600),
    );
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
    assert!(!server.process.home().control_socket().exists());
}

/// Asks for the end again, and once more where the server takes that for the first time.
fn again(server: &mut Server, signal: Signal) {
    eventually("it ends", || {
        let running = server.process.is_running();
        if running {
            server.process.signal(signal);
        }
        !running
    });
}

#[test]
fn a_second_signal_ends_it_at_once() {
    for second in STOPS {
        let patient =
            Launch::new().setting("shutdown.close_seconds", 600).setting("limits.outbound_stall_seconds", 600);
        let (mut server, _deaf) = with_a_deaf_client(patient.setting("shutdown.repeat_milliseconds", 1));
        let mut client = server.client();
        server.process.signal(Signal::TERM);
        client.closed();
        assert!(server.process.is_running(), "the deaf client has 600 seconds");
        again(&mut server, second);
        assert_eq!(server.process.exit_code(), 0);
        assert!(!server.process.home().control_socket().exists());
    }
}

#[test]
fn a_second_signal_does_not_wait_for_what_runs() {
    let mut server =
        Server::unix(Launch::new().setting("shutdown.drain_seconds", 600).setting("shutdown.repeat_milliseconds", 1));
    let (mut client, mut other) = (server.client(), server.client());
    let policy = json!({"type": "dangerFullAccess"});
    client.send_request(
        "command/exec",
        json!({"command": ["sleep", "600"], "timeoutMs": 600_000, "sandboxPolicy": policy}),
    );
    // The fence: the command is in flight when this is answered.
    client.call("thread/loaded/list", json!({}));
    server.process.signal(Signal::TERM);
    eventually("the drain begins", || other.request("thread/start", json!({})).is_err());
    let refused = other.refusal("thread/start", json!({}));
    assert_eq!((refused.code, refused.message.as_str()), (-32600, "Server is draining; retry after reconnecting"));
    other.call("thread/loaded/list", json!({}));
    assert!(server.process.is_running(), "the command has 600 seconds");
    again(&mut server, Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
}

#[test]
fn a_signal_at_any_moment_of_the_start_leaves_no_socket_behind() {
    for delay in (0..40).step_by(3) {
        let home = Home::new();
        let mut process = Launch::at(&home).args(&["--listen", "unix://"]).spawn();
        // The moment is what this promise is about; there is no event to wait for.
        thread::sleep(Duration::from_millis(delay));
        process.signal(Signal::TERM);
        process.wait();
        assert!(!home.control_socket().exists(), "after {delay} ms");
    }
}

#[test]
fn a_stopped_server_leaves_its_port_free() {
    let mut server = Server::ws(Launch::new());
    let address = server.tcp_address();
    let _client = server.client();
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
    Server::ws_at(Launch::new(), &format!("ws://{address}")).client();
}
