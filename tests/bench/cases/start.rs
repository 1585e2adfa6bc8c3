//! From starting the process to its first answer to `initialize`.
//!
//! Warm is a home in which the server has run and ended before; empty is one where it has to create its database.
//! The floor is a process of this executable that answers from a pipe at once, the echo one with an HTTP server.

use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;

use crate::Result;
use crate::plan::{Plan, take_turns};
use crate::process::{Contestant, Transport};
use crate::report::{Figure, Goal, Unit};

/// Starts are short and vary much: never fewer rounds than this.
const ROUNDS: u32 = 10;

/// Warm and empty home, stdio and Unix socket.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (transport, beside) in [(Transport::Stdio, Contestant::Floor), (Transport::Unix, Contestant::Echo)] {
        let name = |home: &str| format!("start to first answer, {}, {home}", transport.name());
        let mut warm = Figure::new(name("warm"), Unit::Millis).goal(Goal::AtMost(10.0)).in_chart();
        let mut empty = Figure::new(name("empty"), Unit::Millis).goal(Goal::AtMost(25.0)).in_chart();
        let home = Arc::new(tempfile::tempdir()?);
        first_answer(plan, &home, Contestant::Ours, transport)?;
        for round in 0..plan.rounds.max(ROUNDS) as usize {
            take_turns(round, &mut [Some(&home), None], |home| {
                let fresh = Arc::new(tempfile::tempdir()?);
                let figure = if home.is_some() { &mut warm } else { &mut empty };
                figure
                    .record(Contestant::Ours, first_answer(plan, home.unwrap_or(&fresh), Contestant::Ours, transport)?);
                figure.record(beside, first_answer(plan, &Arc::new(tempfile::tempdir()?), beside, transport)?);
                Ok(())
            })?;
        }
        figures.extend([warm, empty]);
    }
    Ok(figures)
}

/// Milliseconds until `who` has answered in `home`. It is stopped properly, so that a warm home is one in order.
fn first_answer(plan: &Plan, home: &Arc<TempDir>, who: Contestant, transport: Transport) -> Result<f64> {
    let start = Instant::now();
    let mut server = plan.launcher.start_in(Arc::clone(home), who, transport)?;
    let mut client = server.connect()?;
    if who != Contestant::Ours {
        client.send(r#"{"id":0,"method":"initialize"}"#)?;
        client.wait_for(br#""id":0"#, |_| ())?;
    }
    let millis = start.elapsed().as_secs_f64() * 1e3;
    drop(client);
    server.stop()?;
    Ok(millis)
}
