//! One client renames a thread and all clients hear of it: the news of one reaching many.
//!
//! The bare actix-web-actors server sends one text, encoded once, to as many connections, and so is the measure of what
//! our bookkeeping takes. Both are received by the same thread, whose own work (a read for each delivery) is in
//! the times of both, and must be less than the server's for the deliveries a second to say something about that.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::time::Instant;

use crate::Result;
use crate::client::Client;
use crate::crowd::{Crowd, Ear};
use crate::echo;
use crate::frame::bears;
use crate::plan::{Plan, quantile, take_turns};
use crate::process::{Contestant, Server, Transport};
use crate::report::{Figure, Goal, Unit};

/// What a database writes for a small change at least.
const PAGE: [u8; 4096] = [0; 4096];
/// News waited for, one after the other, in each round.
const SINGLE: usize = 12;
/// Deliveries in each round of the pipelined part, over all clients.
const DELIVERIES: usize = 150_000;
/// Renames on their way in the pipelined part.
const WINDOW: usize = 16;

/// The last of 200 and of 1,000 clients has the news; deliveries a second; processor time of a delivery.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let mut figures = vec![flush(plan)?];
    for transport in [Transport::Unix, Transport::Tcp] {
        for clients in [200, 1_000] {
            figures.extend(over(plan, transport, clients)?);
        }
    }
    Ok(figures)
}

/// How long this machine's disk takes to keep something. A rename is kept before anyone hears of it, so this much of
/// the time until the last client has it is no fan-out.
fn flush(plan: &Plan) -> Result<Figure> {
    let mut figure = Figure::new("a page written and flushed to disk", Unit::Millis);
    let folder = tempfile::tempdir()?;
    let mut file = File::create(folder.path().join("flush"))?;
    for _ in 0..plan.rounds {
        let mut millis = Vec::new();
        for _ in 0..plan.samples(SINGLE) {
            let start = Instant::now();
            file.write_all(&PAGE)?;
            file.sync_data()?;
            millis.push(start.elapsed().as_secs_f64() * 1e3);
        }
        millis.sort_by(f64::total_cmp);
        figure.record(Contestant::Floor, quantile(&millis, 0.5));
    }
    Ok(figure)
}

/// A contestant and its clients. The client 0 is the one that renames; it hears its own news like the others.
struct Side {
    who: Contestant,
    server: Server,
    crowd: Crowd,
    renamer: Renamer,
}

fn over(plan: &Plan, transport: Transport, clients: usize) -> Result<[Figure; 4]> {
    let mut sides = Vec::new();
    for who in [Contestant::Ours, Contestant::Echo] {
        let mut server = plan.launcher.start(who, transport)?;
        let mut members = (0..clients).map(|_| server.connect_to(echo::BROADCAST)).collect::<Result<Vec<_>>>()?;
        let renamer = Renamer::new(who, &mut members[0])?;
        sides.push(Side { who, server, crowd: Crowd::new(members)?, renamer });
    }
    let name = |what: &str| format!("fan-out to {clients}, {}, {what}", transport.name());
    let goal = Goal::Within(1.5, Contestant::Echo);
    let mut last = Figure::new(name("until the last"), Unit::Millis).goal(goal).in_chart();
    let mut rate = Figure::new(name("deliveries"), Unit::PerSecond);
    if clients == 1_000 {
        rate = rate.goal(Goal::AtLeast(800_000.0)).in_chart();
    }
    let mut cost = Figure::new(name("processor time of one"), Unit::Micros);
    let mut own = Figure::new(name("the clients' own"), Unit::Micros);

    let single = plan.samples(SINGLE);
    let pipelined = plan.samples(DELIVERIES / clients);
    sides.iter_mut().try_for_each(|side| side.spread(WINDOW))?; // warm up
    for round in 0..plan.rounds as usize {
        let mut millis: BTreeMap<Contestant, Vec<f64>> = BTreeMap::new();
        for turn in 0..single {
            take_turns(turn, &mut sides, |side| {
                let start = Instant::now();
                side.spread(1)?;
                millis.entry(side.who).or_default().push(start.elapsed().as_secs_f64() * 1e3);
                Ok(())
            })?;
        }
        for (who, mut millis) in millis {
            millis.sort_by(f64::total_cmp);
            last.record(who, quantile(&millis, 0.5));
        }
        take_turns(round, &mut sides, |side| {
            let meter = side.server.meter()?;
            side.spread(pipelined)?;
            let (used, deliveries) = (meter.used()?, (pipelined * clients) as f64);
            rate.record(side.who, deliveries / used.seconds);
            cost.record(side.who, used.server * 1e6 / deliveries);
            own.record(side.who, used.clients * 1e6 / deliveries);
            Ok(())
        })?;
    }
    Ok([last, rate, cost, own])
}

impl Side {
    /// Returns when `news` renames, as many of them at once as the window allows, have reached everyone.
    fn spread(&mut self, news: usize) -> Result<()> {
        self.renamer.missing = news * self.crowd.len();
        self.renamer.unsent = news;
        self.renamer.send(WINDOW, self.crowd.member(0))?;
        while self.renamer.missing > 0 {
            self.crowd.listen(&mut self.renamer)?;
        }
        Ok(())
    }
}

/// Counts the news and causes more.
struct Renamer {
    /// A rename, as it goes out.
    rename: Vec<u8>,
    unsent: usize,
    /// Deliveries still to come.
    missing: usize,
    /// News that the renaming client itself has got since it last sent.
    heard: usize,
    refused: Option<String>,
}

impl Renamer {
    fn new(who: Contestant, client: &mut Client) -> Result<Self> {
        let thread = if who == Contestant::Ours { client.start_thread()? } else { String::new() };
        let rename = format!(
            r#"{{"id":2,"method":"thread/name/set","params":{{"threadId":"{thread}","name":"rename 1000000"}}}}"#
        );
        Ok(Self { rename: client.framing().encode(&rename), unsent: 0, missing: 0, heard: 0, refused: None })
    }

    fn send(&mut self, most: usize, client: &mut Client) -> Result<()> {
        let count = most.min(self.unsent);
        self.unsent -= count;
        Ok(client.write(&self.rename.repeat(count))?)
    }
}

impl Ear for Renamer {
    fn hear(&mut self, index: usize, text: &[u8]) {
        if bears(text, b"thread/name/updated") {
            self.missing = self.missing.saturating_sub(1);
            self.heard += usize::from(index == 0);
        } else if bears(text, br#""error""#) {
            self.refused = Some(String::from_utf8_lossy(text).into_owned());
        }
    }

    fn answer(&mut self, index: usize, client: &mut Client) -> Result<()> {
        if let Some(refused) = self.refused.take() {
            return Err(format!("refused: {refused}").into());
        }
        if index == 0 {
            let heard = std::mem::take(&mut self.heard);
            self.send(heard, client)?;
        }
        Ok(())
    }
}
