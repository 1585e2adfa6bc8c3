//! The end under load: quick with idle clients, orderly with work, at once when told twice.

use std::time::Instant;

use rustix::process::Signal;
use serde_json::json;

use super::median;
use crate::clients::gathering::{Gathering, Heard};
use crate::report::Finding;
use crate::served::SOCKETS;
use crate::support::process::Launch;
use crate::{Result, Size};

const CLIENTS: usize = 1_000;
const ROUNDS: usize = 5;

pub fn run(size: &Size) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (socket, start) in SOCKETS {
        let clients = size.of(CLIENTS);
        let (mut millis, mut without) = (Vec::new(), 0);
        for _ in 0..ROUNDS {
            let mut served = start(Launch::new());
            let mut gathering = Gathering { door: served.door.clone(), clients }.start()?;
            let told = Instant::now();
            served.server.process.signal(Signal::TERM);
            let code = served.server.process.exit_code();
            millis.push(told.elapsed().as_secs_f64() * 1e3);
            if code != 0 {
                return Err(format!("it ended with {code}").into());
            }
            let Heard::Closed { codes } = gathering.report()? else {
                return Err("they were told something else".into());
            };
            without += clients - codes.get(&1001).copied().unwrap_or(0);
        }
        let name = |what: &str| format!("SIGTERM with {clients} idle clients, {socket}: {what}");
        findings.extend([
            Finding::new(name("ended after"), median(millis), "ms").at_most(200.0),
            Finding::count(name("of five times, clients without 1001"), without).at_most(0.0),
        ]);
    }
    findings.extend(with_work()?);
    Ok(findings)
}

/// A command runs: it is waited for, new work is refused, and a second signal ends everything.
fn with_work() -> Result<Vec<Finding>> {
    let sleep = |seconds: &str| json!({"command": ["sleep", seconds], "timeoutMs": 60_000});
    let mut served = crate::served::Served::unix(Launch::new());
    let (mut client, mut other) = (served.server.client(), served.server.client());
    let running = client.send_request("command/exec", sleep("2"));
    // The fence: the command is in flight when this is answered.
    client.call("thread/loaded/list", json!({}));
    let told = Instant::now();
    served.server.process.signal(Signal::TERM);
    let refusal = loop {
        match other.request("thread/start", json!({})) {
            Ok(_) if told.elapsed().as_secs() < 2 => {}
            Ok(_) => return Err("new work is taken during a drain".into()),
            Err(refusal) => break refusal,
        }
    };
    let text = "Server is draining; retry after reconnecting";
    if (refusal.code, refusal.message.as_str()) != (-32600, text) {
        return Err(format!("new work is refused with {refusal:?}").into());
    }
    let answered = client.answer_to(running).is_ok_and(|result| result["exitCode"] == 0);
    // Who does not close in turn is waited for.
    let codes = [client.closed(), other.closed()];
    if codes != [Some(1001); 2] {
        return Err(format!("the clients were closed with {codes:?}").into());
    }
    let code = served.server.process.exit_code();
    let drained = told.elapsed().as_secs_f64();

    let mut served = crate::served::Served::unix(Launch::new());
    let mut client = served.server.client();
    client.send_request("command/exec", sleep("30"));
    client.call("thread/loaded/list", json!({}));
    served.server.process.signal(Signal::TERM);
    std::thread::sleep(std::time::Duration::from_millis(500));
    let kept = served.server.process.is_running();
    let told = Instant::now();
    served.server.process.signal(Signal::TERM);
    let forced_code = served.server.process.exit_code();
    let forced = told.elapsed().as_secs_f64() * 1e3;
    Ok(vec![
        Finding::count("SIGTERM with a command of 2 s: it was answered", usize::from(answered && code == 0))
            .at_least(1.0),
        Finding::new("SIGTERM with a command of 2 s: ended after", drained, "s").at_most(2.5),
        Finding::count("SIGTERM with a command of 30 s: still there", usize::from(kept)).at_least(1.0),
        Finding::new("a second SIGTERM: ended after", forced, "ms").at_most(200.0),
        Finding::count("a second SIGTERM: exit code", forced_code as usize).at_most(0.0),
    ])
}
