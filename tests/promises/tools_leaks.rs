//! Turns with tools leave nothing behind: no process, no descriptor, no file, no memory.
//!
//! `PROMISES_TURNS=1000 cargo test --test promises tools_leaks::turns -- --nocapture` runs the full number.

use std::env;
use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::agent::{Agent, COMMAND_APPROVAL, decide, ended, say};
use crate::support::client::Client;
use crate::support::eventually;
use crate::support::home::Home;
use crate::support::model::Reply;
use crate::support::process::Process;
use crate::support::server::Server;

/// How many turns, unless `PROMISES_TURNS` says otherwise.
const TURNS: usize = 42;

/// Turns of one thread.
const TURNS_OF_THREAD: usize = 21;

/// Memory that may come and go, in KiB. Turns without tools, too, take up to 2.5 MiB in the first 800, and nothing afterwards.
const SLACK_KIB: u64 = 6 << 10;

/// Whether a process has these words on its command line.
pub fn runs_somewhere(marker: &str) -> bool {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    let mut lines = entries.filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.any(|line| line.contains(marker))
}

fn count(path: impl AsRef<Path>) -> usize {
    fs::read_dir(path).expect("it can be listed").count()
}

/// Descriptors and children of the server.
fn holdings(process: &Process) -> (usize, usize) {
    let proc = Path::new("/proc").join(process.id().to_string());
    let tasks = fs::read_dir(proc.join("task")).expect("/proc").flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    (count(proc.join("fd")), children.map(|text| text.split_whitespace().count()).sum())
}

fn done() -> Reply {
    Reply::text("Done.")
}

fn command(arguments: Value) -> Reply {
    let mut call = json!({"login": false});
    call.as_object_mut().expect("an object").extend(arguments.as_object().cloned().expect("an object"));
    Reply::call("exec_command", call)
}

fn patch(lines: &[&str]) -> Reply {
    Reply::call("apply_patch", json!({"patch": format!("*** Begin Patch\n{}\n*** End Patch", lines.join("\n"))}))
}

/// One turn; turns differ by their number.
fn turn(agent: &Agent, client: &mut Client, thread: &str, number: usize, marker: &str) {
    let (replies, interrupts): (Vec<Reply>, bool) = match number % 7 {
        0 => (vec![command(json!({"cmd": "true"})), done()], false),
        1 => (vec![patch(&["*** Add File: a", "+a"]), patch(&["*** Delete File: a"]), done()], false),
        2 => (
            vec![command(json!({"cmd": format!("setsid sleep {marker} & nohup sleep {marker} & exit 1")})), done()],
            false,
        ),
        3 => (vec![command(json!({"cmd": format!("echo ready; sleep {marker}"), "tty": true}))], true),
        4 => (vec![command(json!({"cmd": "touch x", "sandbox_permissions": "require_escalated"})), done()], false),
        5 => {
            let ends = json!({"cmd": "echo begun; sleep 0.3; echo late", "tty": true, "yield_time_ms": 250});
            (vec![command(ends), done()], false)
        }
        _ => (vec![patch(&["*** Update File: absent", "@@", "-a", "+b"]), done()], false),
    };
    agent.model.script(replies);
    let id = say(client, thread);
    if interrupts {
        client.next_notification("item/commandExecution/outputDelta");
        client.call("turn/interrupt", json!({"threadId": thread, "turnId": id}));
    }
    if number % 7 == 4 {
        let request = client.next_notification_message(COMMAND_APPROVAL);
        decide(client, &request, json!("decline"));
    }
    assert_eq!(ended(client), if interrupts { "interrupted" } else { "completed" });
    // What nobody asks for is not to be kept by this test.
    while client.take_told().is_some() {}
}

#[test]
fn turns_with_tools_leave_nothing_behind() {
    let turns = env::var("PROMISES_TURNS").ok().map_or(TURNS, |text| text.parse().expect("a number"));
    let (agent, temporary) = (Agent::new([]), Home::new());
    let marker = format!("{}.125", std::process::id());
    let server = Server::unix(agent.launch().env("TMPDIR", temporary.path().to_str().expect("text")));
    let mut client = server.client();
    let (mut warm, mut thread) = (None, String::new());
    for number in 0..turns {
        if number % TURNS_OF_THREAD == 0 {
            if !thread.is_empty() {
                client.call("thread/archive", json!({"threadId": thread}));
                eventually("its commands are gone", || holdings(&server.process).1 == 0);
            }
            if number == TURNS_OF_THREAD {
                warm = Some((holdings(&server.process), server.process.resident_kib()));
            }
            thread = agent.thread(&mut client, json!({"approvalPolicy": "on-request", "sandbox": "workspace-write"}));
        }
        turn(&agent, &mut client, &thread, number, &marker);
    }
    client.call("thread/archive", json!({"threadId": thread}));
    let (held, memory) = warm.expect("a warm-up");
    eventually("processes and descriptors are given back", || holdings(&server.process) <= held);
    eventually("no process is left", || !runs_somewhere(&marker));
    assert_eq!(agent.work.everything(), Vec::<std::path::PathBuf>::new());
    assert_eq!(temporary.everything(), Vec::<std::path::PathBuf>::new());
    let now = server.process.resident_kib();
    eprintln!("{turns} turns: {memory} KiB after the first {TURNS_OF_THREAD}, {now} KiB after all");
    assert!(now <= memory + SLACK_KIB, "{memory} KiB became {now} KiB");
}

/// A server with sessions that a turn has left running, in both kinds of sandbox: how to find them.
fn with_sessions(settings: &[(&str, &str)]) -> (Agent, Server, Client, String) {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(1);
    let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let marker = format!("{}.0625{number}", std::process::id());
    let agent = Agent::new([]);
    let launch = settings.iter().fold(agent.launch(), |launch, (name, value)| launch.setting(name, value));
    let server = Server::unix(launch);
    let mut client = server.client();
    for sandbox in ["danger-full-access", "workspace-write"] {
        let thread = agent.thread(&mut client, json!({"approvalPolicy": "never", "sandbox": sandbox}));
        let script = format!("trap '' TERM HUP; (setsid sleep {marker} &); sleep {marker}");
        let calls = [true, false].iter().fold(Reply::new(), |reply, tty| {
            let call = json!({"cmd": script, "login": false, "tty": tty, "yield_time_ms": 250});
            reply.and_call("exec_command", call)
        });
        agent.model.script([calls, done()]);
        say(&mut client, &thread);
        assert_eq!(ended(&mut client), "completed");
    }
    eventually("the sessions run", || runs_somewhere(&marker));
    (agent, server, client, marker)
}

#[test]
fn sessions_end_with_their_thread_and_with_their_server() {
    let (_agent, server, client, marker) = with_sessions(&[("limits.thread_idle_seconds", "1")]);
    drop(client);
    eventually("they end with their threads, which nobody follows", || !runs_somewhere(&marker));
    drop(server);

    let (_agent, mut server, client, marker) = with_sessions(&[]);
    server.process.signal(Signal::TERM);
    drop(client);
    server.process.wait();
    eventually("they end with their server", || !runs_somewhere(&marker));

    let (_agent, mut server, _client, marker) = with_sessions(&[]);
    server.process.kill();
    eventually("they end with a server that was killed", || !runs_somewhere(&marker));
}
