//! What a peer that never reads costs the server and the other clients.
//!
//! Requests go out on a fixed schedule and their latency counts from when each was due, not from when it could be
//! sent: a stall of the server is then seen by every request that it delays. The loop that keeps the schedule
//! never sleeps.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::Result;
use crate::client::Client;
use crate::crowd::{Crowd, Ear};
use crate::frame::{Numbered, bears};
use crate::plan::{Plan, quantile};
use crate::process::{Contestant, Server, Transport};
use crate::report::{Figure, Goal, Unit};

/// Time between two renames, and between two measured requests: a thousand a second of each.
const PERIOD: Duration = Duration::from_millis(1);
/// Letters of a thread's name, and the length of a phase: together so much that a peer that does not read is over
/// its budget of 64 MiB before the phase ends, and is cut.
const NAME_LETTERS: usize = 16 * 1024;
const PHASE: Duration = Duration::from_millis(4_500);
/// Clients that rename in turn (and read, like the one that asks).
const RENAMERS: usize = 4;
/// Renames that each has on their way at most: as many as its socket takes, whatever the server does.
const WINDOW: usize = 4;
/// Of those that were due, the share that must have gone out for the phase to count. Each waits for the disk.
const LEAST_SENT: f64 = 0.8;

/// Latency of the others and growth of the server, with such a peer and without.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let rounds = if plan.quick { 1 } else { plan.rounds.min(5) };
    let mut without = Figure::new("p99 of a request every ms, all peers read", Unit::Micros);
    let mut with = Figure::new("p99 of a request every ms, one never reads", Unit::Micros);
    let mut ratio = Figure::new("p99 with it / without it", Unit::Times).goal(Goal::AtMost(1.2));
    let budget = Goal::AtMost(64.0 + 64.0 / 1024.0);
    let mut growth = Figure::new("memory for a peer that never reads", Unit::Mebibytes).goal(budget);
    for _ in 0..rounds {
        let mut scene = Scene::new(plan)?;
        scene.play(PHASE / 5)?; // warm up: what the readers' buffers take is not the peer's
        let before = scene.play(PHASE)?;
        let peer = scene.server.connect()?;
        let during = scene.play(PHASE)?;
        drop(peer);
        without.record(Contestant::Ours, before.p99);
        with.record(Contestant::Ours, during.p99);
        ratio.record(Contestant::Ours, during.p99 / before.p99);
        growth.record(Contestant::Ours, (during.most_resident - before.most_resident) / 1024.0 / 1024.0);
    }
    Ok(vec![without, with, ratio, growth])
}

/// A server, the clients that read, and their schedule. The client 0 asks, the others rename.
struct Scene {
    server: Server,
    crowd: Crowd,
    clock: Clock,
    rename: Vec<u8>,
    request: Numbered,
}

/// What a phase showed.
struct Seen {
    /// Microseconds.
    p99: f64,
    /// Bytes.
    most_resident: f64,
}

impl Scene {
    fn new(plan: &Plan) -> Result<Self> {
        let mut server = plan.launcher.start(Contestant::Ours, Transport::Unix)?;
        let mut clients = (0..=RENAMERS).map(|_| server.connect()).collect::<Result<Vec<Client>>>()?;
        let thread = clients[1].start_thread()?;
        let name = "n".repeat(NAME_LETTERS);
        let rename =
            format!(r#"{{"id":2,"method":"thread/name/set","params":{{"threadId":"{thread}","name":"{name}"}}}}"#);
        let framing = clients[0].framing();
        let (rename, request) = (framing.encode(&rename), Numbered::cheap(framing));
        Ok(Self { server, crowd: Crowd::new(clients)?, clock: Clock::default(), rename, request })
    }

    fn play(&mut self, length: Duration) -> Result<Seen> {
        let end = Instant::now() + length;
        let (mut due, mut periods, mut renames, mut most_resident) = (Instant::now(), 0, 0, 0);
        while due < end || !self.clock.due.is_empty() {
            if due < end && Instant::now() >= due {
                self.clock.due.push_back(due);
                self.crowd.member(0).write(self.request.next())?;
                let renamer = 1 + periods % RENAMERS;
                if self.clock.renaming[renamer] < WINDOW {
                    self.clock.renaming[renamer] += 1;
                    self.crowd.member(renamer).write(&self.rename)?;
                    renames += 1;
                }
                periods += 1;
                due += PERIOD;
                most_resident = most_resident.max(self.server.resident_bytes()?);
            }
            self.crowd.glance(&mut self.clock)?;
            if Instant::now() > end + length {
                return Err("requests are not answered".into());
            }
        }
        if (renames as f64) < LEAST_SENT * periods as f64 {
            return Err(format!("only {renames} of {periods} renames could be sent").into());
        }
        let mut micros = std::mem::take(&mut self.clock.micros);
        micros.sort_by(f64::total_cmp);
        Ok(Seen { p99: quantile(&micros, 0.99), most_resident: most_resident as f64 })
    }
}

/// When the requests on their way were due (they are answered in order), and how late the answers were.
#[derive(Default)]
struct Clock {
    due: VecDeque<Instant>,
    micros: Vec<f64>,
    /// Renames of each client that are not answered yet.
    renaming: [usize; 1 + RENAMERS],
    refused: Option<String>,
}

impl Ear for Clock {
    fn hear(&mut self, index: usize, text: &[u8]) {
        if bears(text, br#""result""#) {
            match index {
                0 => self.micros.extend(self.due.pop_front().map(|due| due.elapsed().as_secs_f64() * 1e6)),
                _ => self.renaming[index] = self.renaming[index].saturating_sub(1),
            }
        } else if bears(text, br#""error""#) {
            self.refused = Some(String::from_utf8_lossy(text).into_owned());
        }
    }

    fn answer(&mut self, _: usize, _: &mut Client) -> Result<()> {
        self.refused.take().map_or(Ok(()), |refused| Err(format!("refused: {refused}").into()))
    }
}
