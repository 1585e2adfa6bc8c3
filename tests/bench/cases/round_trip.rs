//! How long one cheap request takes when nothing else happens.
//!
//! One client sends the next request when the answer to the last one is there. Such a closed loop hides stalls (a
//! stall delays the requests that would have met it: coordinated omission), so these percentiles describe an unloaded
//! server and no other; all contestants are asked in the same way, and what a loaded server does to its clients is
//! measured on a fixed schedule in `stalled_peer`.

use std::time::Instant;

use crate::Result;
use crate::client::Client;
use crate::frame::Numbered;
use crate::plan::{ALL, Plan, quantile, take_turns};
use crate::process::{Contestant, Server, Transport};
use crate::report::{Figure, Goal, Unit};

/// Turns a round is cut into.
const TURNS: usize = 10;

/// Request and answer, over every transport.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    figures.extend(over(plan, Transport::Unix, &[Goal::AtMost(25.0), Goal::Within(2.2, Contestant::Floor)])?);
    figures.extend(over(plan, Transport::Tcp, &[Goal::AtMost(32.0), Goal::Within(2.2, Contestant::Floor)])?);
    figures.extend(over(plan, Transport::Stdio, &[Goal::Within(2.5, Contestant::Floor)])?);
    Ok(figures)
}

/// A contestant and what was measured of it in this round.
struct Side {
    who: Contestant,
    _server: Server,
    client: Client,
    request: Numbered,
    micros: Vec<f64>,
}

impl Side {
    fn trip(&mut self) -> Result<()> {
        let start = Instant::now();
        self.client.write(self.request.next())?;
        self.client.wait_for(self.request.id(), |_| ())?;
        self.micros.push(start.elapsed().as_secs_f64() * 1e6);
        Ok(())
    }
}

fn over(plan: &Plan, transport: Transport, goals: &[Goal]) -> Result<[Figure; 4]> {
    let mut sides = Vec::new();
    for who in ALL {
        if transport == Transport::Stdio && who == Contestant::Echo {
            continue; // actix-web has no stdio
        }
        let mut server = plan.launcher.start(who, transport)?;
        let client = server.connect()?;
        let request = Numbered::cheap(client.framing());
        sides.push(Side { who, _server: server, client, request, micros: Vec::new() });
    }
    let name = |what: &str| format!("round trip, {}, {what}", transport.name());
    let mut median = Figure::new(name("p50"), Unit::Micros).in_chart();
    median.goals.extend(goals);
    let mut ninety = Figure::new(name("p90"), Unit::Micros);
    let mut late = Figure::new(name("p99"), Unit::Micros);
    let mut tail = Figure::new(name("p99 / p50"), Unit::Times).goal(Goal::Within(1.0, Contestant::Floor));

    let trips = plan.samples(600);
    sides.iter_mut().try_for_each(|side| (0..trips).try_for_each(|_| side.trip()))?; // warm up
    for _ in 0..plan.rounds {
        sides.iter_mut().for_each(|side| side.micros.clear());
        for turn in 0..TURNS {
            take_turns(turn, &mut sides, |side| (0..trips).try_for_each(|_| side.trip()))?;
        }
        for side in &mut sides {
            side.micros.sort_by(f64::total_cmp);
            let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|share| quantile(&side.micros, share));
            median.record(side.who, p50);
            ninety.record(side.who, p90);
            late.record(side.who, p99);
            tail.record(side.who, p99 / p50);
        }
    }
    Ok([median, ninety, late, tail])
}
