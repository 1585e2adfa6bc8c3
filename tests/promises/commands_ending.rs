//! A command ends when it is to end, whatever stands in the way, and a machine without room says so.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::eventually;
use crate::support::process::Launch;
use crate::support::server::Server;

fn shell(script: &str, more: Value) -> Value {
    let policy = json!({"type": "dangerFullAccess"});
    let mut params = json!({"command": ["sh", "-c", script], "sandboxPolicy": policy, "timeoutMs": 600_000});
    params.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    params
}

/// How many processes of this machine have `marker` in their command line.
fn processes_with(marker: &str) -> usize {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let line = |entry: fs::DirEntry| fs::read(entry.path().join("cmdline")).unwrap_or_default();
    entries.map(line).filter(|line| String::from_utf8_lossy(line).contains(marker)).count()
}

/// Runs a command that has stopped its supervisor.
fn stopped(client: &mut Client, marker: &str, more: Value) -> i64 {
    let script = format!("kill -STOP $PPID; sleep {marker} & sleep {marker}");
    let running = client.send_request("command/exec", shell(&script, more));
    eventually("it has stopped its supervisor", || processes_with(&format!("sleep\0{marker}")) == 2);
    running
}

fn patient() -> Launch {
    Launch::new().setting("limits.command_grace_seconds", 1)
}

#[test]
fn a_command_that_stopped_its_supervisor_ends_when_it_is_told_to() {
    let server = Server::unix(patient());
    let mut client = server.client();
    let marker = format!("{}.1875", std::process::id());
    let running = stopped(&mut client, &marker, json!({"processId": "p"}));
    client.call("command/exec/terminate", json!({"processId": "p"}));
    let code = client.answer_to(running).expect("it ended")["exitCode"].clone();
    assert!([json!(137), json!(143)].contains(&code), "{code}");
    assert_eq!(processes_with(&marker), 0);
}

#[test]
fn or_when_its_time_is_over() {
    let server = Server::unix(patient());
    let mut client = server.client();
    let marker = format!("{}.3125", std::process::id());
    let running = stopped(&mut client, &marker, json!({"timeoutMs": 1500}));
    assert_eq!(client.answer_to(running).expect("it ended")["exitCode"], 124);
    assert_eq!(processes_with(&marker), 0);
}

#[test]
fn or_when_its_client_leaves() {
    let server = Server::unix(patient());
    let marker = format!("{}.4375", std::process::id());
    let mut client = server.client();
    stopped(&mut client, &marker, json!({}));
    drop(client);
    eventually("it is gone", || processes_with(&marker) == 0);
}

#[test]
fn or_when_the_server_ends() {
    let mut server = Server::unix(patient().setting("shutdown.drain_seconds", 1));
    let mut client = server.client();
    let marker = format!("{}.5625", std::process::id());
    stopped(&mut client, &marker, json!({}));
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.wait().code(), Some(0));
    eventually("it is gone", || processes_with(&marker) == 0);
}

#[test]
fn a_command_that_stops_its_supervisor_again_and_again_ends_all_the_same() {
    let server = Server::unix(patient());
    let mut client = server.client();
    let marker = format!("{}.6875", std::process::id());
    let script = format!("trap '' TERM; parent=$PPID; (while :; do kill -STOP $parent; done) & exec sleep {marker}");
    let running = client.send_request("command/exec", shell(&script, json!({"processId": "p"})));
    eventually("it runs", || processes_with(&format!("sleep\0{marker}")) == 1);
    client.call("command/exec/terminate", json!({"processId": "p"}));
    let code = client.answer_to(running).expect("it ended")["exitCode"].clone();
    assert!([json!(137), json!(143)].contains(&code), "{code}");
    eventually("it is gone", || processes_with(&marker) == 0);
}

/// A process of the user without privileges; it ends when dropped.
struct Crowd(Child);

impl Crowd {
    fn new() -> Self {
        Self(Command::new("sleep").arg("600").uid(Launch::NOBODY).spawn().expect("it starts"))
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.0.kill().expect("it is ours");
        self.0.wait().expect("it ends");
    }
}

/// As on a machine whose user has as many processes as they may have.
#[test]
fn a_server_without_room_for_processes_says_so_and_ends_in_order() {
    if !rustix::process::geteuid().is_root() {
        // Other processes of this user would be in the way.
        return;
    }
    let mut server = Server::unix(Launch::new().without_privileges().processes(100));
    let mut client = server.client();
    client.call("command/exec", shell("true", json!({})));
    // From now on there is a thread that searches; it finds no helpers below.
    let search = |root: &std::path::Path| json!({"query": "codexapp", "roots": [root]});
    client.call("fuzzyFileSearch", search(std::path::Path::new("/proc/self/ns")));
    // The user's other processes, which have no such bound, leave no room.
    let crowd: Vec<Crowd> = (0..100).map(|_| Crowd::new()).collect();
    for policy in ["dangerFullAccess", "readOnly", "workspaceWrite"] {
        let params = json!({"command": ["true"], "sandboxPolicy": {"type": policy}, "timeoutMs": 600_000});
        let refusal = client.refusal("command/exec", params);
        assert!(refusal.message.contains("Resource temporarily unavailable"), "{refusal:?}");
    }
    let home = server.process.codex_home().to_owned();
    let found = client.call("fuzzyFileSearch", search(&home));
    assert_eq!(found["files"][0]["path"], "codex-app-server");
    for (method, params) in [
        ("thread/loaded/list", json!({})),
        ("thread/start", json!({})),
        ("config/read", json!({})),
        ("fs/readDirectory", json!({"path": home})),
    ] {
        // Answered, one way or the other.
        let _ = client.request(method, params);
    }
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.wait().code(), Some(0));
    drop(crowd);
    assert!(!server.process.stderr.text().contains("panicked"), "{}", server.process.stderr.text());
}
