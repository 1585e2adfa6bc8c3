//! Resident memory of a server that nobody asks anything, and what each waiting connection adds.
//!
//! Every round starts the processes anew: an allocator that has given connections back would hide what they take.

use std::thread;
use std::time::Duration;

use crate::Result;
use crate::plan::{Plan, take_turns};
use crate::process::{Contestant, Transport};
use crate::report::{Figure, Goal, Unit};

/// Time for a server to finish what it does after an answer.
const SETTLE: Duration = Duration::from_millis(100);

/// Time for a server to give back code that only the start and the first client have needed.
const QUIET: Duration = Duration::from_secs(10);

/// Idle, and for each of 200 and of 1,000 connections.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let mut idle = Figure::new("memory, one idle client", Unit::Mebibytes).goal(Goal::AtMost(12.0)).in_chart();
    let mut each = [200, 1_000].map(|connections| {
        let name = format!("memory, each of {connections} idle clients");
        (connections, Figure::new(name, Unit::Kibibytes).goal(Goal::AtMost(20.0)).in_chart())
    });
    for round in 0..plan.rounds as usize {
        take_turns(round, &mut [Contestant::Ours, Contestant::Echo], |&mut who| {
            let mut server = plan.launcher.start(who, Transport::Unix)?;
            let mut clients = vec![server.connect()?];
            thread::sleep(QUIET);
            idle.record(who, server.resident_bytes()? as f64 / 1024.0 / 1024.0);
            let before = server.allocated_bytes()? as f64;
            for (connections, figure) in &mut each {
                while clients.len() <= *connections {
                    clients.push(server.connect()?);
                }
                thread::sleep(SETTLE);
                figure.record(who, (server.allocated_bytes()? as f64 - before) / 1024.0 / *connections as f64);
            }
            Ok(())
        })?;
    }
    let [(_, few), (_, many)] = each;
    Ok(vec![idle, few, many])
}
