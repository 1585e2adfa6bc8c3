//! What a supervisor is told: the protocol of systemd over `NOTIFY_SOCKET`.

use std::os::unix::net::UnixDatagram;

use rustix::process::Signal;
use serde_json::json;

use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::{Server, connect_at};
use crate::support::{PATIENCE, eventually};

/// A supervisor, and how a server is started by it.
struct Supervisor(UnixDatagram);

impl Supervisor {
    fn of(home: &Home) -> (Self, Launch) {
        let path = home.join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("a time limit");
        let launch = Launch::at(home).env("NOTIFY_SOCKET", path.to_str().expect("a name"));
        (Self(socket), launch)
    }

    /// The next message with a line that starts with `what`.
    fn hears(&self, what: &str) -> String {
        loop {
            let mut bytes = [0; 4096];
            let length = self.0.recv(&mut bytes).unwrap_or_else(|error| panic!("{what} was not said: {error}"));
            let text = std::str::from_utf8(&bytes[..length]).expect("text");
            if text.lines().any(|line| line.starts_with(what)) {
                return text.to_owned();
            }
        }
    }
}

#[test]
fn ready_comes_when_clients_are_served() {
    let home = Home::new();
    let (supervisor, launch) = Supervisor::of(&home);
    let process = launch.args(&["--listen", "unix://"]).spawn();
    supervisor.hears("READY=1");
    let mut client = connect_at(&process.home().control_socket());
    client.initialize();
    client.call("thread/start", json!({}));
}

#[test]
fn signs_of_life_come_in_time_and_count_the_clients() {
    let home = Home::new();
    let (supervisor, launch) = Supervisor::of(&home);
    let server = Server::unix(launch.env("WATCHDOG_USEC", "400000"));
    let _clients = [server.client(), server.client()];
    for _ in 0..3 {
        supervisor.hears("WATCHDOG=1");
    }
    supervisor.hears("STATUS=Serving 2 clients, 0 requests in work");
}

#[test]
fn the_clients_do_not_see_the_question_that_shows_life() {
    let home = Home::new();
    let (supervisor, launch) = Supervisor::of(&home);
    let server = Server::unix(launch.env("WATCHDOG_USEC", "400000"));
    let mut client = server.client();
    for _ in 0..3 {
        supervisor.hears("WATCHDOG=1");
    }
    client.expect_silence();
}

#[test]
fn a_reload_is_told_from_its_start_to_its_end() {
    let home = Home::new();
    let (supervisor, launch) = Supervisor::of(&home);
    let server = Server::unix(launch);
    supervisor.hears("READY=1");
    server.process.signal(Signal::HUP);
    assert!(supervisor.hears("RELOADING=1").contains("MONOTONIC_USEC="));
    supervisor.hears("READY=1");
}

#[test]
fn an_end_that_waits_for_work_asks_for_more_time() {
    let home = Home::new();
    let (supervisor, launch) = Supervisor::of(&home);
    let mut server = Server::unix(launch);
    let mut client = server.client();
    let begun = home.join("begun");
    let script = format!("touch {}; sleep 1", begun.display());
    let command = json!({"command": ["sh", "-c", script], "sandboxPolicy": {"type": "dangerFullAccess"}});
    let running = client.send_request("command/exec", command);
    eventually("the command runs", || begun.exists());
    server.process.signal(Signal::TERM);
    supervisor.hears("STOPPING=1");
    supervisor.hears("EXTEND_TIMEOUT_USEC=");
    client.answer_to(running).expect("the command may end");
    assert_eq!(server.process.exit_code(), 0);
}

#[test]
fn the_next_server_becomes_the_main_process() {
    let home = Home::new();
    let (supervisor, launch) = Supervisor::of(&home);
    let mut server = Server::unix(launch);
    supervisor.hears("READY=1");
    server.process.signal(Signal::USR2);
    let told = supervisor.hears("MAINPID=");
    let main = told.lines().find_map(|line| line.strip_prefix("MAINPID=")).expect("an id").to_owned();
    supervisor.hears("READY=1");
    assert_eq!(server.process.exit_code(), 0);
    let mut client = server.client();
    assert_eq!(client.call("server/diagnostics", json!({}))["process"]["id"].to_string(), main);
    assert!(Launch::at(&home).arg("stop").run().stdout.contains(&format!("process {main}")));
}

#[test]
fn commands_do_not_hear_of_the_supervisor() {
    let home = Home::new();
    let (_supervisor, launch) = Supervisor::of(&home);
    let server = Server::unix(launch.env("WATCHDOG_USEC", "60000000").env("LISTEN_FDNAMES", "x"));
    let listed = server.client().call("command/exec", json!({"command": ["env"]}));
    let text = listed["stdout"].as_str().expect("text");
    for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDNAMES"] {
        assert!(!text.contains(name), "{name} in {text}");
    }
}

#[test]
fn a_supervisor_that_does_not_listen_holds_nothing_up() {
    let home = Home::new();
    let (_supervisor, launch) = Supervisor::of(&home);
    // Its socket takes a few messages, and then no more: nobody reads it.
    let mut server = Server::unix(launch.env("WATCHDOG_USEC", "10000"));
    let mut client = server.client();
    for _ in 0..200 {
        client.call("thread/loaded/list", json!({}));
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
}
