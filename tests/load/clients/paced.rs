//! Requests on a fixed schedule, whatever the server does (open loop).

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use super::{Clients, Job};
use crate::Result;
use crate::client::Client;
use crate::frame::{Numbered, bears};
use crate::plan::quantile;
use crate::served::Door;

/// How long the last answers may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The schedule.
#[derive(Clone, Serialize, Deserialize)]
pub struct Paced {
    pub door: Door,
    /// Not the server but the bare echo: no handshake, and what comes back is what was sent.
    pub echo: bool,
    /// They take turns.
    pub connections: usize,
    /// Requests that one connection has on its way at most. More wait here, and their time runs. 1 makes them
    /// sequential.
    pub window: usize,
    /// Requests a second, over all connections.
    pub per_second: f64,
    /// Requests in all.
    pub requests: usize,
    pub method: String,
    /// JSON.
    pub params: String,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Pace {
    pub answered: usize,
    /// Of those, with an error.
    pub refused: usize,
    /// From when a request was due until it was answered. Microseconds.
    pub p50: f64,
    pub p99: f64,
    pub most: f64,
    /// From the first request until the last answer.
    pub seconds: f64,
}

impl Paced {
    /// A cheap request each time, one after the other on one connection.
    pub fn sequential(door: &Door, per_second: f64, requests: usize) -> Self {
        let (method, params) = ("thread/loaded/list".to_owned(), "{}".to_owned());
        Self { door: door.clone(), echo: false, connections: 1, window: 1, per_second, requests, method, params }
    }

    /// Runs it in a process of its own and waits for the end.
    pub fn measure(self) -> Result<Pace> {
        self.start()?.report()
    }

    /// Runs it in a process of its own.
    pub fn start(self) -> Result<Clients> {
        Clients::start(&Job::Paced(self))
    }

    /// Runs it here.
    pub fn run(self) -> Result<Pace> {
        let mut lanes = (0..self.connections).map(|_| Lane::new(&self)).collect::<Result<Vec<Lane>>>()?;
        let (mut micros, mut refused, mut scheduled) = (Vec::with_capacity(self.requests), 0, 0);
        let start = Instant::now();
        let due = |number: usize| start + Duration::from_secs_f64(number as f64 / self.per_second);
        while micros.len() < self.requests {
            let now = Instant::now();
            while scheduled < self.requests && due(scheduled) <= now {
                lanes[scheduled % self.connections].due.push_back(due(scheduled));
                scheduled += 1;
            }
            for lane in &mut lanes {
                lane.send(self.window)?;
            }
            let wait = if scheduled < self.requests { due(scheduled).saturating_duration_since(now) } else { PATIENCE };
            for index in readable(&lanes, wait)? {
                refused += lanes[index].receive(self.echo, &mut micros)?;
            }
            if now > due(self.requests) + PATIENCE {
                return Err(format!("{} of {} requests are not answered", scheduled - micros.len(), scheduled).into());
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        micros.sort_by(f64::total_cmp);
        let [p50, p99, most] = [0.5, 0.99, 1.0].map(|share| quantile(&micros, share));
        Ok(Pace { answered: micros.len(), refused, p50, p99, most, seconds })
    }
}

/// The lanes on which something has arrived, after at most `longest`.
fn readable(lanes: &[Lane], longest: Duration) -> Result<Vec<usize>> {
    let mut descriptors: Vec<_> =
        lanes.iter().map(|lane| PollFd::new(lane.client.descriptor(), PollFlags::IN)).collect();
    poll(&mut descriptors, Some(&Timespec::try_from(longest)?))?;
    let ready = descriptors.iter().enumerate().filter(|(_, descriptor)| !descriptor.revents().is_empty());
    Ok(ready.map(|(index, _)| index).collect())
}

/// One connection.
struct Lane {
    client: Client,
    request: Numbered,
    /// When those that are not answered were due; the first `sent` of them are on their way. Answers keep the order.
    due: VecDeque<Instant>,
    sent: usize,
}

impl Lane {
    fn new(job: &Paced) -> Result<Self> {
        let client = if job.echo { job.door.enter()? } else { job.door.client()? };
        rustix::io::ioctl_fionbio(client.descriptor(), true)?;
        let request = Numbered::new(client.framing(), &job.method, &job.params);
        Ok(Self { client, request, due: VecDeque::new(), sent: 0 })
    }

    fn send(&mut self, window: usize) -> Result<()> {
        let room = self.due.len().min(window) - self.sent;
        if room > 0 {
            let mut bytes = Vec::new();
            (0..room).for_each(|_| bytes.extend_from_slice(self.request.next()));
            self.client.write(&bytes)?;
            self.sent += room;
        }
        Ok(())
    }

    /// Adds how late each answer was; how many of them were refusals.
    fn receive(&mut self, echo: bool, micros: &mut Vec<f64>) -> Result<usize> {
        let mut refused = 0;
        let mut more = true;
        while more {
            more = match self.client.fill() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => false,
                read => read?,
            };
            let now = Instant::now();
            while let Some(text) = self.client.next()? {
                let failed = bears(text, br#""error""#);
                if echo || failed || bears(text, br#""result""#) {
                    let due = self.due.pop_front().ok_or("an answer to nothing")?;
                    micros.push(now.saturating_duration_since(due).as_secs_f64() * 1e6);
                    self.sent -= 1;
                    refused += usize::from(failed);
                }
            }
        }
        Ok(refused)
    }
}
