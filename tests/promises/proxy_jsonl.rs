//! A client that writes JSON lines shares a running server through the proxy and loses nothing (spec: local transports
//! 12 and flaw 7 of section 14).

use std::collections::HashSet;
use std::io::{ErrorKind, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

use crate::support::aside::Aside;
use crate::support::home::Home;
use crate::support::process::{Collected, Launch};
use crate::support::proxied;
use crate::support::server::Server;

const INITIALIZE: &str = r#"{"id":0,"method":"initialize","params":{"clientInfo":{"name":"lines","version":"1"}}}"#;
const REQUEST: &str = r#"{"id":"r","method":"thread/loaded/list","params":{}}"#;

/// Writes `input` to a proxy of `home` and ends stdin: the answers. The proxy must exit with 0.
fn conversation(launch: Launch, input: &[u8]) -> Vec<Value> {
    let mut process = launch.arg("proxy").spawn();
    let stdout = Collected::of(process.stdout.take().expect("a pipe"));
    let mut stdin = process.stdin.take().expect("a pipe");
    stdin.write_all(input).expect("the proxy reads");
    drop(stdin);
    assert_eq!(process.exit_code(), 0, "{}", process.stderr.all());
    let messages = stdout.all();
    let messages = messages.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    messages.filter(|message| message.get("method").is_none()).collect()
}

#[test]
fn everything_that_was_asked_before_the_end_of_stdin_is_answered() {
    let server = Server::unix(Launch::new());
    let mut input = format!("{INITIALIZE}\n");
    for id in 1..=1_000 {
        input.push_str(&format!("{{\"id\":{id},\"method\":\"thread/loaded/list\",\"params\":{{}}}}\n"));
    }
    let answers = conversation(Launch::at(server.process.home()), input.as_bytes());
    let ids: HashSet<i64> = answers.iter().map(|answer| answer["id"].as_i64().expect("a number")).collect();
    assert_eq!((answers.len(), ids.len()), (1_001, 1_001));
    assert!(answers.iter().all(|answer| answer.get("result").is_some()));
}

#[test]
fn a_last_line_without_an_end_and_blank_lines_are_fine() {
    let server = Server::unix(Launch::new());
    let input = format!("\n\r\n  {INITIALIZE}\r\n\n{REQUEST}");
    let answers = conversation(Launch::at(server.process.home()), input.as_bytes());
    assert_eq!((answers.len(), &answers[1]["id"]), (2, &json!("r")));
}

#[test]
fn a_bad_line_is_refused_and_the_session_goes_on() {
    let server = Server::unix(Launch::new());
    let launch = Launch::at(server.process.home()).setting("limits.message_bytes", 4096);
    let mut input = format!("{INITIALIZE}\n{}\n", "x".repeat(100_000)).into_bytes();
    input.extend(b"{\"id\":1,\"method\":\"\xff\xfe\"}\n");
    input.extend(format!("{REQUEST}\n").as_bytes());
    let answers = conversation(launch, &input);
    assert_eq!(answers.len(), 4, "{answers:?}");
    let refused: Vec<&Value> = answers.iter().filter(|answer| answer["id"].is_null()).collect();
    assert_eq!([&refused[0]["error"]["code"], &refused[1]["error"]["code"]], [&json!(-32600), &json!(-32700)]);
    assert!(refused[0]["error"]["message"].as_str().expect("text").contains("4096"));
    assert!(answers.iter().any(|answer| answer["id"] == "r" && answer.get("result").is_some()), "{answers:?}");
}

#[test]
fn a_line_that_is_longer_than_a_frame_goes_through() {
    let server = Server::unix(Launch::new());
    let long = format!(r#"{{"id":"r","method":"thread/list","params":{{"searchTerm":"{}"}}}}"#, "x".repeat(40 << 20));
    let answers = conversation(Launch::at(server.process.home()), format!("{INITIALIZE}\n{long}\n").as_bytes());
    assert_eq!((answers.len(), &answers[1]["id"]), (2, &json!("r")));
    assert!(answers[1].get("result").is_some(), "{}", answers[1]);
}

#[test]
fn several_clients_share_one_server() {
    let server = Server::unix(Launch::new());
    let client = || {
        let mut client = proxied::lines(Launch::at(server.process.home()).arg("proxy"));
        client.initialize();
        client
    };
    let (mut one, mut other, mut direct) = (client(), client(), server.client());
    let thread = one.call("thread/start", json!({}))["thread"]["id"].take();
    other.call("thread/name/set", json!({"threadId": thread, "name": "Sums"}));
    for client in [&mut one, &mut other, &mut direct] {
        assert_eq!(client.next_notification("thread/name/updated")["threadName"], "Sums");
    }
}

/// A server of one connection that does as it is told, and a proxy that has sent it `{}`.
fn foreign_server(play: impl FnOnce(&mut WebSocket<UnixStream>) + Send + 'static) -> (Launch, Aside<()>) {
    let home = Home::new();
    let listener = UnixListener::bind(home.join("other")).expect("a socket");
    let playing = Aside::start(move || {
        let (stream, _) = listener.accept().expect("the proxy connects");
        let mut socket = tungstenite::accept(stream).expect("the proxy asks for an upgrade");
        assert_eq!(socket.read().expect("a message"), Message::text("{}"));
        play(&mut socket);
    });
    (Launch::at(&home).args(&["proxy", "--sock", "other"]), playing)
}

#[test]
fn a_ping_is_answered_and_a_message_of_several_lines_becomes_one() {
    let (launch, playing) = foreign_server(|socket| {
        socket.send(Message::Ping("are you there".into())).expect("it is open");
        assert_eq!(socket.read().expect("a message"), Message::Pong("are you there".into()));
        socket.send(Message::text("{\n  \"method\": \"x\"\r\n}")).expect("it is open");
        let reason = "so much for today".into();
        socket.close(Some(CloseFrame { code: CloseCode::Away, reason })).expect("it is open");
        while socket.read().is_ok() {}
    });
    let mut process = launch.spawn();
    let stdout = Collected::of(process.stdout.take().expect("a pipe"));
    process.stdin.as_mut().expect("a pipe").write_all(b"{}\n").expect("the proxy reads");
    assert_eq!(stdout.all(), "{   \"method\": \"x\"  }\n");
    assert_eq!(process.exit_code(), 1);
    let expected = "Error: the server closed the connection (close code 1001)\n";
    assert_eq!(process.stderr.all(), expected);
    playing.finish("the foreign server");
}

#[test]
fn what_a_server_of_another_kind_still_says_after_the_end_is_passed_on() {
    let (launch, playing) = foreign_server(|socket| {
        for n in 0..1_000 {
            socket
                .send(Message::text(format!("{{\"n\":{n},\"text\":\"{}\"}}", "x".repeat(1_000))))
                .expect("it is open");
        }
    });
    let mut process = launch.spawn();
    let mut stdin = process.stdin.take().expect("a pipe");
    stdin.write_all(b"{}").expect("the proxy reads");
    drop(stdin);
    let stdout = Collected::of(process.stdout.take().expect("a pipe")).all();
    assert_eq!((process.exit_code(), stdout.lines().count()), (0, 1_000));
    playing.finish("the foreign server");
}

#[test]
fn a_server_that_ends_with_its_clients_last_word_is_not_told_before_it_has_answered() {
    let (launch, playing) = foreign_server(|socket| {
        let request = r#"{"id":1,"method":"slow"}"#;
        assert_eq!(socket.read().expect("a message"), Message::text(request));
        socket.get_ref().set_read_timeout(Some(Duration::from_millis(300))).expect("a socket takes a time limit");
        match socket.read() {
            Err(tungstenite::Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {}
            other => panic!("the proxy did not wait: {other:?}"),
        }
        socket.send(Message::text(r#"{"id":1,"result":{}}"#)).expect("it is open");
        socket.get_ref().set_read_timeout(None).expect("a socket takes a time limit");
        assert!(socket.read().is_err(), "the proxy says no more");
    });
    let mut process = launch.spawn();
    let mut stdin = process.stdin.take().expect("a pipe");
    stdin.write_all(b"{}\n{\"id\":1,\"method\":\"slow\"}\n").expect("the proxy reads");
    drop(stdin);
    let stdout = Collected::of(process.stdout.take().expect("a pipe"));
    assert_eq!(stdout.all(), "{\"id\":1,\"result\":{}}\n");
    assert_eq!(process.exit_code(), 0);
    playing.finish("the foreign server");
}
