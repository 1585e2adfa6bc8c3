//! Flooding any limit costs the flooding peer its connection and the others nothing (law 5).

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use serde_json::{Value, json};

use crate::support::frames::{CLOSE, CONTINUATION, Frames, PING, PONG, TEXT, encode, header};
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::wire::Socket;

const REQUEST: &str = r#"{"id":"r","method":"thread/loaded/list","params":{}}"#;
const MIB: u64 = 1024;

/// A good client is served.
fn serves(server: &Server) {
    server.client().call("thread/loaded/list", json!({}));
}

fn code_of<S: Socket>(frames: &mut Frames<S>) -> u16 {
    frames.read_until(|frame| frame.opcode == CLOSE).close_code()
}

/// Runs `flood` and asserts that it made the server grow by less than `most` KiB.
fn grows_less_than(server: &Server, most: u64, flood: impl FnOnce()) {
    let before = server.process.resident_kib();
    flood();
    let grown = server.process.resident_kib().saturating_sub(before);
    assert!(grown < most, "it grew by {grown} KiB");
}

#[test]
fn who_never_initializes_is_closed() {
    let server = Server::ws(Launch::new().setting("limits.initialize_seconds", 3));
    let mut steady = Frames::initialized(server.tcp_stream());
    let mut silent = Frames::upgrade(server.tcp_stream());
    let mut lively = Frames::upgrade(server.tcp_stream());
    lively.send(true, PING, b"still here");
    assert_eq!(silent.close_code(), 1008);
    assert_eq!(lively.close_code(), 1008);
    steady.text(REQUEST);
    steady.read_until(|frame| frame.text().contains("\"id\":\"r\""));
    serves(&server);
}

#[test]
fn who_is_silent_is_pinged_and_who_stays_silent_is_closed() {
    let limits = [("limits.websocket_ping_seconds", 1), ("limits.websocket_pong_seconds", 4)];
    let server =
        Server::unix(limits.into_iter().fold(Launch::new(), |launch, (key, value)| launch.setting(key, value)));
    let mut dead = Frames::initialized(server.unix_stream());
    let mut alive = Frames::initialized(server.unix_stream());
    for _ in 0..5 {
        let ping = alive.read_until(|frame| frame.opcode == PING);
        alive.send(true, PONG, &ping.payload);
    }
    dead.read_until(|frame| frame.opcode == PING);
    assert_eq!(dead.close_code(), 1008);
    alive.text(REQUEST);
    alive.read_until(|frame| frame.opcode == TEXT && frame.text().contains("\"id\":\"r\""));
    serves(&server);
}

#[test]
fn malformed_messages_are_answered_up_to_their_limit() {
    let server = Server::ws(Launch::new().setting("limits.malformed_messages", 10));
    let mut frames = Frames::initialized(server.tcp_stream());
    for _ in 0..100 {
        frames.text(r#"{"id":"u","method":"no/such"}"#);
        frames.read_until(|frame| frame.text().contains("-32601"));
    }
    for _ in 0..11 {
        frames.text("garbage");
        frames.read_until(|frame| frame.text().contains("-32700"));
    }
    assert_eq!(frames.close_code(), 1008);
    serves(&server);
}

#[test]
fn garbage_on_stdio_costs_an_error_a_line_and_no_more() {
    let server = Server::stdio(Launch::new().setting("limits.malformed_messages", 10));
    let mut client = server.client();
    for _ in 0..100 {
        assert_eq!(client.exchange("garbage")["error"]["code"], -32700);
    }
    client.call("thread/loaded/list", json!({}));
}

#[test]
fn a_line_of_brackets_is_refused_without_being_read() {
    let server = Server::stdio(Launch::new());
    let mut client = server.client();
    // Some 64 MiB of it are the line, some the room that a growing buffer leaves.
    grows_less_than(&server, 160 * MIB, || {
        for bracket in ["[", "{\"a\":"] {
            let text = bracket.repeat(64 * 1024 * 1024 / bracket.len());
            let answer = client.exchange(&text);
            assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(-32600)));
        }
    });
    client.call("thread/loaded/list", json!({}));
}

