//! What the proxy adds to a round trip over the Unix socket, and the memory that it takes.
//!
//! Beside it stands `socat`, where it is installed: two system calls for each direction, and nothing else.

use std::io::ErrorKind;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::Result;
use crate::client::Client;
use crate::frame::{Framing, Numbered};
use crate::plan::{Plan, quantile, take_turns};
use crate::process::{Contestant, Server, Transport};
use crate::report::{Figure, Goal, Unit};
use crate::usage::resident_bytes;

/// Turns a round is cut into,
const TURNS: usize = 10;
/// and round trips of each turn.
const TRIPS: usize = 300;

/// Added time and memory, for clients that speak WebSocket and for those that write lines.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let mut server = plan.launcher.start(Contestant::Ours, Transport::Unix)?;
    let mut direct = Side::new(server.connect()?, None);
    let mut socat = Side::socat(&server)?;
    let mut figures = Vec::new();
    for (name, framing) in [("raw", Framing::WebSocket), ("jsonl", Framing::Lines)] {
        let mut proxy = Side::proxy(plan, &server, framing)?;
        let mut sides = vec![(None, &mut direct), (Some(Contestant::Ours), &mut proxy)];
        sides.extend(socat.as_mut().map(|socat| (Some(Contestant::Floor), socat)));
        figures.extend(compare(plan, name, &mut sides)?);
    }
    Ok(figures)
}

/// The way without anything between comes first, and has no name.
fn compare(plan: &Plan, name: &str, sides: &mut [(Option<Contestant>, &mut Side)]) -> Result<[Figure; 2]> {
    let name = |what: &str| format!("proxy, {name}, {what} (floor: socat)");
    let mut added = Figure::new(name("added to a round trip, p50"), Unit::Micros).goal(Goal::AtMost(25.0));
    let mut memory = Figure::new(name("memory"), Unit::Mebibytes).goal(Goal::AtMost(8.0));
    let trips = plan.samples(TRIPS);
    sides.iter_mut().try_for_each(|(_, side)| side.ask(trips))?; // warm up
    for _ in 0..plan.rounds {
        sides.iter_mut().for_each(|(_, side)| side.micros.clear());
        for turn in 0..TURNS {
            take_turns(turn, sides, |(_, side)| side.ask(trips))?;
        }
        let without = sides[0].1.median();
        for (who, side) in sides.iter_mut() {
            if let (Some(who), Some(bridge)) = (*who, &side.bridge) {
                memory.record(who, resident_bytes(bridge.0.id())? as f64 / 1024.0 / 1024.0);
                added.record(who, side.median() - without);
            }
        }
    }
    Ok([added, memory])
}

/// A client and what stands between it and the server, which ends first: else it would complain of the other's end.
struct Side {
    bridge: Option<Bridge>,
    client: Client,
    request: Numbered,
    micros: Vec<f64>,
}

/// A process that is killed when this goes out of scope.
struct Bridge(Child);

impl Drop for Bridge {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Side {
    fn new(client: Client, bridge: Option<Bridge>) -> Self {
        let request = Numbered::cheap(client.framing());
        Self { bridge, client, request, micros: Vec::new() }
    }

    fn proxy(plan: &Plan, server: &Server, framing: Framing) -> Result<Self> {
        let mut command = Command::new(plan.launcher.program());
        Self::through(command.args(["app-server", "proxy", "--sock"]).arg(server.socket()), framing)
    }

    fn socat(server: &Server) -> Result<Option<Self>> {
        let to = format!("UNIX-CONNECT:{}", server.socket().display());
        match Self::through(Command::new("socat").args(["STDIO", &to]), Framing::WebSocket) {
            Err(error) if error.downcast_ref().is_some_and(is_missing) => {
                eprintln!("socat is not installed: the proxy is measured without it");
                Ok(None)
            }
            side => side.map(Some),
        }
    }

    fn through(command: &mut Command, framing: Framing) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (stdin, stdout) = child.stdin.take().zip(child.stdout.take()).ok_or("no pipes")?;
        let bridge = Bridge(child);
        let mut client = match framing {
            Framing::Lines => Client::over_pipes(stdin, stdout),
            Framing::WebSocket => Client::over_bridge(stdin, stdout),
        };
        if framing == Framing::WebSocket {
            client.upgrade("/")?;
        }
        client.initialize()?;
        Ok(Self::new(client, Some(bridge)))
    }

    fn ask(&mut self, trips: usize) -> Result<()> {
        for _ in 0..trips {
            let start = Instant::now();
            self.client.write(self.request.next())?;
            self.client.wait_for(self.request.id(), |_| ())?;
            self.micros.push(start.elapsed().as_secs_f64() * 1e6);
        }
        Ok(())
    }

    fn median(&mut self) -> f64 {
        self.micros.sort_by(f64::total_cmp);
        quantile(&self.micros, 0.5)
    }
}

fn is_missing(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}
