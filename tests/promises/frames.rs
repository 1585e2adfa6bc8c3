//! WebSocket according to RFC 6455, with close codes that give the reason.

use std::cell::RefCell;
use std::net::Shutdown;

use serde_json::{Value, json};

use crate::support::frames::{BINARY, CLOSE, CONTINUATION, Frames, PING, PONG, TEXT, encode, header};
use crate::support::process::Launch;
use crate::support::server::Server;
use crate::support::wire::Socket;

const REQUEST: &str = r#"{"id":"r","method":"thread/loaded/list","params":{}}"#;

fn is_answer<S: Socket>(frames: &mut Frames<S>) -> bool {
    let answer = frames.read_until(|frame| frame.opcode == TEXT && frame.text().contains("\"id\":\"r\""));
    answer.text().contains("\"result\"")
}

/// Sends `bytes` on a fresh connection: the close code.
fn closes_with(server: &Server, bytes: &[u8]) -> u16 {
    let mut frames = Frames::initialized(server.tcp_stream());
    frames.send_bytes(bytes);
    frames.close_code()
}

#[test]
fn a_close_is_answered_with_a_close() {
    let server = Server::ws(Launch::new());
    for code in [1000_u16, 1001, 3000, 4999] {
        assert_eq!(closes_with(&server, &encode(true, CLOSE, &code.to_be_bytes())), code);
    }
    let mut frames = Frames::initialized(server.tcp_stream());
    frames.send(true, CLOSE, b"");
    let close = frames.read_until(|frame| frame.opcode == CLOSE);
    assert!(close.payload.is_empty() || close.close_code() == 1000, "{close:?}");
    assert_eq!(frames.read(), None);
}

#[test]
fn what_came_before_a_close_is_answered_before_the_close_is() {
    let unix = Server::unix(Launch::new());
    let tcp = Server::ws(Launch::new());
    answered_and_then_closed(Frames::initialized(unix.unix_stream()));
    answered_and_then_closed(Frames::initialized(tcp.tcp_stream()));
}

fn answered_and_then_closed<S: Socket>(mut frames: Frames<S>) {
    let request = |id: u32, method: &str, params: Value| {
        encode(true, TEXT, json!({"id": id, "method": method, "params": params}).to_string().as_bytes())
    };
    let policy = json!({"type": "dangerFullAccess"});
    let requests = [
        request(1, "thread/start", json!({})),
        request(2, "fs/readDirectory", json!({"path": "/"})),
        request(3, "command/exec", json!({"command": ["true"], "sandboxPolicy": policy, "timeoutMs": 600_000})),
        encode(true, CLOSE, &4321_u16.to_be_bytes()),
    ];
    frames.send_bytes(&requests.concat());
    let answered = RefCell::new(Vec::new());
    let close = frames.read_until(|frame| {
        if frame.opcode == TEXT {
            let message: Value = serde_json::from_str(frame.text()).expect("JSON");
            answered.borrow_mut().extend(message["id"].as_u64().filter(|_| message.get("result").is_some()));
        }
        frame.opcode == CLOSE
    });
    let mut answered = answered.into_inner();
    answered.sort_unstable();
    assert_eq!((answered, close.close_code()), (vec![1, 2, 3], 4321));
    assert_eq!(frames.read(), None);
}

#[test]
fn a_frame_above_the_limit_is_refused_by_its_header() {
    let server = Server::ws(Launch::new());
    let too_large = header(true, TEXT, 16 * 1024 * 1024 + 1);
    // The first one brings code into memory.
    assert_eq!(closes_with(&server, &too_large), 1009);
    let before = server.process.resident_kib();
    assert_eq!(closes_with(&server, &too_large), 1009);
    assert_eq!(closes_with(&server, &header(true, TEXT, u64::MAX >> 1)), 1009);
    let grown = server.process.resident_kib().saturating_sub(before);
    assert!(grown < 8 * 1024, "the payload was never there to buffer, but it grew by {grown} KiB");
}

#[test]
fn a_message_above_the_limit_is_refused_though_its_frames_are_small() {
    let launch = Launch::new().setting("limits.message_bytes", 4096).setting("limits.websocket_frame_bytes", 2048);
    let server = Server::ws(launch);
    let spaces = [b' '; 2000];
    let mut fitting = encode(false, TEXT, &spaces);
    fitting.extend(encode(true, CONTINUATION, REQUEST.as_bytes()));
    let mut frames = Frames::initialized(server.tcp_stream());
    frames.send_bytes(&fitting);
    assert!(is_answer(&mut frames));
    let mut large = encode(false, TEXT, &spaces);
    large.extend(encode(false, CONTINUATION, &spaces));
    large.extend(encode(true, CONTINUATION, &spaces));
    assert_eq!(closes_with(&server, &large), 1009);
    assert_eq!(closes_with(&server, &encode(true, TEXT, &[b' '; 2049])), 1009);
}

