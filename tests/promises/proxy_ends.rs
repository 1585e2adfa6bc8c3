//! The start and the end of the proxy (spec: local transports 12, and flaw 8 of section 14).

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::support::aside::Aside;
use crate::support::home::Home;
use crate::support::process::{Collected, Ended, Launch, Process};
use crate::support::server::Server;
use crate::support::{eventually, proxied};

const INITIALIZE: &str = r#"{"id":0,"method":"initialize","params":{"clientInfo":{"name":"lines","version":"1"}}}"#;

fn proxy(home: &Home, words: &[&str]) -> Launch {
    Launch::at(home).arg("proxy").args(words)
}

fn no_server(path: &Path, reason: &str, hint: &str) -> String {
    let path = path.display();
    format!("Error: failed to connect to socket at {path}\n\nCaused by:\n    {reason}\n\n{hint}\n")
}

/// A proxy whose client has shaken hands.
fn shaken_hands(server: &Server) -> (Process, Collected) {
    let mut process = proxy(server.process.home(), &[]).spawn();
    let stdout = Collected::of(process.stdout.take().expect("a pipe"));
    process.stdin.as_mut().expect("a pipe").write_all(format!("{INITIALIZE}\n").as_bytes()).expect("the proxy reads");
    stdout.wait_for("the answer", |text| text.contains("userAgent").then_some(()));
    (process, stdout)
}

#[test]
fn without_a_server_it_says_so_without_waiting_for_stdin_and_how_to_start_one() {
    let home = Home::new();
    let hint = "Start a server there first: codex-app-server --listen unix://";
    let expected = no_server(&home.control_socket(), "No such file or directory (os error 2)", hint);
    // stdin stays open: the proxy does not wait for its end.
    let mut process = proxy(&home, &[]).spawn();
    assert_eq!(process.exit_code(), 69);
    assert_eq!(process.stderr.all(), expected);
}

#[test]
fn what_is_no_socket_or_has_no_server_any_more_refuses() {
    let home = Home::new();
    fs::create_dir(home.join("directory")).expect("a directory");
    fs::write(home.join("file"), "").expect("a file");
    drop(UnixListener::bind(home.join("stale")).expect("a socket"));
    let directory = home.path().canonicalize().expect("it is there");
    for name in ["directory", "file", "stale"] {
        let path = directory.join(name);
        let hint = format!("Start a server there first: codex-app-server --listen unix://{}", path.display());
        let Ended { code, stdout, stderr } = proxy(&home, &["--sock", name]).run();
        assert_eq!((code, stdout.as_str()), (Some(69), ""));
        assert_eq!(stderr, no_server(&path, "Connection refused (os error 111)", &hint));
    }
    // Neither a URL nor nothing is anything but a file name.
    for (name, path) in [("unix:///x", "unix:///x"), ("", "")] {
        let Ended { code, stderr, .. } = proxy(&home, &["--sock", name]).run();
        assert_eq!(code, Some(69), "{stderr}");
        assert!(stderr.contains(directory.join(path).to_str().expect("text")), "{stderr}");
    }
}

#[test]
fn a_socket_at_a_relative_path_is_found() {
    let home = Home::new();
    let launch = Launch::at(&home).args(&["--listen", "unix://x.sock"]);
    let _server = Server::unix_at(launch, home.join("x.sock"));
    proxied::lines(proxy(&home, &["--sock", "x.sock"])).initialize();
}

#[test]
fn options_that_mean_nothing_to_it_are_refused_in_the_references_words() {
    let strict = "Error: `--strict-config` is not supported for `codex app-server proxy`\n";
    let only_tui = |option: &str, called: &str| {
        format!("Error: `{option}` is only supported for interactive TUI commands, not `{called}`\n")
    };
    let (auth, proxied, served) = ("--remote-auth-token-env", "codex app-server proxy", "codex app-server");
    for (line, expected) in [
        ("--strict-config app-server proxy", strict.to_owned()),
        ("app-server --strict-config proxy", strict.to_owned()),
        ("--strict-config proxy", strict.to_owned()),
        ("--remote-auth-token-env X app-server proxy", only_tui(auth, proxied)),
        ("--remote ws://x app-server proxy", only_tui("--remote ws://x", proxied)),
        ("--remote ws://x app-server --stdio", only_tui("--remote ws://x", served)),
    ] {
        let ended = Launch::new().args(&line.split(' ').collect::<Vec<_>>()).run();
        assert_eq!((ended.code, ended.stderr), (Some(1), expected), "{line}");
    }
    for line in ["proxy --sock", "proxy extra", "proxy --strict-config", "proxy --framing other"] {
        let ended = Launch::new().args(&line.split(' ').collect::<Vec<_>>()).run();
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{line}");
    }
}

#[test]
fn where_it_would_listen_does_not_matter() {
    let server = Server::unix(Launch::new());
    let launch = Launch::at(server.process.home()).args(&["app-server", "--listen", "ws://127.0.0.1:0", "proxy"]);
    proxied::lines(launch).initialize();
}

#[test]
fn it_ends_with_its_stdin() {
    let server = Server::unix(Launch::new());
    for framing in ["auto", "raw", "jsonl"] {
        let ended = proxy(server.process.home(), &["--framing", framing]).run();
        assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""), "{framing}");
    }
}

