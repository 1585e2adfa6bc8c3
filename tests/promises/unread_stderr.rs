//! stderr need not be read: the server keeps serving, handles signals, and ends (law 12). And no peer can fill the disk
//! with log lines.

use std::io::Write as _;

use rustix::process::Signal;
use serde_json::json;

use crate::support::http;
use crate::support::process::Launch;
use crate::support::server::Server;

/// More log than a pipe and the queue in front of it hold: each request of a traced server writes several lines.
const REQUESTS: usize = 2000;

fn serves_and_ends(mut server: Server) {
    let mut client = server.client();
    for _ in 0..REQUESTS {
        client.call("thread/loaded/list", json!({}));
    }
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
}

#[test]
fn a_server_on_a_unix_socket_does_not_wait_for_its_log() {
    let launch = Launch::new().env("RUST_LOG", "trace").setting("log.queue_bytes", 10_000);
    serves_and_ends(Server::unix(launch.stderr_until("")));
}

#[test]
fn a_launcher_may_read_the_banner_and_then_no_more() {
    let launch = Launch::new().env("RUST_LOG", "trace").setting("log.queue_bytes", 10_000);
    serves_and_ends(Server::ws(launch.stderr_until("listening on")));
}

#[test]
fn a_server_on_stdio_does_not_wait_for_its_log() {
    let launch = Launch::new().env("RUST_LOG", "trace").setting("log.queue_bytes", 10_000);
    serves_and_ends(Server::stdio(launch.stderr_until("")));
}

/// Strangers without a token: bad heads, connections that say nothing and go, TLS where there is none.
fn attack(server: &Server, times: usize) {
    for _ in 0..times {
        for nonsense in
            [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"GET / HTTP/9.9\r\n\r\n", b"\0\0\r\n\r\n"]
        {
            let mut stream = server.tcp_stream();
            // The server may have closed already.
            let _ = stream.write_all(nonsense);
            let _ = std::io::Read::read(&mut stream, &mut [0; 512]);
        }
        drop(server.tcp_stream());
        let refused = http::request("GET", "/", &[http::UPGRADE, &[("Authorization", "Bearer guess")]].concat());
        let _ = http::exchange(&mut server.tcp_stream(), &refused);
    }
}

#[test]
fn an_attack_is_a_few_lines_and_a_count() {
    let home = crate::support::home::Home::new();
    std::fs::write(home.join("token"), "the right token\n").expect("the home is writable");
    let flags = ["--ws-auth", "capability-token", "--ws-token-file", "token"];
    let mut server = Server::ws(Launch::at(&home).args(&flags).env("RUST_LOG", "info"));
    attack(&server, 200);
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
    let log = server.process.stderr.all();
    assert!(log.lines().count() < 40, "{log}");
    assert!(log.contains("more like this within a minute"), "{log}");
}
