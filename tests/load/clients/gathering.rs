//! Many clients that ask nothing and hear everything.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{Clients, Job, goodbye, tell};
use crate::Result;
use crate::client::{Client, Closed};
use crate::crowd::{Crowd, Ear};
use crate::frame::bears;
use crate::served::Door;

/// Who gathers.
#[derive(Clone, Serialize, Deserialize)]
pub struct Gathering {
    pub door: Door,
    pub clients: usize,
}

/// What is reported, in this order: all are there; a rename has reached each of them; each was said goodbye to.
#[derive(Debug, Serialize, Deserialize)]
pub enum Heard {
    Ready,
    /// From the first who had it to the last one.
    Told {
        millis: f64,
    },
    /// How many got which close code; 0 stands for an end without one.
    Closed {
        codes: BTreeMap<u16, usize>,
    },
}

impl Gathering {
    /// Starts it in a process of its own; returns when all are there.
    pub fn start(self) -> Result<Clients> {
        let mut clients = Clients::start(&Job::Gathering(self))?;
        match clients.report()? {
            Heard::Ready => Ok(clients),
            other => Err(format!("{other:?} before they were ready").into()),
        }
    }

    /// Runs it here.
    pub(super) fn run(self) -> Result<()> {
        let members = (0..self.clients).map(|_| self.door.client()).collect::<Result<Vec<Client>>>()?;
        let mut crowd = Crowd::new(members)?;
        let mut ears = Ears { told: 0, first: None, gone: vec![false; self.clients], codes: BTreeMap::new() };
        tell(&Heard::Ready)?;
        while ears.codes.values().sum::<usize>() < self.clients {
            crowd.listen(&mut ears)?;
            if ears.told == self.clients {
                let millis = ears.first.take().map_or(0.0, |first| first.elapsed().as_secs_f64() * 1e3);
                ears.told = 0;
                tell(&Heard::Told { millis })?;
            }
        }
        tell(&Heard::Closed { codes: ears.codes })
    }
}

struct Ears {
    told: usize,
    first: Option<Instant>,
    gone: Vec<bool>,
    codes: BTreeMap<u16, usize>,
}

impl Ear for Ears {
    fn hear(&mut self, _: usize, text: &[u8]) {
        if bears(text, b"thread/name/updated") {
            self.first.get_or_insert_with(Instant::now);
            self.told += 1;
        }
    }

    fn answer(&mut self, _: usize, _: &mut Client) -> Result<()> {
        Ok(())
    }

    /// Closes in turn, as a good client does. The end of the connection itself comes after that.
    fn lose(&mut self, index: usize, client: &mut Client, error: Box<dyn std::error::Error>) -> Result<()> {
        if !std::mem::replace(&mut self.gone[index], true) {
            let code = error.downcast_ref::<Closed>().and_then(|closed| closed.0);
            *self.codes.entry(code.unwrap_or(0)).or_default() += 1;
            if let Some(code) = code {
                // The server may have gone already.
                let _ = client.write(&goodbye(code));
            }
        }
        Ok(())
    }
}
