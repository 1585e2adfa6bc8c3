//! How long a short command takes from its request to its answer, and how many of them a second there can be.
//!
//! Beside it the same program is run by a shell that this process starts and waits for. The server does more: it starts
//! a supervisor that leaves nothing of the command behind, and for a confined one a sandbox of namespaces and mounts.

use std::process::Command;
use std::time::Instant;

use crate::Result;
use crate::client::Client;
use crate::frame::Numbered;
use crate::plan::{Plan, quantile, take_turns};
use crate::process::{Contestant, Server, Transport};
use crate::report::{Figure, Goal, Unit};
use crate::usage::family_seconds;

/// What is run: a program that does nothing.
const PROGRAM: &str = "/bin/true";
/// Commands waited for one after the other in each round.
const SINGLE: usize = 150;
/// Commands of each round of which several are in flight,
const MANY: usize = 600;
/// which is so many.
const WINDOW: usize = 8;

/// With all rights, and confined.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let mut server = plan.launcher.start(Contestant::Ours, Transport::Unix)?;
    let mut caller = Caller::new(server.connect()?);
    let mut figures = Vec::new();
    for (access, policy) in [("full access", "dangerFullAccess"), ("read-only", "readOnly")] {
        caller.choose(policy);
        figures.extend(with(plan, &server, &mut caller, access)?);
    }
    Ok(figures)
}

fn with(plan: &Plan, server: &Server, caller: &mut Caller, access: &str) -> Result<[Figure; 3]> {
    let name = |what: &str| format!("commands, {access}, {what}");
    let mut single = Figure::new(name("start to answer (floor: by sh -c), p50"), Unit::Millis);
    let mut rate = Figure::new(name(&format!("{WINDOW} in flight")), Unit::PerSecond).goal(Goal::AtLeast(200.0));
    let mut cost = Figure::new(name("processor time of one (floor: by sh -c)"), Unit::Millis);
    let many = plan.samples(MANY);
    caller.run_many(WINDOW)?; // warm up
    for _ in 0..plan.rounds {
        let mut sides = [(Contestant::Ours, Vec::new()), (Contestant::Floor, Vec::new())];
        for turn in 0..plan.samples(SINGLE) {
            take_turns(turn, &mut sides, |(who, millis)| {
                let start = Instant::now();
                if *who == Contestant::Ours {
                    caller.run_many(1)?
                } else {
                    run_by_shell()?
                }
                millis.push(start.elapsed().as_secs_f64() * 1e3);
                Ok(())
            })?;
        }
        for (who, mut millis) in sides {
            millis.sort_by(f64::total_cmp);
            single.record(who, quantile(&millis, 0.5));
        }
        let (start, before) = (Instant::now(), server.family_seconds()?);
        caller.run_many(many)?;
        rate.record(Contestant::Ours, many as f64 / start.elapsed().as_secs_f64());
        cost.record(Contestant::Ours, (server.family_seconds()? - before) * 1e3 / many as f64);

        let before = family_seconds(std::process::id())?;
        (0..many).try_for_each(|_| run_by_shell())?;
        cost.record(Contestant::Floor, (family_seconds(std::process::id())? - before) * 1e3 / many as f64);
    }
    Ok([single, rate, cost])
}

fn run_by_shell() -> Result<()> {
    let status = Command::new("sh").args(["-c", PROGRAM]).status()?;
    if status.success() { Ok(()) } else { Err(format!("{PROGRAM}: {status}").into()) }
}

/// A client that has commands run.
struct Caller {
    client: Client,
    exec: Numbered,
}

impl Caller {
    fn new(client: Client) -> Self {
        let exec = Numbered::cheap(client.framing());
        Self { client, exec }
    }

    /// Under which policy they run from now on.
    fn choose(&mut self, policy: &str) {
        let params = format!(r#"{{"command":["{PROGRAM}"],"sandboxPolicy":{{"type":"{policy}"}}}}"#);
        self.exec = Numbered::new(self.client.framing(), "command/exec", &params);
    }

    /// Returns when `count` of them, as many at once as the window allows, have ended well.
    fn run_many(&mut self, count: usize) -> Result<()> {
        for _ in 0..count.min(WINDOW) {
            self.client.write(self.exec.next())?;
        }
        for done in 1..=count {
            self.client.wait_for(br#""exitCode":0"#, |_| ())?;
            if done + WINDOW <= count {
                self.client.write(self.exec.next())?;
            }
        }
        Ok(())
    }
}
