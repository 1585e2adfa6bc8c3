//! For a client that speaks WebSocket, the proxy relays bytes (spec: local transports 12).

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};

use crate::support::aside::Aside;
use crate::support::frames::{Frames, TEXT, encode};
use crate::support::home::Home;
use crate::support::http;
use crate::support::process::{Collected, Launch, Process};
use crate::support::server::Server;
use crate::support::wire::patient;

const REQUEST: &str = r#"{"id":"r","method":"thread/loaded/list","params":{}}"#;

/// A proxy on a socket pair: the process and the client's end.
fn bridged(launch: Launch) -> (Process, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    (launch.arg("proxy").spawn_on(theirs), patient(ours))
}

#[test]
fn bytes_stay_as_they_are_in_both_directions_to_the_end() {
    let home = Home::new();
    let listener = UnixListener::bind(home.join("echo")).expect("a socket");
    let echoing = Aside::start(move || {
        let (mut stream, _) = listener.accept().expect("the proxy connects");
        let mut received = Vec::new();
        stream.read_to_end(&mut received).expect("the proxy half-closes");
        stream.write_all(&received).expect("the proxy still reads");
        received.len()
    });
    let bytes: Vec<u8> = (0..1_280_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let mut process = Launch::at(&home).args(&["proxy", "--framing", "raw", "--sock", "echo"]).spawn();
    let mut stdin = process.stdin.take().expect("a pipe");
    let mut stdout = process.stdout.take().expect("a pipe");
    stdin.write_all(&bytes).expect("the proxy reads");
    drop(stdin);
    let mut echoed = Vec::new();
    stdout.read_to_end(&mut echoed).expect("the proxy writes");
    assert!(echoed == bytes, "{} bytes of {} came back", echoed.len(), bytes.len());
    assert_eq!(process.exit_code(), 0, "{}", process.stderr.all());
    assert_eq!(echoing.finish("the peer"), bytes.len());
}

#[test]
fn an_answer_that_was_asked_for_before_the_half_close_is_not_lost() {
    let server = Server::unix(Launch::new());
    for _ in 0..20 {
        let (mut process, stream) = bridged(Launch::at(server.process.home()));
        let mut frames = Frames::initialized(stream);
        let requests: Vec<u8> = (0..50).flat_map(|_| encode(true, TEXT, REQUEST.as_bytes())).collect();
        frames.send_bytes(&requests);
        frames.0.shutdown(Shutdown::Write).expect("it is open");
        let mut answers = 0;
        while let Some(frame) = frames.read() {
            answers += usize::from(frame.opcode == TEXT && frame.text().contains(r#""id":"r""#));
        }
        assert_eq!((answers, process.exit_code()), (50, 0), "{}", process.stderr.all());
    }
}

#[test]
fn http_that_is_no_upgrade_is_answered_and_nothing_hangs() {
    let server = Server::unix(Launch::new());
    let (mut process, mut stream) = bridged(Launch::at(server.process.home()));
    stream.write_all(http::request("GET", "/readyz", &[]).as_bytes()).expect("the proxy reads");
    stream.shutdown(Shutdown::Write).expect("it is open");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the proxy writes");
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 "), "{answer}");
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn a_garbage_client_is_told_by_the_server() {
    let server = Server::unix(Launch::new());
    let mut process = Launch::at(server.process.home()).arg("proxy").spawn();
    let stdout = Collected::of(process.stdout.take().expect("a pipe"));
    process.stdin.as_mut().expect("a pipe").write_all(b"garbage\r\n\r\n").expect("the proxy reads");
    assert_eq!(process.exit_code(), 1);
    assert!(stdout.all().starts_with("HTTP/1.1 400 "), "{}", stdout.text());
}
