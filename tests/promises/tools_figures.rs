//! What tools cost. Not promises, because machines differ: nothing is measured unless it is asked for.
//!
//! `PROMISES_FIGURES=1 cargo test --release --test promises tools_figures -- --nocapture --test-threads 1`

use std::env;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::agent::{Agent, completed, ended, say, told};
use crate::support::aside::Aside;
use crate::support::client::Client;
use crate::support::model::Reply;

fn is_asked_for() -> bool {
    env::var_os("PROMISES_FIGURES").is_some()
}

fn done() -> Reply {
    Reply::text("Done.")
}

/// The value below which this part of all lies.
fn quantile(mut all: Vec<Duration>, part: f64) -> Duration {
    all.sort_unstable();
    all[((all.len() - 1) as f64 * part) as usize]
}

/// A thread that may write its folder, and asks nobody.
fn confined_thread(agent: &Agent, client: &mut Client) -> String {
    agent.thread(client, json!({"approvalPolicy": "never", "sandbox": "workspace-write"}))
}

#[test]
fn a_call_that_runs_true() {
    if !is_asked_for() {
        return;
    }
    const CALLS: usize = 50;
    for sandbox in ["workspace-write", "danger-full-access"] {
        for login in [false, true] {
            let call = json!({"cmd": "true", "login": login});
            let calls = (0..CALLS).map(|_| Reply::call("exec_command", call.clone()));
            let agent = Agent::new(calls.chain([done()]));
            let server = agent.server();
            let mut client = server.client();
            let thread = agent.thread(&mut client, json!({"approvalPolicy": "never", "sandbox": sandbox}));
            say(&mut client, &thread);
            assert_eq!(ended(&mut client), "completed");
            let pauses = agent.model.pauses();
            let (median, most) = (quantile(pauses.clone(), 0.5), quantile(pauses, 0.99));
            eprintln!("true, {sandbox}, login {login}: median {median:?}, 99 % below {most:?}");
        }
    }
}

#[test]
fn a_command_that_changes_a_file() {
    if !is_asked_for() {
        return;
    }
    const CALLS: usize = 40;
    for in_repository in [false, true] {
        let agent = Agent::new([]);
        if in_repository {
            let made = std::process::Command::new("git").args(["init", "-q"]).current_dir(agent.work.path()).status();
            assert!(made.expect("git").success());
        }
        let server = agent.server();
        let mut client = server.client();
        let thread = confined_thread(&agent, &mut client);
        let call = |number: usize| {
            Reply::call("exec_command", json!({"cmd": format!("echo {number} > file"), "login": false}))
        };
        for number in 0..CALLS {
            agent.model.script([call(number), done()]);
            say(&mut client, &thread);
            assert_eq!(ended(&mut client), "completed");
        }
        // Between them are those between turns.
        let first: Vec<Duration> = agent.model.pauses().into_iter().step_by(2).collect();
        agent.model.script((0..CALLS).map(call).chain([done()]));
        say(&mut client, &thread);
        assert_eq!(ended(&mut client), "completed");
        let later = agent.model.pauses().split_off(2 * CALLS);
        let (first, later) = (quantile(first, 0.5), quantile(later, 0.5));
        eprintln!(
            "a change, in a repository: {in_repository}: median {first:?} as the first of its turn, {later:?} later"
        );
    }
}

#[test]
fn a_gigabyte_of_output() {
    if !is_asked_for() {
        return;
    }
    let flood = |bytes: u64| {
        let command = json!({"cmd": format!("head -c {bytes} /dev/zero"), "login": false, "yield_time_ms": 30_000});
        [Reply::call("exec_command", command), done()]
    };
    let agent = Agent::new(flood(16 << 20));
    let server = agent.server();
    let (mut client, mut other) = (server.client(), server.client());
    let thread = confined_thread(&agent, &mut client);
    say(&mut client, &thread);
    assert_eq!(ended(&mut client), "completed");
    let round_trips = |client: &mut Client, until: &dyn Fn() -> bool| {
        let mut all = Vec::new();
        while !until() {
            let begun = Instant::now();
            client.call("thread/loaded/list", json!({}));
            all.push(begun.elapsed());
        }
        all
    };
    let begun = Instant::now();
    let alone = round_trips(&mut other, &|| begun.elapsed() > Duration::from_secs(3));
    let before = server.process.peak_kib();
    agent.model.script(flood(1 << 30));
    say(&mut client, &thread);
    let (tell, has_ended) = (std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false)), Instant::now());
    let told_end = tell.clone();
    let reader = Aside::start(move || {
        let mut all = told(&mut client);
        while completed(&all, "commandExecution").is_empty() {
            all.push(client.next_told("the end of the command"));
        }
        told_end.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    let beside = round_trips(&mut other, &|| tell.load(std::sync::atomic::Ordering::SeqCst));
    reader.finish("the command");
    let (took, after) = (has_ended.elapsed(), server.process.peak_kib());
    eprintln!("1 GiB of output: {took:?}, {} KiB more memory at its peak", after - before);
    for (name, all) in [("alone", alone), ("beside it", beside)] {
        let (median, most) = (quantile(all.clone(), 0.5), quantile(all, 0.99));
        eprintln!("another client {name}: median {median:?}, 99 % below {most:?}");
    }
}

#[test]
fn a_patch_of_a_thousand_hunks_over_a_hundred_files() {
    if !is_asked_for() {
        return;
    }
    let mut lines = vec!["*** Begin Patch".to_owned()];
    let agent = Agent::new([]);
    for file in 0..100 {
        let text: String = (0..1000).map(|line| format!("line {line} of file {file}\n")).collect();
        fs::write(agent.work.join(&format!("{file}.txt")), text).expect("a file");
        lines.push(format!("*** Update File: {file}.txt"));
        for hunk in 0..10 {
            let line = hunk * 100 + 50;
            let context = |line: usize| format!(" line {line} of file {file}");
            lines.extend(["@@".to_owned(), context(line - 1), format!("-line {line} of file {file}")]);
            lines.extend([format!("+changed {line} of file {file}"), context(line + 1)]);
        }
    }
    lines.push("*** End Patch".to_owned());
    agent.model.script([Reply::call("apply_patch", json!({"patch": lines.join("\n")})), done()]);
    let server = agent.server();
    let mut client = server.client();
    let thread = confined_thread(&agent, &mut client);
    say(&mut client, &thread);
    let told = told(&mut client);
    let [item]: [Value; 1] = completed(&told, "fileChange").try_into().expect("one patch");
    assert_eq!(item["status"], "completed", "{:?}", agent.outputs(1));
    let output = &agent.outputs(1)[0];
    eprintln!("a patch of 1,000 hunks over 100 files: {:?}; {:?}", agent.model.pauses()[0], output.lines().nth(1));
}
