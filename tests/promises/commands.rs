//! Clients run commands: their input, their output, and that nothing is left of them.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::eventually;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::server::Server;

/// `command/exec` with all rights: these promises are about processes, not about the sandbox. With all the time that a
/// slow machine needs, if `more` does not say otherwise.
fn exec(command: &[&str], more: Value) -> Value {
    let policy = json!({"type": "dangerFullAccess"});
    let mut params = json!({"command": command, "sandboxPolicy": policy, "timeoutMs": 600_000});
    let more = more.as_object().cloned().unwrap_or_default();
    params.as_object_mut().expect("an object").extend(more);
    params
}

fn shell(script: &str, more: Value) -> Value {
    exec(&["sh", "-c", script], more)
}

/// The next piece of output: stream, bytes, and whether it was the last one before the cap.
fn delta(client: &mut Client) -> (String, Vec<u8>, bool) {
    let params = client.next_notification("command/exec/outputDelta");
    let bytes = BASE64_STANDARD.decode(params["deltaBase64"].as_str().expect("a string")).expect("base64");
    (params["stream"].as_str().expect("a string").to_owned(), bytes, params["capReached"].as_bool().expect("a boolean"))
}

const NOT_FOUND: &str = "failed to spawn command: No such file or directory (os error 2)";

/// Waits until the output so far holds `text`.
fn output_with(client: &mut Client, text: &str) -> String {
    let mut seen = String::new();
    while !seen.contains(text) {
        seen.push_str(&String::from_utf8_lossy(&delta(client).1));
    }
    seen
}

fn write(client: &mut Client, name: &str, bytes: &[u8], close: bool) {
    let params = json!({"processId": name, "deltaBase64": BASE64_STANDARD.encode(bytes), "closeStdin": close});
    assert_eq!(client.call("command/exec/write", params), json!({}));
}

/// The processes of this machine, by their command lines.
fn process_with(marker: &str) -> Vec<i32> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let has_marker = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(marker)
    };
    pids.filter(has_marker).collect()
}

/// What a server holds: its children that have not been reaped, and its descriptors by their kinds.
fn holdings(server: &Server) -> (usize, BTreeMap<String, usize>) {
    let pid = server.process.id();
    let children = fs::read_dir("/proc").expect("/proc").flatten().filter(|entry| {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
        parent == Some(&pid.to_string())
    });
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).expect("the server's descriptors").flatten();
    let targets = descriptors.map(|entry| fs::read_link(entry.path()).unwrap_or_default());
    let kind = |target: String| target.split(':').next().unwrap_or_default().to_owned();
    let counted = targets.map(|target| kind(target.display().to_string()));
    let mut counts = BTreeMap::new();
    for kind in counted {
        *counts.entry(kind).or_default() += 1;
    }
    (children.count(), counts)
}

#[test]
fn a_command_runs_and_says_how_it_ended() {
    // Where it looks for programs; a directory that is closed to it would be another error.
    let launch = Launch::new().env("PATH", "/usr/local/bin:/usr/bin:/bin");
    let server = Server::unix(launch.env("KEPT", "1").env("TAKEN", "2"));
    let mut client = server.client();
    let result = client.call("command/exec", shell("echo out; echo err >&2; exit 3", json!({})));
    assert_eq!(result, json!({"exitCode": 3, "stdout": "out\n", "stderr": "err\n"}));
    assert_eq!(client.call("command/exec", shell("kill -9 $$", json!({})))["exitCode"], 137);
    let env = json!({"env": {"TAKEN": null, "NEW": "3"}, "cwd": "/"});
    let result = client.call("command/exec", shell("echo $KEPT-$TAKEN-$NEW; pwd; cat", env));
    assert_eq!(result["stdout"], "1--3\n/\n", "nothing is on its stdin");

    let missing = client.refusal("command/exec", exec(&["no-such-program"], json!({})));
    assert_eq!(missing.code, -32603);
    assert_eq!(missing.message, format!("{NOT_FOUND}: the program `no-such-program`"));
    let elsewhere = client.refusal("command/exec", exec(&["true"], json!({"cwd": "/no/such/place"})));
    assert_eq!(elsewhere.message, format!("{NOT_FOUND}: the working directory `/no/such/place`"));
    let denied = client.refusal("command/exec", exec(&["/etc/passwd"], json!({})));
    assert!(denied.message.ends_with("(os error 13): the program `/etc/passwd`"), "{denied:?}");
    let long = client.refusal("command/exec", exec(&[&"x".repeat(100_000)], json!({})));
    assert!(long.message.contains("(os error 36): the program `xxx"), "{long:?}");
    assert_eq!(client.refusal("command/exec", exec(&[], json!({}))).message, "command must not be empty");
}