#[test]
fn nesting_and_ids_have_their_limits() {
    let server = Server::ws(Launch::new());
    let mut client = server.client();
    for (levels, fits) in [(128, true), (129, false)] {
        let (open, close) = ("[".repeat(levels - 2), "]".repeat(levels - 2));
        let text = format!(r#"{{"id":"n","method":"thread/loaded/list","params":{{"unknown":{open}{close}}}}}"#);
        assert_eq!(client.exchange(&text).get("error").is_none(), fits, "{levels} levels");
    }
    for (bytes, fits) in [(1024, true), (1025, false)] {
        let id = "i".repeat(bytes);
        let answer = client.exchange(&json!({"id": id, "method": "thread/loaded/list", "params": {}}).to_string());
        assert_eq!(answer["id"] == id, fits, "an id of {bytes} bytes");
        assert_eq!(answer.get("error").is_none(), fits);
    }
    serves(&server);
}

#[test]
fn who_sends_too_much_is_told_so_after_sending_it() {
    let server = Server::ws(Launch::new());
    grows_less_than(&server, 8 * MIB, || {
        let mut frames = Frames::initialized(server.tcp_stream());
        let length = 32 * 1024 * 1024;
        frames.send_bytes(&header(true, TEXT, length));
        frames.send_bytes(&vec![b'x'; usize::try_from(length).expect("it fits")]);
        assert_eq!(frames.close_code(), 1009);
    });
    serves(&server);
}

#[test]
fn fragments_without_an_end_cost_no_more_than_a_message() {
    let server = Server::ws(Launch::new().setting("limits.message_bytes", 1024 * 1024));
    grows_less_than(&server, 16 * MIB, || {
        let mut frames = Frames::initialized(server.tcp_stream());
        frames.send(false, TEXT, b"");
        let nothing = encode(false, CONTINUATION, b"").repeat(10_000);
        for _ in 0..100 {
            frames.send_bytes(&nothing);
        }
        let something = encode(false, CONTINUATION, &[b' '; 1000]).repeat(100);
        for _ in 0..11 {
            frames.send_bytes(&something);
        }
        assert_eq!(code_of(&mut frames), 1009);
    });
    serves(&server);
}

/// Writes `bytes` `most` times or until the server takes no more for a second; how often it did.
fn flood(stream: &mut TcpStream, bytes: &[u8], most: usize) -> usize {
    stream.set_write_timeout(Some(Duration::from_secs(1))).expect("a socket takes a write timeout");
    (0..most).take_while(|_| stream.write_all(bytes).is_ok()).count()
}

#[test]
fn who_pings_and_never_reads_is_not_read_any_more() {
    // A busy machine may need more than ten seconds for what comes before a good client's turn.
    let launch = Launch::new().setting("http.client_request_timeout_seconds", 60);
    let server = Server::ws(launch.setting("limits.connection_unread_bytes", 64 * 1024));
    for payload in [&b""[..], &[7; 125]] {
        grows_less_than(&server, 32 * MIB, || {
            let mut frames = Frames::initialized(server.tcp_stream());
            let pings = encode(true, PING, payload).repeat(20_000);
            assert!(flood(&mut frames.0, &pings, 2_000) < 2_000, "the server answers into the void");
            serves(&server);
        });
    }
    serves(&server);
}

#[test]
fn large_requests_that_cannot_be_answered_yet_are_bounded_in_sum() {
    let bounds = [("limits.connection_in_flight_bytes", 8 * 1024 * 1024), ("limits.in_flight_bytes", 32 * 1024 * 1024)];
    let server =
        Server::ws(bounds.into_iter().fold(Launch::new(), |launch, (name, bytes)| launch.setting(name, bytes)));
    let mut client = server.client();
    let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
    client.call("thread/delete", json!({"threadId": thread}));
    // While somebody else has locked the database, writes wait.
    let path = server.process.home().database();
    let mut other = SqliteConnection::establish(path.to_str().expect("text")).expect("it opens");
    other.batch_execute("BEGIN IMMEDIATE").expect("locked");
    let params = json!({"threadId": thread, "name": "x".repeat(4 * 1024 * 1024)});
    let request = json!({"id": "r", "method": "thread/name/set", "params": params});
    let request = encode(true, TEXT, request.to_string().as_bytes());
    let mut flooders: Vec<_> = (0..8).map(|_| Frames::initialized(server.tcp_stream())).collect();
    // 32 MiB are worked on: each name stands in the params, in the question to the database and in the news that would
    // follow. Each connection may have read one message more, and its buffers grow by doubling.
    grows_less_than(&server, (3 * 32 + 8 * 8) * MIB, || {
        thread::scope(|scope| {
            for frames in &mut flooders {
                scope.spawn(|| assert!(flood(&mut frames.0, &request, 16) < 16, "all of them were read"));
            }
        });
        serves(&server);
    });
    other.batch_execute("ROLLBACK").expect("unlocked");
    drop(flooders);
    client.refusal("thread/name/set", params);
    serves(&server);
}

#[test]
fn who_floods_with_what_needs_no_answer_slows_nobody() {
    let server = Server::ws(Launch::new());
    let mut frames = Frames::initialized(server.tcp_stream());
    let mut bytes = Vec::new();
    for text in ["", " ", r#"{"method":"no/such"}"#, r#"{"id":9,"result":{}}"#, r#"{"method":"initialized"}"#] {
        bytes.extend(encode(true, TEXT, text.as_bytes()));
    }
    bytes.extend(encode(true, PONG, b"unasked"));
    let bytes = bytes.repeat(2_000);
    for _ in 0..20 {
        frames.send_bytes(&bytes);
        serves(&server);
    }
    frames.text(REQUEST);
    frames.read_until(|frame| frame.opcode == TEXT && frame.text().contains("\"id\":\"r\""));
}

#[test]
fn who_reads_too_slowly_is_told_so_when_reading_on() {
    let server = Server::unix(Launch::new().setting("limits.outbound_bytes", 1024 * 1024));
    let mut steady = server.client();
    let thread = steady.call("thread/start", json!({}))["thread"]["id"].take();
    let mut slow = Frames::initialized(server.unix_stream());
    let name = "x".repeat(64 * 1024);
    for _ in 0..40 {
        steady.call("thread/name/set", json!({"threadId": thread, "name": name}));
    }
    assert_eq!(slow.close_code(), 1013);
    serves(&server);
}

/// Some JSON takes many times its length when it is read: here, 32 bytes for every two.
#[test]
fn a_message_of_many_small_values_takes_no_multiple_of_its_length() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let zeros = format!("[{}0]", "0,".repeat(7 << 20));
    let before = server.process.peak_kib();
    for (method, params) in [
        ("command/exec", format!(r#"{{"command":["true"],"sandboxPolicy":{zeros}}}"#)),
        ("turn/start", format!(r#"{{"threadId":"t","input":[{{"zeros":{zeros},"type":"text","text":"x"}}]}}"#)),
        ("thread/list", format!(r#"{{"unknown":{zeros}}}"#)),
    ] {
        let answer = client.exchange(&format!(r#"{{"id":1,"method":"{method}","params":{params}}}"#));
        assert_eq!(answer["error"]["code"], -32600, "{answer}");
    }
    let grown = server.process.peak_kib() - before;
    assert!(grown < 140 * MIB, "for 14 MiB it grew by {grown} KiB");
}
