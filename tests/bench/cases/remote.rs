//! How much longer a cheap request takes by way of a backend than over a WebSocket of one's own.
//!
//! The backend is part of the measuring thread, so what is added is the server's own: envelopes, sequence numbers, what
//! is kept until it is acknowledged, and the hop to the arbiter on which remote control lives.

use std::sync::Arc;
use std::time::Instant;

use crate::Result;
use crate::backend::{Backend, Controller};
use crate::client::Client;
use crate::frame::Numbered;
use crate::plan::{Plan, quantile, take_turns};
use crate::process::{Contestant, Transport};
use crate::report::{Figure, Goal, Unit};

/// Turns a round is cut into.
const TURNS: usize = 10;

/// The two ways to the server, and what was measured in this round.
struct Side {
    way: Way,
    micros: Vec<f64>,
}

enum Way {
    Direct(Client, Numbered),
    Remote(Box<Controller>, u64),
}

impl Side {
    fn trip(&mut self) -> Result<()> {
        let start = Instant::now();
        let elapsed = match &mut self.way {
            Way::Direct(client, request) => {
                client.write(request.next())?;
                client.wait_for(request.id(), |_| ())?;
                start.elapsed()
            }
            Way::Remote(controller, id) => {
                *id += 1;
                controller.send(&format!(r#"{{"id":{id},"method":"thread/loaded/list","params":{{}}}}"#))?;
                let seq_id = controller.answer_to(&id.to_string())?;
                let elapsed = start.elapsed();
                controller.acknowledge(seq_id)?;
                elapsed
            }
        };
        self.micros.push(elapsed.as_secs_f64() * 1e6);
        Ok(())
    }
}

/// Request and answer, both ways in turns.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let backend = Backend::start()?;
    let home = Arc::new(tempfile::tempdir()?);
    backend.furnish(home.path())?;
    let _remote = plan.launcher.start_in(home, Contestant::Ours, Transport::Remote)?;
    let mut direct = plan.launcher.start(Contestant::Ours, Transport::Tcp)?;
    let client = direct.connect()?;
    let request = Numbered::cheap(client.framing());
    let remote = Way::Remote(Box::new(backend.controller()?), 0);
    let mut sides = [remote, Way::Direct(client, request)].map(|way| Side { way, micros: Vec::new() });

    let mut median = Figure::new("round trip, remote control, p50", Unit::Micros);
    let mut late = Figure::new("round trip, remote control, p99", Unit::Micros);
    let mut times = Figure::new("round trip, remote control / direct TCP, p50", Unit::Times).goal(Goal::AtMost(3.0));
    let trips = plan.samples(600);
    sides.iter_mut().try_for_each(|side| (0..trips).try_for_each(|_| side.trip()))?; // warm up
    for _ in 0..plan.rounds {
        sides.iter_mut().for_each(|side| side.micros.clear());
        for turn in 0..TURNS {
            take_turns(turn, &mut sides, |side| (0..trips).try_for_each(|_| side.trip()))?;
        }
        let [remote, direct] = &mut sides;
        remote.micros.sort_by(f64::total_cmp);
        direct.micros.sort_by(f64::total_cmp);
        median.record(Contestant::Ours, quantile(&remote.micros, 0.5));
        late.record(Contestant::Ours, quantile(&remote.micros, 0.99));
        times.record(Contestant::Ours, quantile(&remote.micros, 0.5) / quantile(&direct.micros, 0.5));
    }
    Ok(vec![median, late, times])
}