#[test]
fn a_command_that_takes_too_long_is_ended() {
    let server = Server::unix(Launch::new().setting("limits.command_timeout_seconds", 600));
    let mut client = server.client();
    assert_eq!(client.call("command/exec", exec(&["sleep", "600"], json!({"timeoutMs": 50})))["exitCode"], 124);
    assert_eq!(client.call("command/exec", exec(&["sleep", "0"], json!({"timeoutMs": 0})))["exitCode"], 124);

    let server = Server::unix(Launch::new().setting("limits.command_timeout_seconds", 1));
    let mut client = server.client();
    assert_eq!(client.call("command/exec", exec(&["sleep", "60"], json!({"timeoutMs": null})))["exitCode"], 124);
    let patient = exec(&["sleep", "1.2"], json!({"timeoutMs": null, "disableTimeout": true}));
    assert_eq!(client.call("command/exec", patient)["exitCode"], 0);
}

#[test]
fn output_is_capped_stream_by_stream() {
    let server = Server::unix(Launch::new().setting("limits.command_output_bytes", 5));
    let mut client = server.client();
    let both = "printf 123456; printf abcdef >&2";
    let result = client.call("command/exec", shell(both, json!({"outputBytesCap": 4})));
    assert_eq!((&result["stdout"], &result["stderr"]), (&json!("1234"), &json!("abcd")));
    assert_eq!(client.call("command/exec", shell(both, json!({})))["stdout"], "12345", "the default");
    assert_eq!(client.call("command/exec", shell(both, json!({"disableOutputCap": true})))["stdout"], "123456");

    let streamed = json!({"outputBytesCap": 4, "processId": "p", "streamStdoutStderr": true});
    let result = client.call("command/exec", shell("printf 123456; printf 789", streamed));
    assert_eq!(result, json!({"exitCode": 0, "stdout": "", "stderr": ""}), "what was streamed is not told again");
    assert_eq!(delta(&mut client), ("stdout".to_owned(), b"1234".to_vec(), true));
    client.expect_silence();
}

#[test]
fn more_output_than_can_be_kept_ends_the_command_and_says_so() {
    let server = Server::unix(Launch::new().setting("limits.command_kept_bytes", 100_000));
    let mut client = server.client();
    let refusal = client.refusal("command/exec", exec(&["yes"], json!({"disableOutputCap": true})));
    assert!(refusal.message.contains("more than the 100000 bytes"), "{refusal:?}");
}

#[test]
fn bytes_go_both_ways_wherever_they_are_cut() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let streams = json!({"processId": "cat", "streamStdin": true, "streamStdoutStderr": true});
    let running = client.send_request("command/exec", exec(&["cat"], streams));
    let bytes: Vec<u8> = (0..=255).collect();
    for piece in bytes.chunks(7) {
        write(&mut client, "cat", piece, false);
    }
    let mut seen = Vec::new();
    while seen.len() < bytes.len() {
        seen.extend(delta(&mut client).1);
    }
    assert_eq!(seen, bytes);
    write(&mut client, "cat", b"", true);
    assert_eq!(client.answer_to(running).expect("it ended")["exitCode"], 0);
    let late = client.refusal("command/exec/write", json!({"processId": "cat", "closeStdin": true}));
    assert_eq!(late.message, "no active command/exec for process id \"cat\"");
}

#[test]
fn what_follows_at_once_finds_the_command() {
    let home = Home::with_config("sandbox_mode = 'danger-full-access'\n");
    let server = Server::unix(Launch::at(&home));
    let mut client = server.client();
    // Without a policy of its own: the server has to ask its configuration first.
    let params = json!({"command": ["cat"], "processId": "cat", "streamStdin": true});
    let running = client.send_request("command/exec", params);
    let text = BASE64_STANDARD.encode("hi");
    let params = json!({"processId": "cat", "deltaBase64": text, "closeStdin": true});
    let written = client.send_request("command/exec/write", params);
    assert_eq!(client.answer_to(written).expect("it was taken"), json!({}));
    assert_eq!(client.answer_to(running).expect("it ended")["stdout"], "hi");
}

