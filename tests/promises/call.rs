//! `call` and its short forms: the exit code reports success, and stdout contains only the result.

use std::fs;
use std::io::Write;

use serde_json::{Value, json};

use crate::support::aside::Aside;
use crate::support::home::Home;
use crate::support::process::{Collected, Ended, Launch};
use crate::support::secrets;
use crate::support::server::Server;

fn run(home: &Home, words: &[&str]) -> Ended {
    Launch::at(home).args(words).run()
}

/// The stdout of a run that must succeed.
fn output(home: &Home, words: &[&str]) -> String {
    let ended = run(home, words);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{words:?}");
    ended.stdout
}

fn started_thread(home: &Home) -> String {
    let result: Value = serde_json::from_str(&output(home, &["call", "thread/start"])).expect("JSON");
    result["thread"]["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_result_is_one_line_of_json() {
    let server = Server::unix(Launch::new());
    let home = server.process.home();
    let text = output(home, &["call", "thread/loaded/list"]);
    assert_eq!(text, "{\"data\":[],\"nextCursor\":null}\n");
}

#[test]
fn params_come_as_json_as_pairs_or_from_stdin() {
    let server = Server::unix(Launch::new());
    let home = server.process.home();
    let thread = started_thread(home);
    let name = || {
        let result: Value =
            serde_json::from_str(&output(home, &["call", "thread/read", &format!("threadId={thread}")])).expect("JSON");
        result["thread"]["name"].clone()
    };
    let json = json!({"threadId": thread, "name": "as JSON"}).to_string();
    assert_eq!(output(home, &["call", "thread/name/set", &json]), "{}\n");
    assert_eq!(name(), "as JSON");
    output(home, &["call", "thread/name/set", &format!("threadId={thread}"), "name=in pairs"]);
    assert_eq!(name(), "in pairs");

    let mut process = Launch::at(home).args(&["call", "thread/name/set", "-"]).spawn();
    let mut stdin = process.stdin.take().expect("a pipe");
    let json = json!({"threadId": thread, "name": "from stdin"});
    stdin.write_all(format!("{json:#}\n").as_bytes()).expect("it reads");
    drop(stdin);
    assert_eq!(process.exit_code(), 0);
    assert_eq!(name(), "from stdin");
}

#[test]
fn an_error_of_the_server_is_exit_code_1() {
    let server = Server::unix(Launch::new());
    for words in [
        &["call", "no/such"][..],
        &["call", "thread/read"],
        &["rename", "01a1fb78-0000-7000-8000-000000000000", "x"],
        &["archive", "x"],
    ] {
        let ended = run(server.process.home(), words);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{ended:?}");
        assert!(ended.stderr.starts_with("Error: ") && ended.stderr.contains("(code -32"), "{ended:?}");
    }
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let home = Home::new();
    fs::write(home.join("empty"), "").expect("a file");
    for words in [
        &["call"][..],
        &["call", "thread/list", "word"],
        &["call", "thread/list", "{"],
        &["call", "thread/list", "--connect", "http://127.0.0.1:1"],
        &["call", "thread/list", "--connect", "wss://127.0.0.1:1"],
        &["call", "thread/list", "--connect", "ws://127.0.0.1:1", "--token-file", "missing"],
        &["call", "thread/list", "--connect", "ws://127.0.0.1:1", "--token-file", "empty"],
        &["call", "thread/list", "--token-file", "empty"],
        &["rename", "id"],
    ] {
        let ended = run(&home, words);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{words:?} {ended:?}");
        assert!(ended.stderr.to_lowercase().starts_with("error: "), "{ended:?}");
    }
}

#[test]
fn when_nothing_answers_it_is_exit_code_69() {
    let home = Home::new();
    let commands = [
        &["call", "thread/list"][..],
        &["watch"],
        &["threads"],
        &["rename", "id", "x"],
        &["archive", "id"],
        &["unarchive", "id"],
        &["status"],
        &["stop"],
    ];
    // Each waits a moment for a server that may just be starting; together they wait once.
    let running: Vec<_> = commands.iter().map(|words| Launch::at(&home).args(words).spawn()).collect();
    for running in running {
        let ended = running.ended();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(69), ""), "{ended:?}");
        let socket = home.control_socket();
        assert!(ended.stderr.contains(socket.to_str().expect("text")), "{ended:?}");
        assert!(ended.stderr.ends_with("codex-app-server --listen unix://\n"), "{ended:?}");
    }
    let ended = run(&home, &["call", "thread/list", "--connect", "ws://127.0.0.1:1"]);
    assert_eq!(ended.code, Some(69));
    assert!(ended.stderr.contains("ws://127.0.0.1:1"), "{ended:?}");
}

