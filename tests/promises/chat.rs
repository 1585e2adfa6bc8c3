//! `chat`: a person says something, and reads the answer while it comes.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::eventually;
use crate::support::home::Home;
use crate::support::process::{Collected, Ended, Launch, Process};
use crate::support::server::Server;

/// A server whose new threads are answered by the built-in model.
fn server() -> Server {
    Server::unix(Launch::at(&Home::with_config("model_provider = \"echo\"\n")))
}

fn chat(home: &Home, words: &[&str]) -> Ended {
    Launch::at(home).arg("chat").args(words).run()
}

fn said(home: &Home, words: &[&str]) -> String {
    let ended = chat(home, words);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{words:?}");
    ended.stdout
}

/// Whoever asks for an answer that takes minutes.
fn slow(home: &Home) -> Process {
    Launch::at(home).args(&["chat", "--json", "slow: 20000\none two three four five six"]).spawn()
}

#[test]
fn an_answer_is_printed_and_kept_in_a_thread_of_the_callers_directory() {
    let server = server();
    let home = server.process.home();
    assert_eq!(said(home, &["two words"]), "You said: two words\n");
    let threads = server.client().call("thread/list", json!({}))["data"].take();
    assert_eq!(threads.as_array().map(Vec::len), Some(1), "{threads}");
    let here = home.path().canonicalize().expect("it is there");
    assert_eq!(threads[0]["cwd"].as_str(), here.to_str());
    let id = threads[0]["id"].as_str().expect("an id");
    assert!(said(home, &["--thread", id, "and more"]).starts_with("You said: and more"));
    let thread = server.client().call("thread/read", json!({"threadId": id, "includeTurns": true}));
    assert_eq!(thread["thread"]["turns"].as_array().map(Vec::len), Some(2));
}

#[test]
fn without_a_server_it_serves_itself_and_the_next_one_goes_on() {
    let home = Home::new();
    let ended = Launch::at(&home).args(&["-c", "model_provider=echo", "chat", "--json", "alone"]).run();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let messages: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let last = messages.last().expect("messages");
    assert_eq!((&last["method"], &last["params"]["turn"]["status"]), (&json!("turn/completed"), &json!("completed")));
    let thread = last["params"]["threadId"].as_str().expect("an id");
    assert!(!home.control_socket().exists(), "nobody else comes in");
    assert!(said(&home, &["--thread", thread, "again"]).starts_with("You said: again"));
}

#[test]
fn a_choice_on_the_command_line_holds_in_a_server_that_runs_already() {
    let server = Server::unix(Launch::new());
    let ended = Launch::at(server.process.home()).args(&["-c", "model_provider=echo", "chat", "hello"]).run();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "You said: hello\n"), "{ended:?}");
}

#[test]
fn a_message_comes_through_a_pipe_too() {
    use std::io::Write;
    let server = server();
    let mut process = Launch::at(server.process.home()).arg("chat").spawn();
    let mut stdin = process.stdin.take().expect("a pipe");
    stdin.write_all(b"first line\nsecond line").expect("it reads");
    drop(stdin);
    let ended = process.ended();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "You said: first line\nsecond line\n"), "{ended:?}");
}

#[test]
fn a_signal_interrupts_the_answer_and_what_was_said_stays() {
    let server = server();
    let mut process = slow(server.process.home());
    let shown = Collected::of(process.stdout.take().expect("a pipe"));
    shown.wait_for("the first words", |text| text.contains("item/agentMessage/delta").then_some(()));
    process.signal(Signal::INT);
    assert_eq!(process.exit_code(), 1);
    assert_eq!(process.stderr.all(), "Error: the answer was interrupted\n");
    let mut client = server.client();
    let id = client.call("thread/list", json!({}))["data"][0]["id"].take();
    let thread = client.call("thread/read", json!({"threadId": id, "includeTurns": true}));
    assert_eq!(thread["thread"]["turns"][0]["status"], "interrupted");
    let shown = shown.all();
    let last: Value = serde_json::from_str(shown.lines().last().expect("messages")).expect("JSON");
    assert_eq!(last["params"]["turn"]["status"], "interrupted");
}

#[test]
fn a_second_signal_leaves_a_server_that_does_not_answer() {
    let server = server();
    let mut process = slow(server.process.home());
    let shown = Collected::of(process.stdout.take().expect("a pipe"));
    shown.wait_for("the first words", |text| text.contains("item/agentMessage/delta").then_some(()));
    server.process.signal(Signal::STOP);
    eventually("it leaves", || {
        process.signal(Signal::INT);
        !process.is_running()
    });
    server.process.signal(Signal::CONT);
    assert_eq!(process.exit_code(), 1);
    assert_eq!(process.stderr.all(), "Error: left before the answer ended\n");
}

#[test]
fn without_a_usable_model_it_fails_in_the_words_of_doctor() {
    let home = Home::new();
    let signed_out = |launch: Launch| launch.env("OPENAI_API_KEY", "").env("CODEX_API_KEY", "");
    let ended = signed_out(Launch::at(&home).args(&["chat", "hello"])).run();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
    let words = ended.stderr.strip_prefix("Error: ").expect("an error").trim_end();
    assert!(words.contains("nobody is signed in") && words.contains("\"echo\""), "{words}");
    let doctor = signed_out(Launch::at(&home).arg("doctor")).run();
    let line = doctor.stdout.lines().find(|line| line.starts_with("warning  model ")).expect("the model");
    assert!(line.ends_with(words), "{line}");
}
