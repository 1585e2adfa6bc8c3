//! How much of the listener a peer can use, and what remains for others.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::json;

use crate::support::eventually;
use crate::support::http::{self, Response, UPGRADE};
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::wire::patient;

const PROBE: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn connect(address: SocketAddr) -> TcpStream {
    patient(TcpStream::connect(address).expect("the listener takes it"))
}

fn upgrade(stream: &mut TcpStream) -> Response {
    // A refused request gets an answer; an empty reply does not count.
    http::exchange(stream, &http::request("GET", "/", UPGRADE)).expect("an answer")
}

fn is_refused(stream: &mut TcpStream, reason: &str) {
    let answer = upgrade(stream);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.body.contains(reason), "{answer:?}");
    let seconds: u64 = answer.header("retry-after").expect("when to retry").parse().expect("seconds");
    assert!(seconds > 0);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("the connection ends in good order");
    assert_eq!(rest, b"");
}

fn probe(stream: &mut TcpStream) -> u16 {
    http::exchange(stream, PROBE).expect("an answer").status
}

#[test]
fn one_peer_has_only_so_many_connections_and_gets_them_back() {
    let server = Server::ws(Launch::new().setting("http.max_connections_per_address", 3));
    let mut client = server.client();
    let mut upgraded = server.tcp_stream();
    assert_eq!(upgrade(&mut upgraded).status, 101);
    let mut idle = server.tcp_stream();
    assert_eq!(probe(&mut idle), 200);
    for _ in 0..100 {
        is_refused(&mut server.tcp_stream(), "too many connections from this address");
        assert_eq!(probe(&mut server.tcp_stream()), 200);
    }
    client.call("thread/loaded/list", json!({}));
    assert_eq!(upgrade(&mut server.tcp_stream_from([127, 0, 0, 2])).status, 101, "another peer is let in");
    for freed in [idle, upgraded] {
        drop(freed);
        eventually("a place is free again", || upgrade(&mut server.tcp_stream()).status == 101);
    }
}

#[test]
fn silent_connections_without_number_leave_room_for_others() {
    let server = Server::ws_at(Launch::new().setting("http.max_connections_per_address", 50), "ws://127.0.0.2:0");
    let address = server.tcp_address();
    let flood: Vec<TcpStream> = (0..400).map(|_| connect(address)).collect();
    is_refused(&mut connect(address), "too many connections from this address");
    let mut other = server.tcp_stream_from([127, 0, 0, 3]);
    assert_eq!(upgrade(&mut other).status, 101);
    drop(flood);
}

#[test]
fn beyond_the_number_in_all_probes_are_answered_and_clients_told_to_come_back() {
    let server = Server::ws(Launch::new().setting("http.max_connections", 2));
    let (first, mut second) = (server.client(), server.client());
    for _ in 0..100 {
        assert_eq!(probe(&mut server.tcp_stream()), 200);
        is_refused(&mut server.tcp_stream(), "http.max_connections");
    }
    second.call("thread/loaded/list", json!({}));
    drop(first);
    eventually("a place is free again", || upgrade(&mut server.tcp_stream()).status == 101);
}

#[test]
fn a_reserve_full_of_silence_still_answers_probes() {
    let launch = Launch::new().setting("http.max_connections", 2).setting("http.reserved_connections", 8);
    let server = Server::ws(launch);
    let _clients = (server.client(), server.client());
    let mut silent: Vec<TcpStream> = (0..100).map(|_| server.tcp_stream()).collect();
    for _ in 0..50 {
        assert_eq!(probe(&mut server.tcp_stream()), 200);
        silent.push(server.tcp_stream());
    }
    let oldest = http::read_response(&mut silent[0], false).expect("it is told why it is closed");
    assert_eq!((oldest.status, oldest.header("retry-after")), (503, Some("10")));
}

#[test]
fn when_descriptors_run_short_probes_are_answered_all_the_same() {
    for clients in [0, 20] {
        let launch = Launch::new().setting("startup.raise_open_files", false).open_files(160);
        let server = Server::unix(launch);
        let ask = |text: &str| http::exchange(&mut server.unix_stream(), text).expect("an answer");
        let _clients: Vec<_> = (0..clients).map(|_| server.client()).collect();
        let silent: Vec<_> = (0..200).map(|_| server.unix_stream()).collect();
        for _ in 0..20 {
            assert_eq!(ask(PROBE).status, 200);
            assert_eq!(ask(&http::request("GET", "/", UPGRADE)).status, 503);
        }
        drop(silent);
        eventually("there is room again", || ask(&http::request("GET", "/", UPGRADE)).status == 101);
    }
}

#[test]
fn commands_leave_descriptors_to_connections_and_are_refused_instead() {
    let launch = Launch::new().setting("startup.raise_open_files", false).open_files(256);
    let server = Server::unix(launch);
    let mut client = server.client();
    let policy = json!({"type": "dangerFullAccess"});
    let params = json!({"command": ["sleep", "600"], "timeoutMs": 600_000, "sandboxPolicy": policy});
    for _ in 0..40 {
        client.send_request("command/exec", params.clone());
    }
    // Those that run have no answer.
    let refused = client.next_answer();
    assert_eq!(refused["error"]["code"], -32001, "{refused}");
    let text = refused["error"]["message"].as_str().expect("text");
    assert!(text.contains("may open too few more files (256 in all)"), "{text}");
    for _ in 0..20 {
        assert_eq!(http::exchange(&mut server.unix_stream(), PROBE).expect("an answer").status, 200);
        server.client().call("thread/loaded/list", json!({}));
    }
    assert!(!server.process.stderr.text().contains("Too many open files"), "{}", server.process.stderr.text());
}

#[test]
fn a_further_watch_needs_no_descriptor() {
    let launch = Launch::new().setting("startup.raise_open_files", false).open_files(256);
    let server = Server::unix(launch);
    let mut client = server.client();
    let home = server.process.home().path().to_path_buf();
    let watch = |id: &str| json!({"watchId": id, "path": home});
    client.call("fs/watch", watch("first"));
    let policy = json!({"type": "dangerFullAccess"});
    let params = json!({"command": ["sleep", "600"], "timeoutMs": 600_000, "sandboxPolicy": policy});
    for _ in 0..40 {
        client.send_request("command/exec", params.clone());
    }
    // Now commands have what is left to them, but for a few, which these take.
    assert_eq!(client.next_answer()["error"]["code"], -32001);
    let _clients: Vec<_> = (0..10).map(|_| server.client()).collect();
    client.call("fs/watch", watch("second"));
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
    assert_eq!(probe(&mut stream), 200);
    eventually("it is cut, though bytes still come", || {
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(b"X").is_err()
    });
    client.call("thread/loaded/list", json!({}));
}
