//! One client on stdin and stdout, one line per message, and an end that loses nothing.

use std::collections::HashSet;
use std::io::Write;
use std::process::ChildStdin;

use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::process::{Collected, Launch, Process};
use crate::support::server::Server;

const INITIALIZE: &str = r#"{"id":0,"method":"initialize","params":{"clientInfo":{"name":"lines","version":"1"}}}"#;
const REQUEST: &str = r#"{"id":"r","method":"thread/loaded/list","params":{}}"#;

/// Everything the server writes on stdout, line by line.
fn messages(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// A server that nothing was said to, its stdin, and its stdout.
fn open(launch: Launch) -> (Process, ChildStdin, Collected) {
    let mut process = launch.spawn();
    let stdin = process.stdin.take().expect("a pipe");
    let stdout = Collected::of(process.stdout.take().expect("a pipe"));
    (process, stdin, stdout)
}

/// Writes `input`, closes stdin: the answers with an id. The server must exit with 0.
fn conversation(launch: Launch, input: &[u8]) -> Vec<Value> {
    let (mut process, mut stdin, stdout) = open(launch);
    stdin.write_all(input).expect("the server reads");
    drop(stdin);
    assert_eq!(process.exit_code(), 0);
    messages(&stdout.all()).into_iter().filter(|message| message.get("method").is_none()).collect()
}

#[test]
fn the_end_of_stdin_is_the_end_of_the_server() {
    let (mut process, stdin, stdout) = open(Launch::new());
    drop(stdin);
    assert_eq!(process.exit_code(), 0);
    assert_eq!((stdout.all(), process.stderr.all()), (String::new(), String::new()));
}

#[test]
fn everything_that_was_asked_before_the_end_is_answered() {
    let mut input = format!("{INITIALIZE}\n");
    for id in 1..=1_000 {
        input.push_str(&format!("{{\"id\":{id},\"method\":\"thread/loaded/list\",\"params\":{{}}}}\n"));
    }
    let answers = conversation(Launch::new(), input.as_bytes());
    let ids: HashSet<i64> = answers.iter().map(|answer| answer["id"].as_i64().expect("a number")).collect();
    assert_eq!((answers.len(), ids.len()), (1_001, 1_001));
    assert!(answers.iter().all(|answer| answer.get("result").is_some()));
}

#[test]
fn what_was_asked_of_the_database_before_the_end_is_done_and_answered() {
    let launch = Launch::new();
    let home = launch.home().clone();
    let mut input = format!("{INITIALIZE}\n");
    for id in 1..=20 {
        input.push_str(&format!("{{\"id\":{id},\"method\":\"thread/start\",\"params\":{{}}}}\n"));
    }
    let answers = conversation(launch, input.as_bytes());
    assert_eq!(answers.len(), 21);
    let server = Server::stdio(Launch::at(&home));
    let mut client = server.client();
    for answer in answers.iter().filter(|answer| answer["id"] != 0) {
        client.call("thread/read", json!({"threadId": answer["result"]["thread"]["id"]}));
    }
}

#[test]
fn a_turn_before_the_end_runs_to_its_end_and_is_told() {
    let home = Home::with_config("model = 'echo'\nmodel_provider = 'echo'\n");
    let server = Server::unix(Launch::at(&home));
    let thread = server.client().call("thread/start", json!({}))["thread"]["id"].clone();
    drop(server);
    let resume = json!({"id": 1, "method": "thread/resume", "params": {"threadId": thread}});
    let words = json!([{"type": "text", "text": "slow: 20\nlong after the end of the input"}]);
    let turn = json!({"id": 2, "method": "turn/start", "params": {"threadId": thread, "input": words}});
    let (mut process, mut stdin, stdout) = open(Launch::at(&home));
    // The last line has no end.
    stdin.write_all(format!("{INITIALIZE}\n{resume}\n{turn}").as_bytes()).expect("the server reads");
    drop(stdin);
    assert_eq!(process.exit_code(), 0);
    let told = messages(&stdout.all());
    let ended = told.iter().find(|message| message["method"] == "turn/completed").expect("the end of the turn");
    assert_eq!(ended["params"]["turn"]["status"], "completed");
}

#[test]
fn a_last_line_without_an_end_is_a_line() {
    let answers = conversation(Launch::new(), format!("{INITIALIZE}\n{REQUEST}").as_bytes());
    assert_eq!(answers.last().map(|answer| &answer["id"]), Some(&json!("r")));
}

#[test]
fn windows_line_ends_and_blank_lines_do_not_matter() {
    let answers = conversation(Launch::new(), format!("\n\r\n{INITIALIZE}\r\n\n  \n{REQUEST}\r\n").as_bytes());
    assert_eq!(answers.len(), 2, "{answers:?}");
}

#[test]
fn a_line_that_is_too_long_is_refused_and_life_goes_on() {
    let launch = Launch::new().setting("limits.message_bytes", 4096);
    let long = format!(r#"{{"id":1,"method":"thread/list","params":{{"searchTerm":"{}"}}}}"#, "x".repeat(100_000));
    let fitting = format!("{}{REQUEST}", " ".repeat(4096 - REQUEST.len()));
    let answers = conversation(launch, format!("{INITIALIZE}\n{long}\n{fitting}\n").as_bytes());
    assert_eq!(answers.len(), 3, "{answers:?}");
    let refusal = answers.iter().find(|answer| answer["id"].is_null()).expect("a refusal");
    assert!(refusal["error"]["message"].as_str().is_some_and(|text| text.contains("4096")), "{refusal}");
    assert!(answers.iter().any(|answer| answer["id"] == "r" && answer.get("result").is_some()), "{answers:?}");
}

#[test]
fn a_line_that_is_too_long_and_never_ends_is_not_kept() {
    let (process, mut stdin, stdout) = open(Launch::new().setting("limits.message_bytes", 4096));
    stdin.write_all(format!("{INITIALIZE}\n").as_bytes()).expect("the server reads");
    stdout.wait_for("the handshake", |text| text.contains("\"userAgent\"").then_some(()));
    let before = process.resident_kib();
    for _ in 0..16 {
        stdin.write_all(&vec![b'x'; 1024 * 1024]).expect("the server reads on");
    }
    stdin.write_all(format!("\n{REQUEST}\n").as_bytes()).expect("the server reads on");
    stdout.wait_for("the answer after it", |text| text.contains("\"id\":\"r\"").then_some(()));
    let grown = process.resident_kib().saturating_sub(before);
    assert!(grown < 8 * 1024, "16 MiB of nothing made it grow by {grown} KiB");
}

#[test]
fn a_line_that_is_not_utf8_is_refused_and_life_goes_on() {
    let mut input = format!("{INITIALIZE}\n").into_bytes();
    input.extend(b"{\"id\":1,\"method\":\"\xff\xfe\"}\n");
    input.extend(format!("{REQUEST}\n").as_bytes());
    let answers = conversation(Launch::new(), &input);
    let refusal = answers.iter().find(|answer| answer["id"].is_null()).expect("a refusal");
    assert_eq!(refusal["error"]["code"], -32700);
    assert!(answers.iter().any(|answer| answer["id"] == "r"), "{answers:?}");
}

#[test]
fn a_message_may_come_byte_by_byte() {
    let (_process, mut stdin, stdout) = open(Launch::new());
    for byte in format!("{INITIALIZE}\n").bytes() {
        stdin.write_all(&[byte]).expect("the server reads");
        stdin.flush().expect("a pipe");
    }
    stdout.wait_for("the answer", |text| text.contains("\"userAgent\"").then_some(()));
}

#[test]
fn stdout_carries_the_protocol_and_nothing_else() {
    let launch = Launch::new().env("RUST_LOG", "trace");
    let (mut process, mut stdin, stdout) = open(launch);
    stdin.write_all(format!("{INITIALIZE}\ngarbage\n{REQUEST}\n").as_bytes()).expect("the server reads");
    drop(stdin);
    assert_eq!(process.exit_code(), 0);
    let text = stdout.all();
    assert!(text.ends_with('\n'));
    assert!(messages(&text).len() >= 3, "{text}");
    assert!(!process.stderr.all().is_empty(), "the log is on stderr");
}

#[test]
fn a_reader_of_stdout_that_goes_away_does_not_keep_the_server() {
    let mut process = Launch::new().spawn();
    let mut stdin = process.stdin.take().expect("a pipe");
    drop(process.stdout.take());
    // The server may have noticed already.
    let _ = stdin.write_all(format!("{INITIALIZE}\n{REQUEST}\n").as_bytes());
    drop(stdin);
    process.wait();
}

#[test]
fn a_byte_order_mark_before_the_first_line_is_skipped() {
    let answers = conversation(Launch::new(), format!("\u{feff}{INITIALIZE}\r\n{REQUEST}\r\n").as_bytes());
    assert!(answers.len() == 2 && answers.iter().all(|answer| answer.get("result").is_some()), "{answers:?}");
}

#[test]
fn no_message_contains_what_some_readers_take_for_the_end_of_a_line() {
    let id = "\u{2028}and\u{2029}";
    let request = json!({"id": id, "method": "thread/loaded/list", "params": {}});
    let (mut process, mut stdin, stdout) = open(Launch::new());
    stdin.write_all(format!("{INITIALIZE}\n{request}\n").as_bytes()).expect("the server reads");
    drop(stdin);
    assert_eq!(process.exit_code(), 0);
    let text = stdout.all();
    assert!(!text.contains(['\u{2028}', '\u{2029}']), "{text}");
    assert!(messages(&text).iter().any(|message| message["id"] == id), "{text}");
}
