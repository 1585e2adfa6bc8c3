//! What a peer can take of the listener, and what that leaves to others.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::http::{self, UPGRADE};
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::wire::patient;
use crate::support::{PATIENCE, eventually};

const PROBE: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn connect(address: SocketAddr) -> TcpStream {
    patient(TcpStream::connect(address).expect("the listener takes it"))
}

fn is_busy(stream: &mut TcpStream) -> bool {
    let response = http::exchange(stream, PROBE);
    response.is_none_or(|response| {
        assert!(response.status == 200 || response.body.contains("too many connections"), "{response:?}");
        response.status == 503
    })
}

#[test]
fn one_peer_has_only_so_many_connections_and_gets_them_back() {
    let server = Server::ws(Launch::new().setting("http.max_connections_per_address", 3));
    let mut client = server.client();
    let mut upgraded = server.tcp_stream();
    let answer = http::exchange(&mut upgraded, &http::request("GET", "/", UPGRADE)).expect("an answer");
    assert_eq!(answer.status, 101);
    let idle = server.tcp_stream();
    eventually("the fourth is refused", || is_busy(&mut server.tcp_stream()));
    client.call("thread/loaded/list", serde_json::json!({}));
    for freed in [idle, upgraded] {
        drop(freed);
        eventually("a place is free again", || !is_busy(&mut server.tcp_stream()));
    }
}

#[test]
fn silent_connections_without_number_leave_room_for_others() {
    let server = Server::ws_at(Launch::new().setting("http.max_connections_per_address", 50), "ws://127.0.0.2:0");
    let address = server.tcp_address();
    let flood: Vec<TcpStream> = (0..400).map(|_| connect(address)).collect();
    eventually("the flood has all it may have", || is_busy(&mut connect(address)));
    let mut other = server.tcp_stream_from([127, 0, 0, 3]);
    let answer = http::exchange(&mut other, &http::request("GET", "/", UPGRADE)).expect("an answer");
    assert_eq!(answer.status, 101);
    drop(flood);
}

#[test]
fn beyond_the_number_in_all_a_connection_waits_for_its_turn() {
    let server = Server::ws(Launch::new().setting("http.max_connections", 2));
    let (first, mut second) = (server.client(), server.client());
    let mut third = server.tcp_stream();
    third.write_all(PROBE.as_bytes()).expect("it fits into the socket");
    third.set_read_timeout(Some(Duration::from_millis(300))).expect("a socket takes a timeout");
    assert!(third.read(&mut [0]).is_err(), "nobody has answered");
    second.call("thread/loaded/list", serde_json::json!({}));
    drop(first);
    third.set_read_timeout(Some(PATIENCE)).expect("a socket takes a timeout");
    assert_eq!(http::read_response(&mut third, false).expect("an answer").status, 200);
}

#[test]
fn a_head_of_ordinary_length_passes_and_a_longer_one_is_refused() {
    let server = Server::ws(Launch::new().setting("http.request_head_bytes", 4096));
    let ask = |bytes: usize| {
        let filler = "x".repeat(bytes);
        let text = http::request("GET", "/readyz", &[("Host", "localhost"), ("X-Filler", &filler)]);
        http::exchange(&mut server.tcp_stream(), &text).map(|response| response.status)
    };
    assert_eq!(ask(3000), Some(200));
    assert_eq!(ask(5000), Some(431));
    let target = format!("/readyz?{}", "x".repeat(5000));
    let text = http::request("GET", &target, &[("Host", "localhost")]);
    assert_eq!(http::exchange(&mut server.tcp_stream(), &text).expect("an answer").status, 431);
    // A head that never ends is given up at the HTTP library's own bound.
    let mut stream = server.tcp_stream();
    // The server stops reading before all of it is sent.
    let _ = stream.write_all(format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(1 << 20)).as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    server.client();
}

#[test]
fn a_second_head_that_never_ends_is_given_up_too() {
    let launch = Launch::new().setting("http.client_request_timeout_seconds", 2);
    let server = Server::ws(launch.setting("http.keep_alive_seconds", 2));
    let mut client = server.client();
    let mut stream = server.tcp_stream();
    assert_eq!(http::exchange(&mut stream, PROBE).expect("an answer").status, 200);
    eventually("it is cut, though bytes still come", || {
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(b"X").is_err()
    });
    client.call("thread/loaded/list", serde_json::json!({}));
}
