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
use crate::plan::{Plan, quantile, take_turns};
use crate::process::{Contestant, Server, Transport};
use crate::report::{Figure, Goal, Unit};

/// Time between two renames, and between two measured requests: a thousand a second of each.
const PERIOD: Duration = Duration::from_millis(1);
/// The two servers have their turns, each so long,
const TURN: Duration = Duration::from_millis(300);
/// until so many renames went out that a peer that does not read is over its budget of 64 MiB, and is cut,
const RENAMES: usize = 4_500;
/// each of them with a name of so many letters;
const NAME_LETTERS: usize = 16 * 1024;
/// or until this time has passed, in which a disk that is slow keeps fewer (and the peer is cut because nothing moves).
const LIMIT: Duration = Duration::from_secs(12);
/// Clients that rename in turn (and read, like the one that asks).
const RENAMERS: usize = 4;
/// Renames that each has on their way at most: as many as its socket takes, whatever the server does.
const WINDOW: usize = 4;
/// How long the last answers of a turn may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Latency of the others and memory: of a server with such a peer and, side by side, of one without.
pub fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let mut without = Figure::new("a request every ms, all peers read, p99", Unit::Micros);
    let mut with = Figure::new("a request every ms, one never reads, p99", Unit::Micros);
    let mut ratio = Figure::new("the second / the first", Unit::Times).goal(Goal::AtMost(1.2));
    let budget = Goal::AtMost(64.0 + 64.0 / 1024.0);
    let mut growth = Figure::new("memory for a peer that never reads", Unit::Mebibytes).goal(budget);
    for _ in 0..if plan.quick { 1 } else { plan.rounds.min(5) } {
        let mut scenes = [Scene::new(plan)?, Scene::new(plan)?];
        scenes.iter_mut().try_for_each(|scene| scene.play(TURN))?; // warm up
        scenes.iter_mut().for_each(Scene::forget);
        let peer = scenes[1].server.connect()?;
        let mut order = [0, 1];
        let start = Instant::now();
        for turn in 0.. {
            if scenes[1].renames >= RENAMES || start.elapsed() > LIMIT {
                break;
            }
            take_turns(turn, &mut order, |&mut index| scenes[index].play(TURN))?;
        }
        drop(peer);
        let [before, during] = scenes.each_mut().map(|scene| scene.clock.p99());
        without.record(Contestant::Ours, before);
        with.record(Contestant::Ours, during);
        ratio.record(Contestant::Ours, during / before);
        let bytes = scenes[1].most_resident as f64 - scenes[0].most_resident as f64;
        growth.record(Contestant::Ours, bytes / 1024.0 / 1024.0);
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
    /// How many went out.
    renames: usize,
    /// Bytes.
    most_resident: u64,
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
        let crowd = Crowd::new(clients)?;
        Ok(Self { server, crowd, clock: Clock::default(), rename, request, renames: 0, most_resident: 0 })
    }

    /// Drops what was measured so far.
    fn forget(&mut self) {
        self.clock.micros.clear();
        self.renames = 0;
        self.most_resident = 0;
    }

    /// Keeps the schedule for a while and waits for what is on its way.
    fn play(&mut self, length: Duration) -> Result<()> {
        let end = Instant::now() + length;
        let mut due = Instant::now();
        while due < end || !self.clock.is_idle() {
            if due < end && Instant::now() >= due {
                self.clock.due.push_back(due);
                self.crowd.member(0).write(self.request.next())?;
                let renamer = 1 + self.renames % RENAMERS;
                if self.clock.renaming[renamer] < WINDOW {
                    self.clock.renaming[renamer] += 1;
                    self.crowd.member(renamer).write(&self.rename)?;
                    self.renames += 1;
                }
                due += PERIOD;
                self.most_resident = self.most_resident.max(self.server.resident_bytes()?);
            }
            self.crowd.glance(&mut self.clock)?;
            if Instant::now() > end + PATIENCE {
                return Err("requests are not answered".into());
            }
        }
        Ok(())
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

impl Clock {
    /// Nothing is on its way.
    fn is_idle(&self) -> bool {
        self.due.is_empty() && self.renaming.iter().all(|&count| count == 0)
    }

    /// Microseconds.
    fn p99(&mut self) -> f64 {
        self.micros.sort_by(f64::total_cmp);
        quantile(&self.micros, 0.99)
    }
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