#[test]
fn a_frame_of_exactly_the_limit_is_taken() {
    let server = Server::ws(Launch::new());
    let mut frames = Frames::initialized(server.tcp_stream());
    let mut text = " ".repeat(16 * 1024 * 1024 - REQUEST.len());
    text.push_str(REQUEST);
    frames.text(&text);
    assert!(is_answer(&mut frames));
}

#[test]
fn each_violation_has_its_close_code() {
    let server = Server::ws(Launch::new());
    let mut unmasked = encode(true, TEXT, b"{}");
    unmasked[1] &= 0x7f;
    unmasked.drain(2..6);
    let with_bit = |bit: u8| {
        let mut frame = encode(true, TEXT, b"{}");
        frame[0] |= bit;
        frame
    };
    let twice = [encode(false, TEXT, b"{"), encode(true, TEXT, b"}")].concat();
    let cases = [
        ("invalid UTF-8", encode(true, TEXT, b"\xff\xfe"), 1007),
        ("binary", encode(true, BINARY, REQUEST.as_bytes()), 1003),
        ("no mask", unmasked, 1002),
        ("a reserved bit", with_bit(0x40), 1002),
        ("a reserved opcode", encode(true, 0x3, b""), 1002),
        ("a reserved control opcode", encode(true, 0xb, b""), 1002),
        ("a continuation of nothing", encode(true, CONTINUATION, b"{}"), 1002),
        ("a new text inside a message", twice, 1002),
        ("a fragmented ping", encode(false, PING, b"x"), 1002),
        ("a long ping", encode(true, PING, &[b'x'; 126]), 1002),
        ("a close with half a code", encode(true, CLOSE, b"\x03"), 1002),
        ("a close with a code that is not allowed", encode(true, CLOSE, &1005_u16.to_be_bytes()), 1002),
    ];
    for (what, bytes, code) in cases {
        assert_eq!(closes_with(&server, &bytes), code, "{what}");
    }
    server.client();
}

#[test]
fn a_ping_is_answered_with_one_pong() {
    let server = Server::ws(Launch::new());
    let mut frames = Frames::initialized(server.tcp_stream());
    for payload in [&b""[..], b"hello", &[7; 125]] {
        frames.send(true, PING, payload);
        frames.text(REQUEST);
        let mut pongs = Vec::new();
        loop {
            let frame = frames.read().expect("the connection lives");
            match frame.opcode {
                PONG => pongs.push(frame.payload),
                TEXT if frame.text().contains("\"id\":\"r\"") => break,
                _ => {}
            }
        }
        assert_eq!(pongs, [payload]);
    }
    frames.send(true, PONG, b"unsolicited");
    frames.text(REQUEST);
    assert!(is_answer(&mut frames));
}

#[test]
fn a_text_may_come_in_pieces_with_pings_in_between() {
    let server = Server::ws(Launch::new());
    let mut frames = Frames::initialized(server.tcp_stream());
    let request = r#"{"id":"r","method":"thread/loaded/list","params":{"unknown":"é"}}"#.as_bytes();
    // Cut inside the two bytes of é as well.
    let inside = request.iter().position(|byte| *byte == 0xc3).expect("it is there") + 1;
    frames.send(false, TEXT, &request[..10]);
    frames.send(true, PING, b"in between");
    frames.send(false, CONTINUATION, &request[10..inside]);
    frames.send(false, CONTINUATION, b"");
    frames.send(true, CONTINUATION, &request[inside..]);
    let pong = frames.read_until(|frame| frame.opcode == PONG);
    assert_eq!(pong.payload, b"in between");
    assert!(is_answer(&mut frames));
}

#[test]
fn a_frame_may_come_byte_by_byte() {
    let server = Server::ws(Launch::new());
    let mut frames = Frames::initialized(server.tcp_stream());
    for byte in encode(true, TEXT, REQUEST.as_bytes()) {
        frames.send_bytes(&[byte]);
    }
    assert!(is_answer(&mut frames));
}

#[test]
fn a_client_that_vanishes_costs_nobody_anything() {
    let server = Server::ws(Launch::new());
    let mut steady = server.client();
    for _ in 0..20 {
        let mut frames = Frames::initialized(server.tcp_stream());
        frames.send_bytes(&header(true, TEXT, 1000));
        frames.0.shutdown(Shutdown::Both).expect("it was open");
    }
    steady.call("thread/loaded/list", json!({}));
}
