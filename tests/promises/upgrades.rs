//! A running server hands its sockets over to the next one, and nobody is refused meanwhile.

use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::metrics::parse;
use crate::support::client::Client;
use crate::support::eventually;
use crate::support::http;
use crate::support::process::Launch;
use crate::support::server::{Server, connect_at, connect_to};
use crate::support::terminal::AtTerminal;
use crate::support::wire::{Socket, patient};

/// The next server, which is no child of the test.
struct Next(u32);

impl Next {
    /// The one that answers `client`.
    fn behind(client: &mut Client) -> Self {
        Self(process_behind(client))
    }

    /// Whether it is gone, or waits for whoever is its parent now.
    fn has_ended(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
    }

    fn signal(&self, signal: Signal) {
        let number = i32::try_from(self.0).ok().and_then(Pid::from_raw).expect("a process id");
        // It may have ended.
        let _ = kill_process(number, signal);
    }
}

impl Drop for Next {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// The process that answers `client`.
fn process_behind(client: &mut Client) -> u32 {
    let process = &client.call("server/diagnostics", json!({}))["process"]["id"];
    u32::try_from(process.as_u64().expect("a process id")).expect("a small one")
}

fn greeted(mut client: Client) -> Client {
    client.initialize();
    client
}

/// Waits for the hand-over. Returns the process that takes over.
fn takes_over(server: &Server) -> u32 {
    server.process.stderr.wait_for("the hand-over", |text| {
        let (before, _) = text.split_once(" takes over; no client")?;
        before.rsplit(' ').next()?.parse().ok()
    })
}

/// A command of `client` that runs for this time, and has begun.
fn running_command(server: &Server, client: &mut Client, seconds: u8) -> i64 {
    let begun = server.process.home().join("begun");
    let script = format!("touch {}; sleep {seconds}; echo done", begun.display());
    let command = json!({"command": ["sh", "-c", script], "sandboxPolicy": {"type": "dangerFullAccess"}});
    let running = client.send_request("command/exec", command);
    eventually("the command runs", || begun.exists());
    running
}

fn informed() -> Launch {
    Launch::new().env("RUST_LOG", "info")
}

#[test]
fn work_is_finished_and_who_comes_meanwhile_is_served_by_the_next_server() {
    let mut server = Server::unix(informed());
    let path = server.socket_path().to_owned();
    let mut client = server.client();
    let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
    client.call("thread/name/set", json!({"threadId": thread, "name": "kept"}));
    let running = running_command(&server, &mut client, 1);
    server.process.signal(Signal::USR2);
    takes_over(&server);
    let late = thread::spawn({
        let path = path.clone();
        move || greeted(connect_at(&path))
    });
    assert_eq!(client.answer_to(running).expect("the command may end")["stdout"], "done\n");
    assert_eq!(server.process.exit_code(), 0);
    let mut late = late.join().expect("it is served");
    let next = Next::behind(&mut late);
    assert_ne!(next.0, server.process.id());
    assert_eq!(late.call("thread/read", json!({"threadId": thread}))["thread"]["name"], "kept");

    next.signal(Signal::TERM);
    late.closed();
    eventually("the next server removes the socket", || !path.exists());
}

#[test]
fn a_port_stays_the_same() {
    let mut server = Server::ws(informed());
    server.process.signal(Signal::USR2);
    takes_over(&server);
    let mut client = greeted(connect_to(server.tcp_address()));
    let _next = Next::behind(&mut client);
    assert_eq!(server.process.exit_code(), 0);
}

#[test]
fn one_upgrade_can_follow_another() {
    let mut server = Server::unix(informed());
    server.process.signal(Signal::USR2);
    takes_over(&server);
    let second = Next::behind(&mut greeted(connect_at(server.socket_path())));
    assert_eq!(server.process.exit_code(), 0);
    second.signal(Signal::USR2);
    eventually("the second server has ended", || second.has_ended());
    let third = Next::behind(&mut greeted(connect_at(server.socket_path())));
    assert_ne!(third.0, second.0);
}

#[test]
fn a_server_that_dies_while_it_finishes_is_replaced_all_the_same() {
    let mut server = Server::unix(informed());
    let mut client = server.client();
    client.send_request("command/exec", json!({"command": ["sleep", "100"]}));
    client.call("thread/start", json!({}));
    server.process.signal(Signal::USR2);
    takes_over(&server);
    server.process.signal(Signal::KILL);
    server.process.wait();
    let _next = Next::behind(&mut greeted(connect_at(server.socket_path())));
}

#[test]
fn a_next_server_that_dies_while_it_waits_is_started_once_more() {
    let mut server = Server::unix(informed());
    let mut client = server.client();
    let running = running_command(&server, &mut client, 2);
    server.process.signal(Signal::USR2);
    let first = Next(takes_over(&server));
    first.signal(Signal::KILL);
    let late = thread::spawn({
        let path = server.socket_path().to_owned();
        move || greeted(connect_at(&path))
    });
    assert_eq!(client.answer_to(running).expect("the command may end")["stdout"], "done\n");
    assert_eq!(server.process.exit_code(), 0);
    let second = Next::behind(&mut late.join().expect("it is served"));
    assert!(second.0 != first.0 && second.0 != server.process.id());
}

#[test]
fn without_a_next_server_at_the_end_the_supervisor_is_told_to_start_one() {
    let mut server = Server::unix(informed());
    let mut client = server.client();
    running_command(&server, &mut client, 2);
    server.process.signal(Signal::USR2);
    let first = Next(takes_over(&server));
    std::fs::write(server.process.codex_home().join("app-server.toml"), "[http]\nwokers = 1\n").expect("a file");
    first.signal(Signal::KILL);
    assert_eq!(server.process.exit_code(), 1);
    assert!(!server.socket_path().exists(), "nobody serves any more");
    assert!(server.process.stderr.all().contains("start the server again"));
}

#[test]
fn a_server_whose_successor_cannot_start_goes_on() {
    let server = Server::unix(informed());
    let mut client = server.client();
    std::fs::write(server.process.codex_home().join("app-server.toml"), "[http]\nwokers = 1\n").expect("a file");
    server.process.signal(Signal::USR2);
    let goes_on = |text: &str| (text.contains("http.wokers") && text.contains("this server goes on")).then_some(());
    server.process.stderr.wait_for("what is wrong", goes_on);
    client.call("thread/start", json!({}));
    assert_eq!(process_behind(&mut server.client()), server.process.id(), "and it accepts clients");
}

#[test]
fn what_is_wrong_with_its_command_line_is_told_too() {
    let server = Server::unix(informed().arg("-c").arg("model=echo"));
    server.client().call("thread/start", json!({}));
    // Where it is looked for when a process starts.
    let home = server.process.codex_home();
    std::fs::rename(home, home.with_extension("away")).expect("it moves");
    server.process.signal(Signal::USR2);
    let says = |text: &str| (text.contains("this server goes on") && text.contains("CODEX_HOME")).then_some(());
    server.process.stderr.wait_for("what is wrong", says);
    std::fs::rename(home.with_extension("away"), home).expect("it moves back");
}

#[test]
fn a_signal_to_end_meanwhile_ends_both_in_good_order() {
    let mut server = Server::unix(informed());
    let path = server.socket_path().to_owned();
    let mut client = server.client();
    let running = running_command(&server, &mut client, 2);
    server.process.signal(Signal::USR2);
    takes_over(&server);
    server.process.signal(Signal::TERM);
    assert_eq!(client.answer_to(running).expect("it is finished first")["stdout"], "done\n");
    assert_eq!(server.process.exit_code(), 0);
    assert!(!path.exists(), "nobody serves any more");
    // Its pipe ends when nobody writes to it any more: the next server is gone, too.
    server.process.stderr.all();
}

#[test]
fn what_is_wrong_is_found_while_the_running_server_still_serves() {
    let bad_host = "[http]\nallowed_hosts = [\"::bad host::\"]\n";
    let newer = |home: &Path| {
        let database = home.join("app-server.sqlite");
        let mut connection = SqliteConnection::establish(database.to_str().expect("a name")).expect("a database");
        let row = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
        connection.batch_execute(row).expect("a row");
    };
    let host = |home: &Path| std::fs::write(home.join("app-server.toml"), bad_host).expect("a file");
    for (what, spoil) in [("bad host", &host as &dyn Fn(&Path)), ("newer version", &newer)] {
        let server = Server::unix(informed());
        server.client().call("thread/start", json!({}));
        spoil(server.process.codex_home());
        server.process.signal(Signal::USR2);
        let says = |text: &str| (text.contains(what) && text.contains("this server goes on")).then_some(());
        server.process.stderr.wait_for("what is wrong", says);
        assert_eq!(process_behind(&mut server.client()), server.process.id());
    }
}

#[test]
fn a_client_on_stdio_is_not_handed_over() {
    let server = Server::stdio(informed());
    let mut client = server.client();
    server.process.signal(Signal::USR2);
    let says = |text: &str| text.contains("its client on stdio would be lost").then_some(());
    server.process.stderr.wait_for("why not", says);
    client.call("thread/start", json!({}));
}

#[test]
fn the_subcommand_waits_for_the_next_server() {
    let mut server = Server::unix(informed());
    let ended = Launch::at(server.process.home()).arg("upgrade").run();
    let next = Next::behind(&mut greeted(connect_at(server.socket_path())));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let expected = format!("(process {}) has handed over to process {}, version ", server.process.id(), next.0);
    assert!(ended.stdout.contains(&expected), "{}", ended.stdout);
    assert_eq!(server.process.exit_code(), 0);
}

#[test]
fn a_conversation_at_a_terminal_goes_on_with_the_next_server() {
    let model = ["-c", "model_provider=echo", "-c", "model=echo"];
    let mut server = Server::unix(informed().args(&model));
    let mut person = AtTerminal::run(Launch::at(server.process.home()).arg("chat"));
    person.sees("> ");
    person.types("before");
    person.sees("You said: before");
    server.process.signal(Signal::USR2);
    assert_eq!(server.process.exit_code(), 0);
    let _next = Next::behind(&mut greeted(connect_at(server.socket_path())));
    person.sees("Connected again.");
    person.types("after");
    person.sees("You said: after");
}

/// When the server behind an admin listener was started.
fn started(mut stream: impl Socket) -> Option<f64> {
    let scrape = http::request("GET", "/metrics", &[("Host", "localhost"), ("Connection", "close")]);
    parse(&http::exchange(&mut stream, &scrape)?.body).get("process_start_time_seconds").copied()
}

#[test]
fn the_admin_listener_is_answered_throughout() {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("admin.sock");
    let over_tcp = || started(patient(TcpStream::connect(("127.0.0.1", port)).ok()?));
    let over_unix = || started(UnixStream::connect(&path).ok()?);
    let tcp = (format!("http://127.0.0.1:{port}"), &over_tcp as &dyn Fn() -> Option<f64>);
    for (url, started) in [tcp, (format!("unix://{}", path.display()), &over_unix)] {
        let mut server = Server::unix(informed().arg("--admin").arg(&url));
        let mut client = server.client();
        let running = running_command(&server, &mut client, 2);
        let before = started().expect("a scrape");
        server.process.signal(Signal::USR2);
        takes_over(&server);
        assert_eq!(started(), Some(before), "while it finishes");
        client.answer_to(running).expect("the command may end");
        assert_eq!(server.process.exit_code(), 0);
        let next = Next::behind(&mut server.client());
        assert!(started().expect("it is never refused") > before, "by the next one from now on");
        next.signal(Signal::TERM);
        eventually("the next server has ended", || next.has_ended());
        assert!(!path.exists(), "and has removed the file");
    }
}

#[test]
fn a_program_behind_the_proxy_goes_on_with_the_next_server() {
    let mut server = Server::unix(informed());
    let proxy = Server::stdio(Launch::at(server.process.home()).args(&["proxy", "--reconnect"]));
    let mut program = proxy.connect();
    program.initialize();
    let thread = program.call("thread/start", json!({}))["thread"]["id"].take();
    program.call("thread/name/set", json!({"threadId": thread, "name": "before"}));
    program.next_notification("thread/name/updated");
    server.process.signal(Signal::USR2);
    assert_eq!(server.process.exit_code(), 0);
    let next = Next::behind(&mut greeted(connect_at(server.socket_path())));
    eventually("it is connected again", || program.request("thread/loaded/list", json!({})).is_ok());
    assert_eq!(process_behind(&mut program), next.0);
    let mut other = greeted(connect_at(server.socket_path()));
    other.call("thread/name/set", json!({"threadId": thread, "name": "after"}));
    assert_eq!(program.next_notification("thread/name/updated")["threadName"], "after");
}

#[test]
fn the_subcommand_says_at_once_why_the_running_server_goes_on() {
    let server = Server::unix(informed());
    server.client().call("thread/start", json!({}));
    std::fs::write(server.process.codex_home().join("app-server.toml"), "[http]\nwokers = 1\n").expect("a file");
    let ended = Launch::at(server.process.home()).arg("upgrade").run();
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    let expected = format!("the server (process {}) goes on: ", server.process.id());
    assert!(ended.stderr.contains(&expected) && ended.stderr.contains("http.wokers"), "{}", ended.stderr);
    assert_eq!(process_behind(&mut server.client()), server.process.id());
}

#[test]
fn the_subcommand_says_that_nobody_has_taken_over() {
    let mut server = Server::unix(informed());
    let mut client = server.client();
    running_command(&server, &mut client, 2);
    let home = server.process.home();
    thread::scope(|scope| {
        let upgrading = scope.spawn(|| Launch::at(home).arg("upgrade").run());
        takes_over(&server);
        server.process.signal(Signal::TERM);
        let ended = upgrading.join().expect("it ends");
        assert_eq!(ended.code, Some(1), "{}", ended.stdout);
        assert!(ended.stderr.contains("no other one has taken over; start it again"), "{}", ended.stderr);
    });
    assert_eq!(server.process.exit_code(), 0);
}
