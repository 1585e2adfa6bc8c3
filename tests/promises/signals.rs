//! Signals mean what the operator meant, whatever the parent made of them.

use std::path::Path;

use rustix::process::{Pid, Signal, getpgid, kill_process_group};
use serde_json::json;

use crate::support::client::Client;
use crate::support::eventually;
use crate::support::process::Launch;
use crate::support::server::Server;

/// Starts a command that ends by itself when `go` exists.
fn start_command(client: &mut Client, go: &Path) -> i64 {
    let script = format!("echo up; while ! test -e {}; do sleep 0.02; done; echo done", go.display());
    let id = client.send_request(
        "command/exec",
        json!({
            "command": ["sh", "-c", script], "sandboxPolicy": {"type": "dangerFullAccess"}, "timeoutMs": 600_000,
            "processId": "p", "streamStdoutStderr": true,
        }),
    );
    client.next_notification("command/exec/outputDelta");
    id
}

#[test]
fn what_signals_the_process_and_its_group_asks_once() {
    for signal in [Signal::TERM, Signal::INT, Signal::QUIT] {
        let launch = Launch::new().through(&["setsid"]).setting("shutdown.repeat_milliseconds", 600_000);
        let mut server = Server::unix(launch);
        let go = server.process.home().join("go");
        let (mut client, mut other) = (server.client(), server.client());
        let command = start_command(&mut client, &go);
        let leader = Pid::from_raw(server.process.id().cast_signed()).expect("a process");
        assert_eq!(getpgid(Some(leader)), Ok(leader), "it has a group of its own");
        server.process.signal(signal);
        eventually("the drain begins", || other.request("thread/start", json!({})).is_err());
        kill_process_group(leader, signal).expect("the group is there");
        // The command is not hit, and the second signal is no second wish: it is waited for.
        other.call("thread/loaded/list", json!({}));
        std::fs::write(&go, "").expect("a file");
        assert_eq!(client.answer_to(command).expect("it ends well")["exitCode"], 0, "{signal:?}");
        assert_eq!(server.process.exit_code(), 0, "{signal:?}");
    }
}

#[test]
fn a_parent_that_blocks_or_ignores_signals_changes_nothing() {
    let signals = ["--ignore-signal=CHLD,HUP,TERM,USR1", "--block-signal=TERM,HUP,INT,CHLD"];
    let mut server = Server::unix(Launch::new().through(&[&["env"], &signals[..]].concat()));
    let mut client = server.client();
    for policy in [json!({"type": "dangerFullAccess"}), json!({"type": "readOnly"})] {
        let params = json!({"command": ["sh", "-c", "exit 3"], "sandboxPolicy": policy, "timeoutMs": 600_000});
        // Where nothing can be confined, that is said; either way there is an answer.
        if let Ok(ended) = client.request("command/exec", params) {
            assert_eq!(ended["exitCode"], 3);
        }
    }
    server.process.signal(Signal::TERM);
    assert_eq!(server.process.exit_code(), 0);
}

#[test]
fn a_signal_that_asks_for_nothing_ends_nothing() {
    let mut server = Server::unix(Launch::new());
    let mut client = server.client();
    for signal in [Signal::USR1, Signal::USR2, Signal::ALARM, Signal::VTALARM, Signal::PROF, Signal::IO, Signal::PIPE] {
        server.process.signal(signal);
        client.call("thread/loaded/list", json!({}));
    }
    assert!(server.process.is_running());
    server.process.signal(Signal::XCPU);
    assert_eq!(client.closed(), Some(1001), "a limit on processor time is a reason to end in good order");
    assert_eq!(server.process.exit_code(), 0);
    assert!(!server.process.home().control_socket().exists());
}

/// Runs a program as the first process of a container would run it.
const CONTAINER: [&str; 7] =
    ["unshare", "--kill-child", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];

fn can_make_containers() -> bool {
    let (program, arguments) = CONTAINER.split_first().expect("it has a name");
    std::process::Command::new(program).args(arguments).arg("true").status().is_ok_and(|status| status.success())
}

#[test]
fn the_first_process_of_a_container_reaps_what_nobody_waits_for() {
    if !can_make_containers() {
        return eprintln!("this machine makes no containers");
    }
    // An orphan of another branch of the container, which then lets the server be its first process.
    let script = "(sleep 0.1 & sleep 0.05 & exec sleep 0.2) & exec \"$0\" \"$@\"";
    // Not on a socket, which serves nobody outside the container.
    let mut server = Server::stdio(Launch::new().through(&[&CONTAINER[..], &["sh", "-c", script]].concat()));
    let mut client = server.client();
    let exec = |client: &mut Client, script: &str| {
        let policy = json!({"type": "dangerFullAccess"});
        let params = json!({"command": ["sh", "-c", script], "sandboxPolicy": policy, "timeoutMs": 600_000});
        client.call("command/exec", params)["stdout"].as_str().expect("text").to_owned()
    };
    // Processes that have ended and wait to be reaped have their names still.
    eventually("every orphan is reaped", || {
        exec(&mut client, "grep -l '(sleep)' /proc/[0-9]*/stat || true").is_empty()
    });
    // `unshare` is the process that this test knows; what it waits for is the first process of the container.
    client.send_request(
        "command/exec",
        json!({"command": ["sh", "-c", "kill -TERM 1"], "sandboxPolicy": {"type": "dangerFullAccess"}}),
    );
    assert_eq!(client.closed(), None, "the signal is passed on");
    assert_eq!(server.process.exit_code(), 0);
}

#[test]
fn a_server_that_is_all_of_a_container_is_not_handed_over() {
    if !can_make_containers() {
        return eprintln!("this machine makes no containers");
    }
    let server = Server::ws(Launch::new().through(&CONTAINER));
    let mut client = server.client();
    let policy = json!({"type": "dangerFullAccess"});
    client.call("command/exec", json!({"command": ["sh", "-c", "kill -USR2 1"], "sandboxPolicy": policy}));
    let says = |text: &str| text.contains("cannot be replaced by another one").then_some(());
    server.process.stderr.wait_for("why not", says);
    client.call("thread/start", json!({}));
}
