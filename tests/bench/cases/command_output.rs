//! One command prints a gigabyte: how fast its client has all of it, and what another client notices meanwhile.
//!
//! The other client asks on a schedule, and an answer that comes late counts from when the next request was due. In
//! turn it asks the server and a bare socket: what the flood of bytes does to both is the machine's doing (command,
//! server, reader and asker are more threads than it may have cores), and what only the server's answers suffer is
//! ours.

use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::Result;
use crate::client::Client;
use crate::frame::{Numbered, bears};
use crate::plan::{Plan, quantile};
use crate::process::{Contestant, Server, Transport};
use crate::report::{Figure, Goal, Unit};

/// What the command prints in each round.
const BYTES: usize = 1_000_000_000;
/// Requests to each of both while no command runs.
const CALM: usize = 1_000;
/// Time between a request to the one and a request to the other.
const PERIOD: Duration = Duration::from_micros(500);

/// Throughput, its processor time, and the round trips of the other client without and with it.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let mut server = plan.launcher.start(Contestant::Ours, Transport::Unix)?;
    let mut reader = server.connect()?;
    let mut floor = plan.launcher.start(Contestant::Floor, Transport::Unix)?;
    let mut askers = [Asker::new(Contestant::Ours, &mut server)?, Asker::new(Contestant::Floor, &mut floor)?];

    let mut throughput = Figure::new("output of one command (floor: a bare pipe)", Unit::MegabytesPerSecond);
    let mut cost = Figure::new("output of one command, processor time of 1 MB", Unit::Micros);
    let [mut calm, mut busy] = ["without it", "meanwhile"].map(|when| {
        ["p50", "p99"].map(|share| Figure::new(format!("a request every ms, {when}, {share}"), Unit::Micros))
    });
    let mut ratio = Figure::new("the p99 meanwhile / without it", Unit::Times).goal(Goal::AtMost(1.5));

    let bytes = plan.samples(BYTES);
    for _ in 0..plan.rounds {
        let mut calls = 0..plan.samples(CALM);
        ask_while(&mut askers, || calls.next().is_some())?;
        let before = record(&mut askers, &mut calm);

        let (meter, start) = (server.meter()?, Instant::now());
        thread::scope(|scope| {
            let flood = scope.spawn(|| read_flood(&mut reader, bytes).map_err(|error| error.to_string()));
            ask_while(&mut askers, || !flood.is_finished())?;
            flood.join().map_err(|_| "the reader panicked".to_owned()).flatten()?;
            Result::Ok(())
        })?;
        throughput.record(Contestant::Ours, bytes as f64 / 1e6 / start.elapsed().as_secs_f64());
        cost.record(Contestant::Ours, meter.used()?.server * 1e12 / bytes as f64);
        let after = record(&mut askers, &mut busy);
        for ((asker, before), after) in askers.iter().zip(before).zip(after) {
            ratio.record(asker.who, after / before);
        }
        throughput.record(Contestant::Floor, bytes as f64 / 1e6 / read_pipe(bytes)?.as_secs_f64());
    }
    let mut figures = vec![throughput, cost];
    figures.extend(calm.into_iter().chain(busy).chain([ratio]));
    Ok(figures)
}

/// Has `bytes` zeros printed, and reads all of them.
fn read_flood(client: &mut Client, bytes: usize) -> Result<()> {
    #[derive(Deserialize)]
    struct Delta<'a> {
        #[serde(borrow)]
        params: Params<'a>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params<'a> {
        delta_base64: &'a str,
    }
    client.send(&format!(
        r#"{{"id":1,"method":"command/exec","params":{{"command":["head","-c","{bytes}","/dev/zero"],"processId":"flood","streamStdoutStderr":true,"disableOutputCap":true,"disableTimeout":true,"sandboxPolicy":{{"type":"dangerFullAccess"}}}}}}"#
    ))?;
    let mut missing = bytes;
    loop {
        while let Some(text) = client.next()? {
            if bears(text, b"outputDelta") {
                let Delta { params: Params { delta_base64: text } } = serde_json::from_slice(text)?;
                let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
                missing -= text.len() / 4 * 3 - padding;
            } else if bears(text, br#""exitCode":0"#) {
                return if missing == 0 { Ok(()) } else { Err(format!("{missing} bytes are missing").into()) };
            } else if bears(text, br#""error""#) {
                return Err(format!("refused: {}", String::from_utf8_lossy(text)).into());
            }
        }
        client.fill()?;
    }
}

/// The same without a server.
fn read_pipe(bytes: usize) -> Result<Duration> {
    let start = Instant::now();
    let mut command = Command::new("head");
    let mut child = command.args(["-c", &bytes.to_string(), "/dev/zero"]).stdout(Stdio::piped()).spawn()?;
    let mut pipe = child.stdout.take().ok_or("no pipe")?;
    let mut buffer = vec![0; 64 * 1024];
    while pipe.read(&mut buffer)? > 0 {}
    child.wait()?;
    Ok(start.elapsed())
}

/// Somebody who asks for something cheap now and then.
struct Asker {
    who: Contestant,
    client: Client,
    request: Numbered,
    micros: Vec<f64>,
}

impl Asker {
    fn new(who: Contestant, server: &mut Server) -> Result<Self> {
        let client = server.connect()?;
        let request = Numbered::cheap(client.framing());
        Ok(Self { who, client, request, micros: Vec::new() })
    }

    fn ask(&mut self, due: Instant) -> Result<()> {
        self.client.write(self.request.next())?;
        self.client.wait_for(self.request.id(), |_| ())?;
        self.micros.push(due.elapsed().as_secs_f64() * 1e6);
        Ok(())
    }
}

/// Each asks once a millisecond. Waking up late is no fault of a server, so a request counts from then; one that the
/// answer before it delayed counts from when it was due.
fn ask_while(askers: &mut [Asker; 2], mut go_on: impl FnMut() -> bool) -> Result<()> {
    let mut due = Instant::now();
    while go_on() {
        for asker in &mut *askers {
            due += PERIOD;
            let early = due.saturating_duration_since(Instant::now());
            thread::sleep(early);
            asker.ask(if early.is_zero() { due } else { Instant::now() })?;
        }
    }
    Ok(())
}

/// Moves what was measured into the figures for p50 and p99; gives the p99 of each.
fn record(askers: &mut [Asker; 2], [median, late]: &mut [Figure; 2]) -> [f64; 2] {
    askers.each_mut().map(|asker| {
        let mut micros = std::mem::take(&mut asker.micros);
        micros.sort_by(f64::total_cmp);
        median.record(asker.who, quantile(&micros, 0.5));
        late.record(asker.who, quantile(&micros, 0.99));
        quantile(&micros, 0.99)
    })
}
