//! stdio whose stdout nobody reads: a flood of requests, and a flood of notifications that nobody asked for.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::gauges::{Gauges, MIB, Peak};
use crate::report::Finding;
use crate::support::process::{Launch, Process};
use crate::{Result, Size};

/// Letters of a name that each answer contains, and the requests that ask for it: far more than what is read ahead.
const NAME_LETTERS: usize = 1_000;
const REQUESTS: usize = 200_000;
/// What may be unread at a time: `limits.connection_unread_bytes`, and what requests in flight add to it.
const UNREAD: f64 = 2.0 * MIB;

/// The budget in the second scenario, because the notifications of a watch are few and short.
const BUDGET_MIB: usize = 4;
/// Files that change, each so often that all of them cause a thousand notifications a second.
const FILES: usize = 250;
const CHANGE_EVERY: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(120);

/// A flood of requests; afterwards everything that was read is answered.
pub fn requests(size: &Size) -> Result<Vec<Finding>> {
    let mut client = Lines::start(Launch::new())?;
    let thread = client.ask("thread/start", &json!({}))?["thread"]["id"].take();
    client.ask("thread/name/set", &json!({"threadId": thread, "name": "n".repeat(NAME_LETTERS)}))?;
    let Lines { mut process, mut stdin, mut stdout, .. } = client;
    let before = Gauges::of(process.id())?;
    let peak = Peak::of(process.id());

    let requests = size.of(REQUESTS);
    let written = Arc::new(AtomicUsize::new(0));
    let writer = thread::spawn({
        let written = Arc::clone(&written);
        move || -> std::io::Result<()> {
            for id in 0..requests {
                writeln!(stdin, r#"{{"id":{id},"method":"thread/read","params":{{"threadId":{thread}}}}}"#)?;
                written.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        }
    });
    thread::sleep(size.unread);
    let (grown, taken) = (peak.most() - before.resident, written.load(Ordering::Relaxed));

    let (mut waiting, mut twice): (HashSet<usize>, usize) = ((0..requests).collect(), 0);
    let mut line = String::new();
    while !waiting.is_empty() {
        line.clear();
        if stdout.read_line(&mut line)? == 0 {
            break;
        }
        // Cheaper than parsing 200 MB: the id stands at one end of an answer.
        if let Some(id) = id_of(&line) {
            twice += usize::from(!waiting.remove(&id));
        }
    }
    writer.join().map_err(|_| "the writer panicked")??;
    let name = |what: &str| format!("stdout unread for {} s: {what}", size.unread.as_secs());
    Ok(vec![
        Finding::count(name("requests taken meanwhile"), taken).at_most(requests as f64 - 1.0),
        Finding::new(name("memory"), grown / MIB, "MiB").at_most(UNREAD / MIB),
        Finding::count(format!("of {requests} requests, afterwards without an answer"), waiting.len()).at_most(0.0),
        Finding::count("answered twice", twice).at_most(0.0),
        Finding::count("exit code", process.exit_code().unsigned_abs() as usize).at_most(0.0),
    ])
}

fn id_of(line: &str) -> Option<usize> {
    let digits = match line.strip_prefix("{\"id\":") {
        Some(rest) => rest.split_once(',')?.0,
        None => line.trim_end().strip_suffix('}')?.rsplit_once("\"id\":")?.1,
    };
    digits.parse().ok()
}

/// A thousand notifications a second: the server ends, for it has nobody else, and says why.
pub fn notifications(_: &Size) -> Result<Vec<Finding>> {
    let launch = Launch::new().setting("limits.outbound_bytes", BUDGET_MIB * 1024 * 1024);
    let mut client = Lines::start(launch)?;
    let folder = tempfile::tempdir()?;
    let files: Vec<_> = (0..FILES).map(|number| folder.path().join(number.to_string())).collect();
    for (number, file) in files.iter().enumerate() {
        fs::write(file, "")?;
        client.ask("fs/watch", &json!({"watchId": number.to_string(), "path": file}))?;
    }
    let before = Gauges::of(client.process.id())?;
    let peak = Peak::of(client.process.id());
    let start = Instant::now();
    while client.process.is_running() && start.elapsed() < PATIENCE {
        let next = Instant::now() + CHANGE_EVERY;
        for file in &files {
            fs::write(file, "changed")?;
        }
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    let grown = peak.most() - before.resident;
    let code = client.process.exit_code();
    let said = client.process.stderr.all();
    let reason =
        said.contains("was disconnected") && said.contains("the client on stdio stopped reading and was disconnected");
    let name = |what: &str| format!("stdout unread, 1,000 notifications a second: {what}");
    let budget = BUDGET_MIB as f64 + 1.0 / 16.0;
    Ok(vec![
        Finding::new(name("memory with a budget of 4 MiB"), grown / MIB, "MiB").at_most(budget),
        Finding::new(name("the server ended after"), start.elapsed().as_secs_f64(), "s"),
        Finding::count(name("with code 1 and a reason"), usize::from(code == 1 && reason)).at_least(1.0),
    ])
}

/// A client of lines that waits for each answer.
struct Lines {
    process: Process,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    next: usize,
}

impl Lines {
    fn start(launch: Launch) -> Result<Self> {
        let mut process = launch.spawn();
        let stdin = process.stdin.take().ok_or("no pipe")?;
        let stdout = BufReader::new(process.stdout.take().ok_or("no pipe")?);
        let mut client = Self { process, stdin, stdout, next: 1_000_000_000 };
        client.ask("initialize", &json!({"clientInfo": {"name": "load", "version": "1"}}))?;
        Ok(client)
    }

    fn ask(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.next += 1;
        writeln!(self.stdin, "{}", json!({"id": self.next, "method": method, "params": params}))?;
        let mut line = String::new();
        loop {
            line.clear();
            if self.stdout.read_line(&mut line)? == 0 {
                return Err(format!("the server ended instead of answering {method}").into());
            }
            let mut message: Value = serde_json::from_str(&line)?;
            if message["id"] == self.next {
                return match message["result"].take() {
                    Value::Null => Err(format!("{method}: {line}").into()),
                    result => Ok(result),
                };
            }
        }
    }
}
