//! If stdout is not read, the server stops reading instead of using more memory.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::process::Launch;

const REQUESTS: usize = 1_500;
const ANSWER_BYTES: usize = 50_000;

#[test]
fn unread_answers_are_bounded_and_none_is_lost() {
    let mut process = Launch::new().spawn();
    let mut stdin = process.stdin.take().expect("a pipe");
    let mut stdout = BufReader::new(process.stdout.take().expect("a pipe"));
    let mut ask = |id: usize, method: &str, params: Value| {
        writeln!(stdin, "{}", json!({"id": id, "method": method, "params": params})).expect("the server reads");
    };
    let mut answer = |id: usize| loop {
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the server answers");
        let mut message: Value = serde_json::from_str(&line).expect("JSON");
        if message["id"] == id {
            break message["result"].take();
        }
    };
    ask(0, "initialize", json!({"clientInfo": {"name": "slow", "version": "1"}}));
    answer(0);
    ask(1, "thread/start", json!({}));
    let thread = answer(1)["thread"]["id"].take();
    ask(2, "thread/name/set", json!({"threadId": thread, "name": "x".repeat(ANSWER_BYTES)}));
    answer(2);
    let before = process.resident_kib();

    let written = Arc::new(AtomicUsize::new(0));
    let progress = Arc::clone(&written);
    let writer = thread::spawn(move || {
        for id in 0..REQUESTS {
            let request = json!({"id": id, "method": "thread/read", "params": {"threadId": thread}});
            writeln!(stdin, "{request}").expect("the server reads on in the end");
            progress.fetch_add(1, Ordering::Relaxed);
        }
    });
    let mut seen = 0;
    eventually("the server stops reading", || {
        thread::sleep(Duration::from_millis(200));
        let now = written.load(Ordering::Relaxed);
        std::mem::replace(&mut seen, now) == now
    });
    assert!(seen < REQUESTS, "all {seen} requests were taken though nobody reads the answers");
    let grown = process.resident_kib().saturating_sub(before);
    assert!(grown < 40 * 1024, "grown by {grown} KiB");

    let mut waiting: HashSet<usize> = (0..REQUESTS).collect();
    let mut line = String::new();
    while !waiting.is_empty() {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).expect("the server answers"), 0, "{} are missing", waiting.len());
        // Cheaper than parsing 75 MB: an answer begins with its id.
        if let Some(rest) = line.strip_prefix("{\"id\":") {
            let id = rest.split_once(',').expect("a result").0.parse().expect("a number");
            assert!(waiting.remove(&id), "{id} was answered twice");
        }
    }
    writer.join().expect("everything was written");
    assert_eq!(process.exit_code(), 0);
}
