//! Clients that come, shake hands, and go.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{Clients, Job, goodbye};
use crate::Result;
use crate::served::Door;

/// Connections from one address: fewer than it has ports.
const PER_ADDRESS: usize = 20_000;

/// How often.
#[derive(Clone, Serialize, Deserialize)]
pub struct Churn {
    pub door: Door,
    pub cycles: usize,
    /// The last part of the first address they come from.
    pub address: u8,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Churned {
    pub seconds: f64,
}

impl Churn {
    /// Runs it in a process of its own and waits for the end.
    pub fn measure(self) -> Result<Churned> {
        Clients::start(&Job::Churn(self))?.report()
    }

    /// Runs it here. Every other client says goodbye first, the rest just go.
    pub(super) fn run(self) -> Result<Churned> {
        let start = Instant::now();
        for cycle in 0..self.cycles {
            let mut client = self.door.client_from(self.address + (cycle / PER_ADDRESS) as u8)?;
            if cycle % 2 == 0 {
                client.write(&goodbye(1000))?;
                // Until the server's own goodbye, or its end of the connection.
                while client.next().is_ok() && client.fill().is_ok() {}
            }
        }
        Ok(Churned { seconds: start.elapsed().as_secs_f64() })
    }
}