#[test]
fn a_server_on_tcp_or_at_another_path_is_reached_too() {
    let server = Server::ws(Launch::new());
    let url = format!("ws://{}", server.tcp_address());
    output(server.process.home(), &["call", "thread/loaded/list", "--connect", &url]);

    let home = Home::new();
    let _server = Server::unix_at(Launch::at(&home).args(&["--listen", "unix://x.sock"]), home.join("x.sock"));
    output(&home, &["call", "thread/loaded/list", "--connect", "unix://x.sock"]);
}

#[test]
fn a_token_comes_from_a_file_and_is_never_shown() {
    let home = Home::new();
    let token = secrets::file(&home, "token", "a-token-that-nobody-may-see");
    let wrong = secrets::file(&home, "wrong", "another-token-that-nobody-may-see");
    let (token, wrong) = (token.to_str().expect("text"), wrong.to_str().expect("text"));
    let flags = ["--ws-auth", "capability-token", "--ws-token-file", token];
    let server = Server::ws(Launch::at(&home).args(&flags));
    let url = format!("ws://{}", server.tcp_address());
    let call = |words: &[&str]| {
        let call = ["call", "thread/loaded/list", "--connect", &url];
        // Launched so, it would say everything that it knows; what it says is searched for the tokens.
        Launch::at(&home).env("RUST_LOG", "trace").args(&call).args(words).run()
    };
    assert_eq!(call(&["--token-file", token]).code, Some(0));
    for words in [&["--token-file", wrong][..], &[]] {
        let ended = call(words);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "starting it again does not help");
        let said =
            if words.is_empty() { "the server requires a token (401" } else { "does not accept this token (401" };
        assert!(ended.stderr.contains(said) && ended.stderr.contains("--token-file"), "{ended:?}");
    }
}

#[test]
fn threads_are_named_archived_and_listed() {
    let server = Server::unix(Launch::new());
    let home = server.process.home();
    let thread = started_thread(home);
    assert_eq!(output(home, &["rename", &thread, "Sums \u{1b}[2J"]), "");
    let table = output(home, &["threads"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert!(lines[0].starts_with("THREAD"), "{table}");
    assert!(lines[1].starts_with(&thread) && lines[1].ends_with("Sums [2J"), "{table}");

    assert_eq!(output(home, &["archive", &thread]), "");
    assert_eq!(output(home, &["threads"]).lines().count(), 1);
    assert!(output(home, &["threads", "--archived"]).contains(&thread));
    assert_eq!(output(home, &["unarchive", &thread]), "");
    assert!(output(home, &["threads"]).contains(&thread));

    let second = started_thread(home);
    output(home, &["rename", &second, "Second"]);
    let ended = run(home, &["threads", "--limit", "1"]);
    assert_eq!((ended.code, ended.stdout.lines().count()), (Some(0), 2), "{ended:?}");
    assert_eq!(ended.stderr, "There are more threads than 1; --limit N shows N of them.\n");
    let listed: Value = serde_json::from_str(&output(home, &["threads", "--json"])).expect("JSON");
    assert_eq!(listed["data"][0]["name"], "Second");
}

#[test]
fn an_overloaded_server_is_asked_again() {
    use std::os::unix::net::UnixListener;
    use tungstenite::Message;

    let home = Home::new();
    let listener = UnixListener::bind(home.join("busy")).expect("a socket");
    let serving = Aside::start(move || {
        let (stream, _) = listener.accept().expect("the client connects");
        let mut socket = tungstenite::accept(stream).expect("it asks for an upgrade");
        let mut refusals = 0;
        while let Ok(message) = socket.read() {
            let Message::Text(text) = message else { break };
            let request: Value = serde_json::from_str(text.as_str()).expect("JSON");
            let answer = match request["method"].as_str() {
                Some("initialize") => {
                    let result = json!({"userAgent": "x/1 (y)", "codexHome": "/", "platformFamily": "unix", "platformOs": "linux"});
                    json!({"id": request["id"], "result": result})
                }
                Some("busy") if refusals < 3 => {
                    refusals += 1;
                    json!({"id": request["id"], "error": {"code": -32001, "message": "Server overloaded; retry later."}})
                }
                Some("busy") => json!({"id": request["id"], "result": {"refusals": refusals}}),
                _ => continue,
            };
            socket.send(Message::text(answer.to_string())).expect("it is open");
        }
    });
    assert_eq!(output(&home, &["call", "busy", "--connect", "unix://busy"]), "{\"refusals\":3}\n");
    serving.finish("the busy server");
}

#[test]
fn a_result_that_nobody_reads_is_an_error_and_not_a_panic() {
    let server = Server::unix(Launch::new());
    let mut process = Launch::at(server.process.home()).args(&["call", "thread/list"]).spawn();
    drop(process.stdout.take());
    assert!(process.exit_code() <= 1);
    let stderr: Collected = process.stderr.clone();
    assert!(!stderr.all().contains("panicked"), "{}", stderr.all());
}