#[test]
fn a_terminal_has_a_size_and_takes_another() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let script = "trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.05; done";
    let terminal = json!({"processId": "t", "tty": true, "size": {"rows": 11, "cols": 22}});
    let running = client.send_request("command/exec", shell(script, terminal));
    assert_eq!(output_with(&mut client, "\n"), "11 22\r\n");
    client.call("command/exec/resize", json!({"processId": "t", "size": {"rows": 33, "cols": 44}}));
    assert_eq!(output_with(&mut client, "\n"), "33 44\r\n");
    assert_eq!(client.answer_to(running).expect("it ended")["exitCode"], 0);
}

#[test]
fn a_terminal_is_typed_on_and_ends_its_input() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let running = client.send_request("command/exec", exec(&["cat"], json!({"processId": "t", "tty": true})));
    write(&mut client, "t", b"first\nsec", false);
    // What was typed is echoed, and then comes what `cat` makes of the whole line.
    output_with(&mut client, "secfirst\r\n");
    write(&mut client, "t", b"", true);
    assert_eq!(client.answer_to(running).expect("it ended")["exitCode"], 0);
    let sleeping = client.send_request("command/exec", exec(&["sleep", "60"], json!({"processId": "t", "tty": true})));
    write(&mut client, "t", b"\x03", false);
    assert_eq!(client.answer_to(sleeping).expect("it ended")["exitCode"], 130, "^C reaches the foreground");
}

#[test]
fn a_name_belongs_to_its_connection() {
    let server = Server::unix(Launch::new());
    let (mut owner, mut other) = (server.client(), server.client());
    let named = json!({"processId": "p", "streamStdin": true});
    let running = owner.send_request("command/exec", exec(&["cat"], named.clone()));
    let twice = owner.refusal("command/exec", exec(&["true"], named.clone()));
    assert_eq!(twice.message, "duplicate active command/exec process id: \"p\"");
    for (method, params) in [
        ("command/exec/write", json!({"processId": "p", "closeStdin": true})),
        ("command/exec/resize", json!({"processId": "p", "size": {"rows": 1, "cols": 1}})),
        ("command/exec/terminate", json!({"processId": "p"})),
    ] {
        let refusal = other.refusal(method, params);
        assert_eq!(refusal.message, "no active command/exec for process id \"p\"", "{method}");
    }
    assert_eq!(other.call("command/exec", exec(&["true"], named))["exitCode"], 0, "each has names of its own");
    write(&mut owner, "p", b"mine", true);
    assert_eq!(owner.answer_to(running).expect("it ended")["stdout"], "mine");
}

#[test]
fn terminating_takes_everything_along_politely_then_by_force() {
    let server = Server::unix(Launch::new().setting("limits.command_grace_seconds", 600));
    let mut client = server.client();
    let marker = format!("{}.125", std::process::id());
    // A child, one that left the process group, and one whose parent is gone.
    let script = format!("sleep {marker} & setsid sleep {marker} & (setsid sleep {marker} &) ; echo up; wait");
    let streams = json!({"processId": "p", "streamStdoutStderr": true});
    let running = client.send_request("command/exec", shell(&script, streams.clone()));
    output_with(&mut client, "up");
    eventually("all three run", || process_with(&format!("sleep\0{marker}")).len() == 3);
    client.call("command/exec/terminate", json!({"processId": "p"}));
    assert_eq!(client.answer_to(running).expect("it ended")["exitCode"], 143);
    assert_eq!(process_with(&marker), Vec::<i32>::new(), "gone before the answer");

    let server = Server::unix(Launch::new().setting("limits.command_grace_seconds", 1));
    let mut client = server.client();
    let stubborn =
        client.send_request("command/exec", shell("trap '' TERM; echo up; while :; do sleep 1; done", streams));
    output_with(&mut client, "up");
    client.call("command/exec/terminate", json!({"processId": "p"}));
    assert_eq!(client.answer_to(stubborn).expect("it ended")["exitCode"], 137);
}

#[test]
fn what_a_command_leaves_behind_ends_with_it() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let marker = format!("{}.25", std::process::id());
    // It does not wait for what holds its pipes: that would take until it is ended.
    let result = client.call("command/exec", shell(&format!("(setsid sleep {marker} &) ; echo done"), json!({})));
    assert_eq!(result, json!({"exitCode": 0, "stdout": "done\n", "stderr": ""}));
    assert_eq!(process_with(&marker), Vec::<i32>::new());
}

#[test]
fn a_connection_takes_its_commands_along() {
    let server = Server::unix(Launch::new());
    let marker = format!("{}.375", std::process::id());
    let mut client = server.client();
    client.send_request("command/exec", shell(&format!("sleep {marker} & sleep {marker}"), json!({})));
    eventually("both run", || process_with(&format!("sleep\0{marker}")).len() == 2);
    drop(client);
    eventually("both are gone", || process_with(&marker).is_empty());
}

