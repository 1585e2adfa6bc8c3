//! How many answers a second 32 clients get out of one process, and what an answer costs it.
//!
//! Every client keeps 16 requests on their way, all from one thread. A client that takes as long for an answer as the
//! server would measure itself; hence its own processor time is a figure too. The floor has a thread for each
//! connection, and is no floor here: one thread that finds many requests in one read is quicker.

use std::time::{Duration, Instant};

use crate::Result;
use crate::client::Client;
use crate::crowd::{Crowd, Ear};
use crate::frame::{Numbered, bears};
use crate::plan::{ALL, Plan, take_turns};
use crate::process::{Contestant, Server, Transport};
use crate::report::{Figure, Goal, Unit};
use crate::usage::Used;

const CLIENTS: usize = 32;
/// Requests that a client has on their way.
const WINDOW: usize = 16;
/// Turns a round is cut into.
const TURNS: usize = 4;

/// Answers a second and processor time of an answer, over both sockets.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for transport in [Transport::Unix, Transport::Tcp] {
        figures.extend(over(plan, transport)?);
    }
    Ok(figures)
}

/// A contestant, its clients, and what was measured of it in this round.
struct Side {
    who: Contestant,
    server: Server,
    crowd: Crowd,
    load: Load,
    used: Used,
}

fn over(plan: &Plan, transport: Transport) -> Result<[Figure; 4]> {
    let mut sides = Vec::new();
    for who in ALL {
        let mut server = plan.launcher.start(who, transport)?;
        let clients = (0..CLIENTS).map(|_| server.connect()).collect::<Result<Vec<_>>>()?;
        let load = Load::new(who, &clients);
        let crowd = Crowd::new(clients)?;
        sides.push(Side { who, server, crowd, load, used: Used::default() });
    }
    let name = |what: &str| format!("{CLIENTS} clients pipelined, {}, {what}", transport.name());
    let mut rate = Figure::new(name("answers"), Unit::PerSecond).goal(Goal::AtLeast(400_000.0)).in_chart();
    // 30 % of what the echo can do on one core is 1 / 0.3 of its processor time.
    let cost = Goal::Within(1.0 / 0.3, Contestant::Echo);
    let mut cost = Figure::new(name("processor time of one"), Unit::Micros).goal(cost);
    let mut own = Figure::new(name("the clients' own"), Unit::Micros);
    let mut refused = Figure::new(name("refused"), Unit::Percent).goal(Goal::AtMost(0.0));

    let slice = Duration::from_millis(plan.samples(250) as u64);
    sides.iter_mut().try_for_each(|side| side.run(slice))?; // warm up
    for _ in 0..plan.rounds {
        for side in &mut sides {
            side.used = Used::default();
            (side.load.answered, side.load.refused) = (0, 0);
        }
        for turn in 0..TURNS {
            take_turns(turn, &mut sides, |side| side.run(slice))?;
        }
        for side in &sides {
            let answered = side.load.answered as f64;
            rate.record(side.who, answered / side.used.seconds);
            cost.record(side.who, side.used.server * 1e6 / answered);
            own.record(side.who, side.used.clients * 1e6 / answered);
            if side.who == Contestant::Ours {
                refused.record(side.who, 100.0 * side.load.refused as f64 / (answered + side.load.refused as f64));
            }
        }
    }
    Ok([rate, cost, own, refused])
}

impl Side {
    /// Fills all windows, keeps them full for `slice`, and waits for what is on its way.
    fn run(&mut self, slice: Duration) -> Result<()> {
        let meter = self.server.meter()?;
        let start = Instant::now();
        self.load.open = true;
        for index in 0..self.crowd.len() {
            self.load.heard = WINDOW;
            self.load.answer(index, self.crowd.member(index))?;
        }
        self.load.on_their_way = CLIENTS * WINDOW;
        while self.load.on_their_way > 0 {
            self.load.open = start.elapsed() < slice;
            self.crowd.listen(&mut self.load)?;
        }
        self.used += meter.used()?;
        Ok(())
    }
}

/// Replaces every answer by a new request as long as it is open.
struct Load {
    /// What the head of an answer bears: a result, or from those that send back what they get the request.
    mark: &'static [u8],
    requests: Vec<Numbered>,
    open: bool,
    answered: usize,
    refused: usize,
    on_their_way: usize,
    /// Answers to the connection that is read at the moment.
    heard: usize,
    output: Vec<u8>,
}

impl Load {
    fn new(who: Contestant, clients: &[Client]) -> Self {
        Self {
            mark: if who == Contestant::Ours { br#""result""# } else { br#""method""# },
            requests: clients.iter().map(|client| Numbered::cheap(client.framing())).collect(),
            open: false,
            answered: 0,
            refused: 0,
            on_their_way: 0,
            heard: 0,
            output: Vec::new(),
        }
    }
}

impl Ear for Load {
    fn hear(&mut self, _: usize, text: &[u8]) {
        if bears(text, self.mark) {
            self.answered += 1;
        } else if bears(text, br#""error""#) {
            self.refused += 1;
        } else {
            return;
        }
        self.heard += 1;
    }

    fn answer(&mut self, index: usize, client: &mut Client) -> Result<()> {
        let heard = std::mem::take(&mut self.heard);
        if !self.open {
            self.on_their_way = self.on_their_way.saturating_sub(heard);
            return Ok(());
        }
        self.output.clear();
        for _ in 0..heard {
            self.output.extend(self.requests[index].next());
        }
        Ok(client.write(&self.output)?)
    }
}