/// How many connections the server on the socket at `path` has accepted.
fn connected(path: &Path) -> usize {
    let sockets = fs::read_to_string("/proc/net/unix").expect("/proc is there");
    let path = path.to_str().expect("text");
    // A socket's line has its state in the sixth place (03: connected) and ends with its path.
    sockets.lines().filter(|line| line.ends_with(path) && line.split_whitespace().nth(5) == Some("03")).count()
}

#[test]
fn it_ends_with_the_server_and_says_so_in_one_line() {
    let mut server = Server::unix(Launch::new());
    let path = server.socket_path().canonicalize().expect("it is there");
    eventually("nobody is connected yet", || connected(&path) == 0);
    let (mut busy, stdout) = shaken_hands(&server);
    let mut silent = proxy(server.process.home(), &[]).spawn();
    let mut raw = proxy(server.process.home(), &["--framing", "raw"]).spawn();
    raw.stdin.as_mut().expect("a pipe").write_all(b"GET / HTTP/1.1\r\n").expect("the proxy reads");
    eventually("all three are connected", || connected(&path) == 3);
    server.process.kill();
    for process in [&mut busy, &mut silent, &mut raw] {
        assert_eq!(process.exit_code(), 1);
        assert_eq!(process.stderr.all(), "Error: the server closed the connection\n");
    }
    stdout.all();
}

#[test]
fn it_passes_on_why_the_server_ends() {
    let server = Server::unix(Launch::new());
    let (mut process, _stdout) = shaken_hands(&server);
    server.process.signal(Signal::TERM);
    assert_eq!(process.exit_code(), 1);
    assert_eq!(process.stderr.all(), "Error: the server closed the connection (close code 1001)\n");
}

#[test]
fn it_ends_when_nobody_reads_its_stdout() {
    let server = Server::unix(Launch::new());
    for framing in ["raw", "jsonl"] {
        let mut process = proxy(server.process.home(), &["--framing", framing]).spawn();
        process.stdin.as_mut().expect("a pipe").write_all(b"\n").expect("the proxy reads");
        drop(process.stdout.take());
        assert_eq!(process.exit_code(), 1);
        let expected = "Error: failed to relay data between stdio and socket\n\nCaused by:\n    broken pipe\n";
        assert_eq!(process.stderr.all().to_lowercase(), expected.to_lowercase());
    }
}

#[test]
fn a_signal_ends_it_cleanly() {
    let server = Server::unix(Launch::new());
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let (mut process, _stdout) = shaken_hands(&server);
        process.signal(signal);
        assert_eq!((process.exit_code(), process.stderr.all().as_str()), (0, ""));
    }
    server.client();
}

#[test]
fn a_client_that_takes_its_time_to_speak_is_connected_all_the_same() {
    let server = Server::unix(Launch::new().setting("http.client_request_timeout_seconds", 2));
    let mut process = proxy(server.process.home(), &[]).spawn();
    let stdout = Collected::of(process.stdout.take().expect("a pipe"));
    std::thread::sleep(Duration::from_secs(4));
    process.stdin.as_mut().expect("a pipe").write_all(format!("{INITIALIZE}\n").as_bytes()).expect("the proxy reads");
    stdout.wait_for("the answer", |text| text.contains("userAgent").then_some(()));
}

/// How many proxies come and go: `PROXY_CYCLES=1000 cargo test proxies_that_come_and_go` is the heavy run.
fn cycles() -> u32 {
    std::env::var("PROXY_CYCLES").map_or(200, |cycles| cycles.parse().expect("PROXY_CYCLES is a number"))
}

#[test]
fn proxies_that_come_and_go_leave_nothing_behind() {
    let server = Server::unix(Launch::new());
    let pid = server.process.id();
    let count = |directory: String| fs::read_dir(directory).expect("a directory").count();
    let descriptors = || count(format!("/proc/{pid}/fd"));
    let mut steady = server.client();
    proxied::lines(proxy(server.process.home(), &[])).initialize();
    let files = fs::read_dir(server.process.codex_home()).expect("a directory").count();
    let before = descriptors();
    for round in 0..cycles() {
        let (mut process, _stdout) = shaken_hands(&server);
        match round % 3 {
            0 => drop(process.stdin.take()),
            1 => process.signal(Signal::TERM),
            _ => process.signal(Signal::KILL),
        }
        process.wait();
    }
    eventually("the server has closed every connection", || descriptors() <= before);
    assert_eq!(count(server.process.codex_home().display().to_string()), files);
    steady.call("thread/loaded/list", json!({}));
}

#[test]
fn what_is_no_app_server_is_an_error() {
    let home = Home::new();
    let listener = UnixListener::bind(home.join("other")).expect("a socket");
    let serving = Aside::start(move || {
        let (mut stream, _): (UnixStream, _) = listener.accept().expect("the proxy connects");
        let mut some = [0; 16];
        stream.read_exact(&mut some).expect("the proxy asks for an upgrade");
        stream.write_all(b"220 mail.example.org ready\r\n").expect("it listens");
    });
    let mut process = proxy(&home, &["--sock", "other"]).spawn();
    process.stdin.as_mut().expect("a pipe").write_all(b"{}\n").expect("the proxy reads");
    assert_eq!(process.exit_code(), 1);
    let error = process.stderr.all();
    assert!(error.starts_with("Error: the program that listens there does not speak WebSocket: "), "{error}");
    serving.finish("the other server");
}
