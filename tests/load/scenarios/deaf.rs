//! Peers that do not read while a thousand broadcasts a second go out, and peers that read slowly.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::median;
use crate::clients::paced::Paced;
use crate::gauges::{MIB, Peak};
use crate::report::Finding;
use crate::served::{SOCKETS, Served};
use crate::support::process::Launch;
use crate::{Result, Size};

const ROUNDS: usize = 3;
const BROADCASTS_PER_SECOND: f64 = 1_000.0;
/// Of each round: more than a peer that does not read may leave unread.
const BROADCASTS: usize = 6_000;
/// Each with a name of so many letters.
const NAME_LETTERS: usize = 16 * 1024;
/// `limits.outbound_bytes`.
const BUDGET: f64 = 64.0 * MIB;
const SLACK: f64 = MIB / 16.0;
/// `limits.outbound_stall_seconds`, and the second in which the clocks are looked at.
const GRACE: Duration = Duration::from_secs(11);

/// One peer never reads: memory, what the others notice, how it is cut, and how it comes back.
pub fn run(size: &Size) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (socket, start) in SOCKETS {
        let mut served = start(Launch::new());
        let thread = thread(&served);
        // The first round only grows the server to its size.
        let mut alone = vec![round(&served, &thread, size, false)?];
        alone.clear();
        let (mut beside, mut cuts) = (Vec::new(), Vec::new());
        for _ in 0..size.of(ROUNDS) {
            alone.push(round(&served, &thread, size, false)?);
            beside.push(round(&served, &thread, size, true)?);
            cuts.extend(beside.last().and_then(|round| round.cut));
        }
        let all = |rounds: &[Round], value: fn(&Round) -> f64| median(rounds.iter().map(value).collect());
        let ratios = alone.iter().zip(&beside).map(|(alone, beside)| beside.p99 / alone.p99).collect();
        let growth = beside.iter().zip(&alone).map(|(beside, alone)| beside.memory - alone.memory).fold(0.0, f64::max);
        let longest = cuts.iter().map(|cut| cut.as_secs_f64()).fold(0.0, f64::max);
        let name = |what: &str| format!("one never reads, {socket}: {what}");
        findings.extend([
            Finding::new(name("broadcasts a second"), all(&beside, |round| round.broadcasts_per_second), ""),
            Finding::new(name("the most memory it takes"), growth / MIB, "MiB").at_most((BUDGET + SLACK) / MIB),
            Finding::new(name("p99 of a request every ms, without it"), all(&alone, |round| round.p99), "µs"),
            Finding::new(name("the same with it"), all(&beside, |round| round.p99), "µs"),
            Finding::new(name("the second / the first"), median(ratios), "×").at_most(1.2),
            Finding::count(name("of three times, cut with a reason"), cuts.len()).at_least(beside.len() as f64),
            Finding::new(name("cut after at most"), longest, "s").at_most(GRACE.as_secs_f64()),
        ]);
        findings.push(comes_back(&served, &thread, name("what was persisted is there after it came back"))?);
        findings.push(shutdown(&mut served, &thread, name("SIGTERM with one of them ends after"))?);
    }
    Ok(findings)
}

struct Round {
    /// Of the requests of another client. Microseconds.
    p99: f64,
    /// The most that the server had resident. Bytes.
    memory: f64,
    broadcasts_per_second: f64,
    /// How long the peer that does not read was there.
    cut: Option<Duration>,
}

fn thread(served: &Served) -> Value {
    served.server.client().call("thread/start", json!({}))["thread"]["id"].take()
}

fn renames(served: &Served, thread: &Value, count: usize) -> Paced {
    Paced {
        connections: 4,
        window: 4,
        method: "thread/name/set".to_owned(),
        params: json!({"threadId": thread, "name": "n".repeat(NAME_LETTERS)}).to_string(),
        ..Paced::sequential(&served.door, BROADCASTS_PER_SECOND, count)
    }
}

fn round(served: &Served, thread: &Value, size: &Size, with_it: bool) -> Result<Round> {
    let said = || served.server.process.stderr.text().matches(" was disconnected: ").count();
    let before = said();
    let deaf = if with_it { Some(served.door.client()?) } else { None };
    let since = Instant::now();
    let peak = Peak::of(served.id());
    let mut renames = renames(served, thread, size.of(BROADCASTS)).start()?;
    let asked = Paced { window: 64, ..Paced::sequential(&served.door, 1_000.0, size.of(BROADCASTS)) }.measure()?;
    let told = renames.report::<crate::clients::paced::Pace>()?;
    let mut cut = None;
    while deaf.is_some() && cut.is_none() && since.elapsed() < 2 * GRACE {
        cut = (said() > before).then(|| since.elapsed());
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(Round { p99: asked.p99, memory: peak.most(), broadcasts_per_second: told.answered as f64 / told.seconds, cut })
}

/// What was said while it was away is there when it comes back.
fn comes_back(served: &Served, thread: &Value, what: String) -> Result<Finding> {
    served.server.client().call("thread/name/set", json!({"threadId": thread, "name": "said meanwhile"}));
    let resumed = served.server.client().call("thread/resume", json!({"threadId": thread}));
    Ok(Finding::count(what, usize::from(resumed["thread"]["name"] == "said meanwhile")).at_least(1.0))
}

/// It cannot hold up the end.
fn shutdown(served: &mut Served, thread: &Value, what: String) -> Result<Finding> {
    let _deaf = served.door.client()?;
    renames(served, thread, 200).measure()?;
    let told = Instant::now();
    served.server.process.signal(Signal::TERM);
    served.server.process.exit_code();
    // `shutdown.close_seconds` is 2.
    Ok(Finding::new(what, told.elapsed().as_secs_f64(), "s").at_most(2.5))
}
