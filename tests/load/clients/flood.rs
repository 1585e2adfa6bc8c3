//! Clients that send everything at once and read slowly.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Clients, Job, tell};
use crate::Result;
use crate::client::Client;
use crate::frame::{Numbered, bears};
use crate::served::Door;

/// How they flood.
#[derive(Clone, Serialize, Deserialize)]
pub struct Flood {
    pub door: Door,
    pub clients: usize,
    /// Of each client, pipelined.
    pub requests: usize,
    pub method: String,
    /// JSON.
    pub params: String,
    /// Between two reads, each of 16 KiB.
    pub pause_micros: u64,
}

/// All are connected, and the flood begins.
#[derive(Serialize, Deserialize)]
pub struct Begun;

/// What came of it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Flooded {
    pub answered: usize,
    /// Of those, with an error.
    pub refused: usize,
    /// Until the last answer.
    pub seconds: f64,
}

impl Flood {
    /// Starts it in a process of its own; returns when it has begun.
    pub fn start(self) -> Result<Clients> {
        let mut clients = Clients::start(&Job::Flood(self))?;
        clients.report::<Begun>()?;
        Ok(clients)
    }

    /// Runs it here.
    pub(super) fn run(self) -> Result<()> {
        let clients = (0..self.clients).map(|_| self.door.client()).collect::<Result<Vec<Client>>>()?;
        tell(&Begun)?;
        let start = Instant::now();
        let mut flooded = Flooded::default();
        thread::scope(|scope| -> Result<()> {
            let flooding: Vec<_> = clients
                .into_iter()
                .map(|client| scope.spawn(|| self.flood(client).map_err(|e| e.to_string())))
                .collect();
            for one in flooding {
                let (answered, refused) = one.join().map_err(|_| "a client panicked")??;
                flooded.answered += answered;
                flooded.refused += refused;
            }
            Ok(())
        })?;
        flooded.seconds = start.elapsed().as_secs_f64();
        tell(&flooded)
    }

    /// One client: answers, and how many of them were refusals.
    fn flood(&self, mut client: Client) -> Result<(usize, usize)> {
        let mut requests = Numbered::new(client.framing(), &self.method, &self.params);
        let mut socket = client.descriptor().try_clone()?;
        let count = self.requests;
        let writer = thread::spawn(move || (0..count).try_for_each(|_| socket.write_all(requests.next())));
        let (mut answered, mut refused) = (0, 0);
        while answered < self.requests {
            client.fill()?;
            while let Some(text) = client.next()? {
                let failed = bears(text, br#""error""#);
                answered += usize::from(failed || bears(text, br#""result""#));
                refused += usize::from(failed);
            }
            thread::sleep(Duration::from_micros(self.pause_micros));
        }
        writer.join().map_err(|_| "the writer panicked")??;
        Ok((answered, refused))
    }
}