#[test]
fn a_server_that_is_killed_takes_its_commands_along() {
    let server = Server::unix(Launch::new());
    let marker = format!("{}.625", std::process::id());
    let mut client = server.client();
    client.send_request("command/exec", shell(&format!("setsid sleep {marker} & wait"), json!({})));
    eventually("it runs", || process_with(&format!("sleep\0{marker}")).len() == 1);
    drop(server);
    eventually("it is gone", || process_with(&marker).is_empty());
}

#[test]
fn a_thousand_commands_leave_nothing() {
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    client.call("command/exec", exec(&["true"], json!({})));
    // The first client's arrival makes the server try the sandbox out.
    eventually("nothing runs", || holdings(&server).0 == 0);
    let before = holdings(&server);
    for _ in 0..20 {
        let running: Vec<i64> =
            (0..50).map(|_| client.send_request("command/exec", exec(&["true"], json!({})))).collect();
        for id in running {
            assert_eq!(client.answer_to(id).expect("it ended")["exitCode"], 0);
        }
    }
    eventually("everything is given back", || {
        let now = holdings(&server);
        eprintln!("{now:?} instead of {before:?}");
        // It may have been at some file before.
        now.0 == 0 && now.1.iter().all(|(kind, count)| before.1.get(kind).is_some_and(|before| count <= before))
    });
}

#[test]
fn the_65th_at_once_is_refused_and_so_is_one_more_than_the_total() {
    let server = Server::unix(Launch::new().setting("limits.commands_total", 70));
    let (mut first, mut second) = (server.client(), server.client());
    let sleep = || exec(&["sleep", "600"], json!({}));
    for _ in 0..64 {
        first.send_request("command/exec", sleep());
    }
    assert_eq!(first.refusal("command/exec", sleep()).code, -32001);
    assert_eq!(first.call("thread/loaded/list", json!({}))["data"], json!([]), "other requests go on");
    for _ in 0..6 {
        second.send_request("command/exec", sleep());
    }
    assert_eq!(second.refusal("command/exec", sleep()).code, -32001);
}

#[test]
fn a_drain_waits_for_a_command_and_starts_no_other() {
    let mut server = Server::unix(Launch::new());
    let mut client = server.client();
    let streams = json!({"processId": "p", "streamStdin": true});
    let running = client.send_request("command/exec", exec(&["cat"], streams));
    write(&mut client, "p", b"kept", false);
    server.process.signal(rustix::process::Signal::TERM);
    eventually("the drain begins", || client.request("command/exec", exec(&["true"], json!({}))).is_err());
    write(&mut client, "p", b"", true);
    assert_eq!(client.answer_to(running).expect("it ended")["stdout"], "kept");
    assert_eq!(server.process.wait().code(), Some(0));
}

#[test]
fn a_command_that_outlives_the_drain_is_ended_and_its_client_told() {
    let mut server = Server::unix(Launch::new().setting("shutdown.drain_seconds", 1));
    let mut client = server.client();
    let running = client.send_request("command/exec", exec(&["sleep", "600"], json!({})));
    // An answer to a later request shows that the command was taken.
    client.call("thread/loaded/list", json!({}));
    server.process.signal(rustix::process::Signal::TERM);
    assert_eq!(client.answer_to(running).expect("it ended")["exitCode"], 143);
    assert_eq!(server.process.wait().code(), Some(0));
}

#[test]
fn a_flood_slows_down_and_costs_others_nothing() {
    let server = Server::unix(Launch::new());
    let (mut flooded, mut other) = (server.client(), server.client());
    let streams = json!({
        "processId": "yes", "streamStdoutStderr": true, "disableOutputCap": true
    });
    let running = flooded.send_request("command/exec", exec(&["yes"], streams));
    delta(&mut flooded);
    let before = server.process.resident_kib();
    // This client reads nothing for a while, and less than the command could write from then on.
    for _ in 0..100 {
        other.call("thread/loaded/list", json!({}));
        std::thread::sleep(Duration::from_millis(10));
    }
    let grown = server.process.resident_kib().saturating_sub(before);
    assert!(grown < 8 * 1024, "the server grew by {grown} KiB");
    for _ in 0..100 {
        delta(&mut flooded);
    }
    flooded.call("command/exec/terminate", json!({"processId": "yes"}));
    assert_eq!(flooded.answer_to(running).expect("it ended")["exitCode"], 143, "it can still be ended");
}
