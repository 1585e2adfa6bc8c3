//! The clients of this tool are quicker than the server: else the other scenarios would show the tool's limits.
//!
//! The same schedule, ever faster, is kept with the bare echo and with the server. The rate up to which it is kept with
//! the echo is what the clients can do at least.

use crate::clients::paced::Paced;
use crate::report::Finding;
use crate::served::{BareEcho, Door, Served};
use crate::support::process::Launch;
use crate::{Result, Size};

/// Requests a second to begin with.
const FIRST: f64 = 20_000.0;
const STEP: f64 = 1.25;
/// How long each rate is kept up.
const SECONDS: f64 = 0.5;
/// A schedule is kept when the last answer is late by at most this part of the whole time: what cannot keep up falls
/// behind further and further.
const LATE: f64 = 0.2;
/// In one of so many attempts, since others may use this machine.
const ATTEMPTS: usize = 3;

pub fn run(size: &Size) -> Result<Vec<Finding>> {
    let echo = BareEcho::start()?;
    let served = Served::unix(Launch::new());
    let seconds = SECONDS * size.of(10) as f64 / 10.0;
    let keeps = |door: &Door, echo: bool, rate: f64| -> Result<bool> {
        let requests = (rate * seconds) as usize;
        let job = Paced { connections: 32, window: 64, echo, ..Paced::sequential(door, rate, requests) };
        for _ in 0..ATTEMPTS {
            if job.clone().measure()?.seconds <= seconds * (1.0 + LATE) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let quickest = |door: &Door, echo: bool| -> Result<f64> {
        let (mut kept, mut rate) = (0.0, FIRST);
        while keeps(door, echo, rate)? {
            (kept, rate) = (rate, rate * STEP);
        }
        Ok(kept)
    };
    let clients = quickest(&echo.door, true)?;
    let server = quickest(&served.door, false)?;
    Ok(vec![
        Finding::new("requests on schedule, the bare echo", clients / 1e3, "k/s"),
        Finding::new("requests on schedule, the server", server / 1e3, "k/s"),
        Finding::new("the first / the second", clients / server, "×").at_least(1.5),
    ])
}
